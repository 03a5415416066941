//! `proximity serve` with no cluster to serve: the setup page, until a person has told where the cluster is. Then the
//! service takes its place, on the same address and without a restart.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use control::{Answers, Configured, SecretKey, Setup, SetupParts, WrongAnswer};
use secrecy::ExposeSecret as _;
use store::Store;
use tokio::{net::TcpListener, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    say,
    serve::{assemble, key, stopped, work},
    settings::{self, Settings, Source, Storage},
};

/// How often the database is asked whether another replica was set up.
const LOOK: Duration = Duration::from_secs(3);

/// Serves the setup page and, once there is a cluster, the service, until `shutdown`.
pub(crate) async fn run(
    source: Source,
    storage: &Storage,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (setup, code) = Setup::new(SetupParts {
        store: store.clone(),
        secrets: SecretKey::from_file(&storage.secret_key_file)?,
        given: source.names("PROXMOX_"),
        data_dir: storage.data_dir.clone(),
        configure: Box::new({
            let source = source.clone();
            move |answers| configured(&source, answers)
        }),
    });
    if let Some(password) = source.secret("PROXIMITY_ADMIN_PASSWORD") {
        setup.first_administrator(password.expose_secret()).await?;
    }
    let listen = settings::listen(&source)?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (PROXIMITY_LISTEN)"))?;
    let address = listener.local_addr()?;
    let (router, swap) = server::swappable(server::setup_router(setup.clone()));
    let tracker = TaskTracker::new();
    let stopping = shutdown.clone();
    tracker.spawn(async move {
        if let Err(error) = server::serve(listener, router, stopping.clone()).await {
            tracing::error!(%error, "the server stopped");
            stopping.cancel();
        }
    });
    greet(address, &setup, &code).await?;
    loop {
        let answers = tokio::select! {
            () = shutdown.cancelled() => break,
            answers = answered(&setup) => answers,
        };
        match begin(&source, &answers, &store).await {
            Ok((control, settings)) => {
                work(&tracker, &control, &shutdown);
                let options = server::Options {
                    proxies: settings.proxies.clone(),
                    ..server::Options::default()
                };
                swap.to(server::router(control, options));
                setup.is_running();
                say(&format!(
                    "set up: the cluster is reached at {}",
                    settings
                        .proxmox
                        .hosts
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
                break;
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!(
                    error = why,
                    "the service could not start with what was saved"
                );
                setup.is_broken(why);
                // The same again would fail the same way.
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = setup.saved() => {}
                }
            }
        }
    }
    shutdown.cancelled().await;
    tracker.close();
    stopped(&tracker).await;
    Ok(())
}

/// Tells the person who started it where the setup page is. The code is told here and nowhere else.
async fn greet(address: SocketAddr, setup: &Setup, code: &str) -> anyhow::Result<()> {
    let host = match address {
        address if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        address => address.to_string(),
    };
    say(&if setup.has_administrator().await? {
        format!(
            "no cluster is set up yet: open http://{host}/setup and log in as the administrator"
        )
    } else {
        format!(
            "nothing is set up yet: open http://{host}/setup?code={code} (whoever has this code can set it up)"
        )
    });
    say(&format!("Proximity listens on http://{address}"));
    Ok(())
}

/// What was saved, here or by another replica.
async fn answered(setup: &Setup) -> Answers {
    let mut looks = time::interval(LOOK);
    loop {
        tokio::select! {
            () = setup.saved() => {}
            _ = looks.tick() => {}
        }
        match setup.answers().await {
            Ok(Some(answers)) => return answers,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the database cannot be asked for the setup"),
        }
    }
}

async fn begin(
    source: &Source,
    answers: &Answers,
    store: &Store,
) -> anyhow::Result<(control::Control, Settings)> {
    let settings = Settings::read(&source.with_saved(answers))?;
    let secrets = key(&settings, store).await?;
    let control = assemble(&settings, store.clone(), secrets)?;
    control.first_administrator(None).await?;
    Ok((control, settings))
}

/// Clients and settings of answers, by the same reading that the environment gets.
fn configured(source: &Source, answers: &Answers) -> Result<Configured, WrongAnswer> {
    let settings = Settings::read(&source.with_saved(answers)).map_err(|wrong| WrongAnswer {
        name: wrong.name().to_owned(),
        problem: wrong.problem().to_owned(),
    })?;
    let cluster = proxmox::Client::new(settings.proxmox).map_err(|error| WrongAnswer {
        name: "PROXMOX_HOST".to_owned(),
        problem: format!("cannot be used: {error}"),
    })?;
    Ok(Configured {
        cluster,
        pool: ssh::Pool::new(settings.ssh),
        targets: settings.targets,
        settings: settings.control,
    })
}
