//! What a world is made of, and how it comes to be.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;
use sim::{Cluster, GuestsKind, Options, Running, SshServers, Templates};

use super::{Cable, PASSWORD, Postgres, Service, World, break_things};
use crate::lab::Lab;

/// Names and values, as the program's environment has them.
type Settings = Vec<(String, String)>;

/// What stays where nobody says anything. The nodes' SSH servers are at ports of their own, which no cluster tells.
const UNSET: [&str; 4] = [
    "PROXIMITY_LISTEN",
    "PROXIMITY_LOG",
    "PROXMOX_SSH_HOSTS",
    "PROXMOX_SSH_HOST_KEYS",
];

/// What a world is made of.
pub(crate) struct Builder {
    options: Options,
    settings: Vec<(String, String)>,
    catalog: Option<PathBuf>,
    /// API token that the program uses instead of a password.
    token: Option<String>,
    lab: bool,
    /// Whether nobody tells the program where the cluster is.
    unset: bool,
    replicas: usize,
    is_on_postgres: bool,
    faults: Vec<Value>,
}

impl Builder {
    /// So many nodes, which differ a little.
    pub(crate) fn nodes(mut self, count: usize) -> Self {
        self.options = self.options.nodes(count);
        self
    }

    /// Where the newest template is at the start.
    pub(crate) fn templates(mut self, templates: Templates) -> Self {
        self.options.templates = templates;
        self
    }

    /// A setting of the program.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// A catalog of the test's own.
    pub(crate) fn catalog(mut self, path: PathBuf) -> Self {
        self.catalog = Some(path);
        self
    }

    /// Real containers on this machine, and the lab's own catalog.
    pub(crate) fn lab(mut self) -> Self {
        self.lab = true;
        self.catalog(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lab/catalog"))
    }

    /// Nobody tells the program where the cluster is, nor the administrator's password.
    pub(crate) fn unset(mut self) -> Self {
        self.unset = true;
        self
    }

    /// The program uses an API token that may deploy instead of a password.
    pub(crate) fn by_token(self) -> Self {
        self.by_token_of("root@pam!proximity")
    }

    /// The program uses this API token of the cluster instead of a password.
    pub(crate) fn by_token_of(mut self, id: &str) -> Self {
        self.token = Some(id.to_owned());
        self
    }

    /// One thing goes wrong from before the program's first question on.
    pub(crate) fn fault(mut self, rule: Value) -> Self {
        self.faults.push(rule);
        self
    }

    /// So many replicas on one PostgreSQL, which must be installed.
    pub(crate) fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self.is_on_postgres = true;
        self
    }

    /// Starts cluster and program, and waits until both answer.
    pub(crate) async fn start(mut self) -> World {
        // ring everywhere: see the workspace manifest.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().expect("a folder");
        let lab = self.lab.then(Lab::up);
        if let Some(lab) = &lab {
            self.options.guests = GuestsKind::Custom(lab.guests.clone());
            self.options.ssh = SshServers::Elsewhere;
        }
        let options = std::mem::take(&mut self.options);
        let cluster = Cluster::start(options).await.expect("the cluster starts");
        break_things(&cluster, std::mem::take(&mut self.faults));
        let mut settings = own();
        settings.extend(of_cluster(&cluster, self.token.as_deref()));
        settings.extend(match &lab {
            Some(lab) => of_lab(lab, &cluster).await,
            None => of_ssh(&cluster),
        });
        settings.extend(self.catalog.iter().map(|catalog| {
            let folder = catalog.display().to_string();
            ("PROXIMITY_CATALOG_DIR", folder)
        }));
        if self.unset {
            settings.retain(|(name, _)| UNSET.contains(name));
        }
        let mut settings: Settings = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        settings.append(&mut self.settings);
        let mut world = World {
            cluster: Some(cluster),
            services: Vec::new(),
            cables: Vec::new(),
            postgres: None,
            neighbours: BTreeSet::new(),
            lab,
            data,
            ended: false,
        };
        if self.is_on_postgres {
            world.postgres = Some(Postgres::start().await);
        }
        for number in 0..self.replicas {
            world.add(number, settings.clone()).await;
        }
        let there = world.containers().await;
        world.neighbours = there.into_iter().map(|(vmid, _)| vmid).collect();
        world
    }
}

