//! `proximity serve`: the service.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use catalog::Catalog;
use control::{Control, Parts, SecretKey};
use secrecy::ExposeSecret;
use store::{Store, SystemClock};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    builtin, first_run, logging, say,
    settings::{Settings, Storage},
    stop,
};

/// Longest time from being asked to stop to being gone, but for the moment that the runtime takes.
const STOP: Duration = Duration::from_secs(8);

/// The service as the environment says; the setup, while nobody has said where the cluster is.
pub(crate) async fn command() -> anyhow::Result<()> {
    let source = crate::source()?;
    logging::begin(&source)?;
    let tracker = TaskTracker::new();
    let shutdown = stop::on_signal(&tracker)?;
    if source.has("PROXMOX_HOST") {
        return go_on(Settings::read(&source)?, shutdown).await;
    }
    let storage = Storage::read(&source);
    let store = open(&storage.data_dir, &storage.database_url).await?;
    let secrets = SecretKey::from_file(&storage.secret_key_file)?;
    match control::saved_cluster(&store, &secrets).await? {
        Some(saved) => {
            store.close().await?;
            go_on(Settings::read(&source.with_saved(&saved))?, shutdown).await
        }
        None => first_run::run(source, &storage, store, shutdown).await,
    }
}

async fn go_on(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let options = server::Options {
        proxies: settings.proxies.clone(),
        ..server::Options::default()
    };
    let service = Service::start(settings, options, shutdown).await?;
    service.greet();
    service.wait().await
}

/// `proximity migrate`: only the database.
pub(crate) async fn migrate() -> anyhow::Result<()> {
    let source = crate::source()?;
    logging::begin(&source)?;
    let storage = Storage::read(&source);
    let store = open(&storage.data_dir, &storage.database_url).await?;
    store.close().await?;
    say("the database is up to date");
    Ok(())
}

/// A running service.
pub(crate) struct Service {
    address: SocketAddr,
    control: Control,
    /// The first administrator's password, where it was made up just now.
    made_up: Option<String>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Service {
    /// Starts everything; on an error nothing is left running.
    pub(crate) async fn start(
        settings: Settings,
        options: server::Options,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let store = open(&settings.data_dir, &settings.database_url).await?;
        let secrets = key(&settings, &store).await?;
        let control = assemble(&settings, store, secrets)?;
        let password = settings
            .admin_password
            .as_ref()
            .map(ExposeSecret::expose_secret);
        let made_up = control
            .first_administrator(password)
            .await
            .context("the first administrator cannot be made")?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {} (PROXIMITY_LISTEN)", settings.listen))?;
        let address = listener.local_addr()?;
        let tracker = TaskTracker::new();
        work(&tracker, &control, &shutdown);
        let (router, stopping) = (server::router(control.clone(), options), shutdown.clone());
        tracker.spawn(async move {
            if let Err(error) = server::serve(listener, router, stopping.clone()).await {
                tracing::error!(%error, "the server stopped");
                stopping.cancel();
            }
        });
        tracker.close();
        Ok(Self {
            address,
            control,
            made_up,
            tracker,
            shutdown,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The application.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Tells the person who started it where it is and how to get in.
    pub(crate) fn greet(&self) {
        say(&format!("Proximity listens on http://{}", self.address));
        if let Some(password) = &self.made_up {
            say(&format!(
                "log in as admin with the password {password} (shown this once)"
            ));
        }
    }

    /// The first administrator's password, where it was made up just now.
    pub(crate) fn made_up_password(&self) -> Option<&str> {
        self.made_up.as_deref()
    }

    /// Waits until it was asked to stop and has stopped.
    pub(crate) async fn wait(self) -> anyhow::Result<()> {
        self.shutdown.cancelled().await;
        stopped(&self.tracker).await;
        Ok(())
    }
}

/// Waits until everything has stopped, and not longer than [`STOP`]: what has not let go by then is taken over from its
/// lease, as after a crash.
pub(crate) async fn stopped(tracker: &TaskTracker) {
    if timeout(STOP, tracker.wait()).await.is_err() {
        tracing::warn!("not everything stopped in time; leases that are left run out");
    }
}

/// Begins what the application does by itself.
pub(crate) fn work(tracker: &TaskTracker, control: &Control, shutdown: &CancellationToken) {
    let holder = format!("{}-{}", hostname(), std::process::id());
    let (worker, stopping) = (control.clone(), shutdown.clone());
    let (tidier, named, until) = (control.clone(), holder.clone(), shutdown.clone());
    tracker.spawn(async move { worker.work(&holder, stopping).await });
    tracker.spawn(async move { tidier.tidy(&named, until).await });
}

/// Opens and migrates the database; its folder is made where it is missing.
async fn open(data_dir: &Path, url: &str) -> anyhow::Result<Store> {
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("the data folder {} cannot be made", data_dir.display()))?;
    let store = Store::connect(url, Arc::new(SystemClock))
        .await
        .map_err(|error| named(error, "the database cannot be opened (DATABASE_URL)"))?;
    store
        .migrate()
        .await
        .map_err(|error| named(error, "the database cannot be brought up to date"))?;
    store
        .prove_writable()
        .await
        .map_err(|error| named(error, "the database cannot be written"))?;
    Ok(store)
}

/// Says what failed, unless the error is a sentence that says it already.
fn named(error: store::Error, what: &'static str) -> anyhow::Error {
    let says_all = matches!(
        error,
        store::Error::Unusable(_) | store::Error::Newer { .. }
    );
    let error = anyhow::Error::from(error);
    if says_all { error } else { error.context(what) }
}

/// The key under which this database's secrets are sealed: all replicas have the same, or they could not open what
/// another has sealed.
pub(crate) async fn key(settings: &Settings, store: &Store) -> anyhow::Result<SecretKey> {
    let key = SecretKey::from_file(&settings.secret_key_file)?;
    let known = store.settings().set_once("secret_key", &key.id()).await?;
    anyhow::ensure!(
        known == key.id(),
        "the key file {} holds another key than the one that this database was begun with; put that file there, or name it in \
         PROXIMITY_SECRET_KEY_FILE (every replica needs the same)",
        settings.secret_key_file.display()
    );
    Ok(key)
}

/// The application with all that it is made of.
pub(crate) fn assemble(
    settings: &Settings,
    store: Store,
    secrets: SecretKey,
) -> anyhow::Result<Control> {
    let cluster =
        proxmox::Client::new(settings.proxmox.clone()).context("the Proxmox API cannot be used")?;
    let catalog = match &settings.catalog_dir {
        Some(path) => Catalog::from_dir(path)
            .with_context(|| format!("the catalog {} cannot be read", path.display()))?,
        None => builtin::catalog()?,
    };
    for problem in catalog.problems() {
        let first = problem
            .findings
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::warn!(
            entry = problem.entry,
            "the catalog entry {} is left out: {first}",
            problem.entry
        );
    }
    Ok(Control::new(Parts {
        store,
        cluster,
        pool: ssh::Pool::new(settings.ssh.clone()),
        targets: settings.targets.clone(),
        catalog,
        secrets,
        settings: settings.control.clone(),
    }))
}

/// Names this process among replicas, for people who read leases and logs.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "proximity".to_owned(), |name| name.trim().to_owned())
}
