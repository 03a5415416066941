//! `proximity demo`: the service with a simulated cluster inside, to try everything without Proxmox.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use api::{Deploy, Network, Resources};
use clap::Args;
use control::{Asked, Control, OperationQuery, Principal};
use sim::{Cluster, Options};
use tokio_util::task::TaskTracker;

use crate::{
    logging, say,
    serve::Service,
    settings::{Settings, Source},
    simulate::Pace,
    stop,
};

/// What a demo is started with.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder that keeps the database; a throw-away one, when absent
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How long things take
    #[arg(long, value_enum, default_value_t = Pace::Realistic)]
    pace: Pace,
    /// Number of simulated nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    nodes: u8,
    /// Apps that a fresh demo installs by itself; `status=uptime-kuma,notes=memos`, or none at the instant pace, when
    /// absent
    #[arg(long, value_name = "NAME=ID", value_delimiter = ',', value_parser = FirstApp::read)]
    apps: Option<Vec<FirstApp>>,
    /// Begin without any app
    #[arg(long, conflicts_with = "apps")]
    empty: bool,
    /// Where the service listens; `PROXIMITY_LISTEN` or 0.0.0.0:8765, when absent
    #[arg(long)]
    listen: Option<SocketAddr>,
}

/// An app that a fresh demo installs.
#[derive(Clone, Debug)]
struct FirstApp {
    name: String,
    catalog_id: String,
}

impl FirstApp {
    fn read(text: &str) -> Result<Self, String> {
        let (name, catalog_id) = text
            .split_once('=')
            .filter(|(name, id)| !name.is_empty() && !id.is_empty())
            .ok_or_else(|| format!("`{text}` is no NAME=ID, as in `notes=memos`"))?;
        Ok(Self {
            name: name.to_owned(),
            catalog_id: catalog_id.to_owned(),
        })
    }
}

impl Arguments {
    /// What a fresh demo begins with. The names leave those of the catalog free for whoever tries it.
    fn first_apps(&self) -> Vec<FirstApp> {
        let usual = || {
            [("status", "uptime-kuma"), ("notes", "memos")].map(|(name, id)| FirstApp {
                name: name.to_owned(),
                catalog_id: id.to_owned(),
            })
        };
        match &self.apps {
            Some(apps) => apps.clone(),
            None if self.empty || self.pace == Pace::Instant => Vec::new(),
            None => usual().to_vec(),
        }
    }
}

/// Runs until a signal.
pub(crate) async fn command(arguments: Arguments) -> anyhow::Result<()> {
    let source = crate::source()?;
    logging::begin_quietly(&source)?;
    let tracker = TaskTracker::new();
    let shutdown = stop::on_signal(&tracker)?;
    let throw_away = tempfile::tempdir().context("no folder for the demo's data can be made")?;
    let data = arguments
        .data
        .clone()
        .unwrap_or_else(|| throw_away.path().to_owned());
    let cluster = Options {
        pace: arguments.pace.into(),
        ..Options::default()
    }
    .alive(arguments.nodes.into());
    let cluster = Cluster::start(cluster)
        .await
        .context("the simulated cluster cannot start")?;
    let settings = settings(&source, &arguments, &cluster, &data)?;
    let given = settings.admin_password.is_some();
    let options = server::Options {
        simulation: true,
        ..server::Options::default()
    };
    let service = Service::start(settings, options, shutdown.clone()).await?;
    let orphans = orphans(service.control()).await?;
    begin(service.control(), arguments.first_apps()).await?;
    greet(&service, arguments.nodes, given);
    if orphans > 0 {
        say(&format!(
            "\n{orphans} kept apps are from an earlier demo. The simulated cluster is new at each start, so their \
             containers are gone: delete these apps, or begin with another folder."
        ));
    }
    service.wait().await?;
    cluster.shutdown().await;
    Ok(())
}

/// Apps of an earlier demo on the same data: their containers were in a cluster that is no more.
async fn orphans(control: &Control) -> anyhow::Result<usize> {
    let apps = control.apps(None, Some(100)).await?;
    Ok(apps.items.iter().filter(|app| app.vmid.is_some()).count())
}

/// Asks for the first apps where nothing was ever done; the worker installs them while people look on.
async fn begin(control: &Control, apps: Vec<FirstApp>) -> anyhow::Result<()> {
    let one = OperationQuery {
        limit: Some(1),
        ..OperationQuery::default()
    };
    if apps.is_empty() || !control.operations(one).await?.items.is_empty() {
        return Ok(());
    }
    for app in apps {
        let asked = Asked {
            who: Principal::program("demo"),
            request_id: format!("demo-{}", app.name),
            idempotency_key: None,
        };
        let FirstApp { name, catalog_id } = app;
        let wish = Deploy {
            catalog_id,
            name: Some(name.clone()),
            parameters: serde_json::Map::new(),
            node: None,
            resources: Resources::default(),
            network: Network::default(),
        };
        control
            .deploy(&asked, wish)
            .await
            .with_context(|| format!("the demo cannot install `{name}` (--apps)"))?;
    }
    Ok(())
}

/// What a person may still choose.
const KEPT: &[&str] = &[
    "PROXIMITY_LISTEN",
    "PROXIMITY_CATALOG_DIR",
    "PROXIMITY_ADMIN_PASSWORD",
];

/// The person's own settings, but for the cluster, which is the simulated one.
fn settings(
    source: &Source,
    arguments: &Arguments,
    cluster: &sim::Running,
    data: &Path,
) -> anyhow::Result<Settings> {
    let simulated = [
        ("PROXMOX_HOST", cluster.api.ip().to_string()),
        ("PROXMOX_PORT", cluster.api.port().to_string()),
        ("PROXMOX_USER", cluster.user.clone()),
        ("PROXMOX_PASSWORD", cluster.password.clone()),
        ("PROXMOX_FINGERPRINT", cluster.fingerprint.clone()),
        ("PROXMOX_SSH_HOSTS", cluster.ssh_hosts.clone()),
        ("PROXMOX_SSH_HOST_KEYS", cluster.ssh_host_keys.clone()),
        ("PROXIMITY_DATA_DIR", data.display().to_string()),
    ];
    let environment = source
        .given(KEPT)
        .chain(simulated.map(|(name, value)| (name.to_owned(), value)))
        .chain(
            arguments
                .listen
                .map(|listen| ("PROXIMITY_LISTEN".to_owned(), listen.to_string())),
        );
    Ok(Settings::read(&Source::new(environment, None)?)?)
}

fn greet(service: &Service, nodes: u8, given: bool) {
    let mut address = service.address();
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    say(&format!(
        "Proximity demo: a simulated cluster of {nodes} nodes, nothing real happens"
    ));
    say(&format!("  address   http://{address}"));
    match service.made_up_password() {
        Some(password) => say(&format!("  login     admin / {password}")),
        None if given => say("  login     admin, with PROXIMITY_ADMIN_PASSWORD"),
        None => say("  login     admin, with the password of the first start"),
    }
    say("  apps      their addresses (127.…) open in a browser on this machine only");
    say("");
    say(&format!(
        "  proximity login --url http://{address} --username admin --password-stdin"
    ));
    say("  proximity catalog");
    say("  proximity deploy uptime-kuma --wait");
}