impl World {
    /// One node, instant pace, the built-in catalog.
    #[expect(
        clippy::new_ret_no_self,
        reason = "reads as the sentence that a test is"
    )]
    pub(crate) fn new() -> Builder {
        Builder {
            options: Options::default(),
            settings: Vec::new(),
            catalog: None,
            token: None,
            lab: false,
            unset: false,
            replicas: 1,
            is_on_postgres: false,
            faults: Vec::new(),
        }
    }

    /// One more replica of the program.
    async fn add(&mut self, number: usize, mut settings: Settings) {
        let folder = self.data.path().join(format!("replica-{number}"));
        std::fs::create_dir(&folder).expect("a folder");
        let mut set = |name: &str, value: String| settings.push((name.to_owned(), value));
        set("PROXIMITY_DATA_DIR", folder.display().to_string());
        if let Some(postgres) = &self.postgres {
            let key = self.data.path().join("secret.key");
            set("PROXIMITY_SECRET_KEY_FILE", key.display().to_string());
            let cable = Cable::to(postgres.folder().join(".s.PGSQL.5432")).await;
            let url = format!("postgres://postgres@{}/postgres", cable.address());
            set("DATABASE_URL", url);
            self.cables.push(cable);
        }
        self.services.push(Service::start(&folder, settings).await);
    }
}

/// What is set in every world.
fn own() -> Vec<(&'static str, String)> {
    [
        ("PROXIMITY_LISTEN", "127.0.0.1:0"),
        ("PROXIMITY_ADMIN_PASSWORD", PASSWORD),
        // Faults are counted: nobody but the test itself may meet them.
        ("PROXIMITY_RECONCILE_INTERVAL", "off"),
        ("PROXIMITY_LOG", "info,server=warn,control=debug"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// Where the cluster is, and who one is there.
fn of_cluster(cluster: &Running, token: Option<&str>) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("PROXMOX_HOST", cluster.api.ip().to_string()),
        ("PROXMOX_PORT", cluster.api.port().to_string()),
        ("PROXMOX_FINGERPRINT", cluster.fingerprint.clone()),
    ];
    if let Some(id) = token {
        settings.push(("PROXMOX_TOKEN_SECRET", cluster.token_secret_of(id)));
        settings.push(("PROXMOX_TOKEN_ID", id.to_owned()));
    } else {
        settings.push(("PROXMOX_PASSWORD", cluster.password.clone()));
    }
    settings
}

/// The simulated nodes' own SSH servers.
fn of_ssh(cluster: &Running) -> Vec<(&'static str, String)> {
    vec![
        ("PROXMOX_SSH_HOSTS", cluster.ssh_hosts.clone()),
        ("PROXMOX_SSH_HOST_KEYS", cluster.ssh_host_keys.clone()),
        ("PROXMOX_SSH_PASSWORD", cluster.password.clone()),
    ]
}

/// The lab's real ones, whose `pct` learns where the API is.
async fn of_lab(lab: &Lab, cluster: &Running) -> Vec<(&'static str, String)> {
    let announced = lab.guests.announce(cluster.api).await;
    announced.expect("the nodes' pct learns where the API is");
    let lab = lab.guests.lab();
    vec![
        ("PROXMOX_SSH_HOSTS", lab.ssh_hosts.clone()),
        ("PROXMOX_SSH_HOST_KEYS", lab.ssh_host_keys.clone()),
        (
            "PROXMOX_SSH_KEY_FILE",
            lab.ssh_key_file.display().to_string(),
        ),
    ]
}
