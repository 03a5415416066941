//! A town of its own for the cases: a simulated cluster, a database, and the application inside this process,
//! which can be killed at any write of its journal.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use api::{Adopt, AppId, AppState, Operation, OperationId, OperationKind, OperationStatus};
use catalog::Catalog;
use control::{
    Asked, Control, Moment, Parts, Probe, SecretKey, Settings, SshTargets, Timeouts, Write,
};
use futures::FutureExt as _;
use saga::Outcome;
use secrecy::SecretString;
use serde_json::{Value, json};
use sim::{
    Cluster, Options, Running, Templates,
    control::{NodeChange, StorageChange},
    faults::Rule,
};
use store::{Store, SystemClock};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{form::Form, loss::Loss};

/// What nobody may ever see: the value of a parameter that is a secret.
pub(super) const SECRET: &str = "kept-from-everybody-4711-0815-2342";
/// The app that is deployed, started, stopped and deleted.
pub(super) const APP: &str = "vaultwarden";
/// Longest time for a request to the cluster: what hangs, hangs so long.
const REQUEST: Duration = Duration::from_millis(2500);
/// By how much limits are shortened.
const HASTE: u32 = 40;

/// A write of the journal that waits until it may go on.
pub(super) struct Reached {
    /// Which, and whether before or after it.
    pub(super) moment: Moment,
    /// Lets it go on. Dropped, the driver stays where it is, for ever.
    pub(super) go: oneshot::Sender<()>,
}

/// How the town's cluster is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// `root@pam` by password: tickets, and every feature set over REST.
    Password,
    /// An API token: some features are set on the node.
    Token,
}

/// A cluster, a database and a process.
pub(super) struct Town {
    pub(super) cluster: Running,
    data: TempDir,
    pub(super) database: PathBuf,
    /// What a lost database has left behind, where one was lost.
    pub(super) loss: Option<Loss>,
    identity: Identity,
    catalog: Catalog,
    process: Option<Process>,
    reached: mpsc::UnboundedReceiver<Reached>,
    looks: mpsc::UnboundedSender<Reached>,
    asked: Option<Asked>,
    /// Processes that were begun so far.
    pub(super) begun: u32,
}

/// What a process holds in memory; gone when it is killed.
struct Process {
    control: Control,
    store: Store,
    work: JoinSet<()>,
}

impl Town {
    /// Two nodes, somebody else's guests, one app of ours that stays as it is.
    pub(super) async fn new(identity: Identity) -> Self {
        // ring everywhere: see the workspace manifest.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut options = Options::default().nodes(2);
        options.templates = Templates::Nowhere;
        let cluster = Cluster::start(options).await.expect("the cluster starts");
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let (looks, reached) = mpsc::unbounded_channel();
        let data = tempfile::tempdir().expect("a folder");
        let mut town = Self {
            cluster,
            database: data.path().join("proximity.db"),
            data,
            loss: None,
            identity,
            catalog: Catalog::from_dir(&path).expect("the catalog is whole"),
            process: None,
            reached,
            looks,
            asked: None,
            begun: 0,
        };
        town.begin().await;
        town.introduce().await;
        for _ in 0..TRIES {
            let ended = town.calmly(OperationKind::Deploy, Some("bystander")).await;
            if ended.status == OperationStatus::Completed {
                return town;
            }
        }
        panic!("no app can be deployed without a fault");
    }

    /// An administrator, who asks for everything.
    async fn introduce(&mut self) {
        let password = "correct horse battery staple";
        let control = self.control();
        let known = control.first_administrator(Some(password)).await;
        known.expect("an administrator");
        let login = json!({"username": "admin", "password": password});
        let login = serde_json::from_value(login).expect("a login");
        let logged = control
            .login(login, std::net::Ipv4Addr::LOCALHOST.into())
            .await
            .expect("logged in");
        let shown = control::Credential::Session {
            cookie: &logged.cookie,
            csrf: None,
            is_write: false,
        };
        let who = control.authenticate(shown).await.expect("known");
        self.asked = Some(Asked {
            who,
            request_id: "matrix".to_owned(),
            idempotency_key: None,
        });
    }

    /// Begins a process: all that it knows is in the database.
    pub(super) async fn begin(&mut self) {
        assert!(self.process.is_none(), "there is one");
        let clock = Arc::new(SystemClock);
        let store = Store::open(&self.database, clock)
            .await
            .expect("a database");
        if self.begun == 0 {
            store.migrate().await.expect("a schema");
        }
        self.begun += 1;
        let looks = self.looks.clone();
        let probe = Probe::new(move |moment| {
            let looks = looks.clone();
            async move {
                let (go, gone) = oneshot::channel();
                let _ = looks.send(Reached { moment, go });
                if gone.await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            .boxed()
        });
        let control = Control::probed(self.parts(store.clone()), probe);
        let mut work = JoinSet::new();
        let (worker, holder) = (control.clone(), format!("process {}", self.begun));
        work.spawn(async move { worker.work(&holder, CancellationToken::new()).await });
        self.process = Some(Process {
            control,
            store,
            work,
        });
    }

    pub(super) fn folder(&self) -> &Path {
        self.data.path()
    }

    fn parts(&self, store: Store) -> Parts {
        let cluster = &self.cluster;
        let secret = |text: &str| SecretString::from(text.to_owned());
        let auth = match self.identity {
            Identity::Password => proxmox::Auth::Password {
                user: cluster.user.clone(),
                password: secret(&cluster.password),
            },
            Identity::Token => proxmox::Auth::Token {
                id: cluster.token_id.clone(),
                secret: secret(&cluster.token_secret),
            },
        };
        let config = proxmox::Config {
            hosts: vec![cluster.api.to_string().parse().expect("a host")],
            auth,
            trust: proxmox::Trust::Fingerprints(vec![cluster.fingerprint.parse().expect("one")]),
            timeout: REQUEST,
        };
        let key = self.data.path().join("secret.key");
        let mut ssh = ssh::Settings::new("root", ssh::Auth::Password(secret(&cluster.password)));
        ssh.connect_timeout = Duration::from_secs(5);
        Parts {
            store,
            cluster: proxmox::Client::new(config).expect("a client"),
            pool: ssh::Pool::new(ssh),
            targets: targets(cluster),
            catalog: self.catalog.clone(),
            secrets: SecretKey::from_file(&key).expect("a key"),
            settings: settings(),
        }
    }

    /// Ends the process where it stands.
    pub(super) async fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        process.work.abort_all();
        while process.work.join_next().await.is_some() {}
        drop(process);
        // Whatever it was about to do, it does not.
        while let Ok(reached) = self.reached.try_recv() {
            drop(reached);
        }
    }

    pub(super) fn control(&self) -> &Control {
        &self.process.as_ref().expect("a process").control
    }

    pub(super) fn store(&self) -> &Store {
        &self.process.as_ref().expect("a process").store
    }

    pub(super) fn asked(&self) -> &Asked {
        self.asked.as_ref().expect("somebody asks")
    }

    /// The next write of a journal.
    pub(super) async fn reached(&mut self) -> Reached {
        self.reached.recv().await.expect("the town holds a sender")
    }

    /// Asks for an operation.
    pub(super) async fn ask(&self, kind: OperationKind, name: Option<&str>) -> Operation {
        let (control, asked) = (self.control(), self.asked());
        let name = name.unwrap_or(APP);
        match kind {
            OperationKind::Deploy => {
                let wish = json!({
                    "catalog_id": APP, "name": name, "parameters": {"ADMIN_TOKEN": SECRET},
                });
                let wish = serde_json::from_value(wish).expect("a wish");
                let begun = control.deploy(asked, wish).await;
                begun.expect("it may be deployed").operation
            }
            OperationKind::Adopt => {
                let vmid = self.loss.as_ref().expect("something was lost").vmid;
                let begun = control.adopt(asked, vmid, Adopt { node: None }).await;
                begun.expect("it may be adopted").operation
            }
            kind => control
                .start_operation(asked, name, kind)
                .await
                .expect("it may be begun"),
        }
    }

    /// Runs an operation without any fault to its end.
    async fn calmly(&mut self, kind: OperationKind, name: Option<&str>) -> Operation {
        let begun = self.ask(kind, name).await;
        for _ in 0..TRIES {
            if !self.ends_stuck().await {
                break;
            }
            let (control, asked) = (self.control().clone(), self.asked().clone());
            let retried = control.retry(&asked, begun.id).await;
            retried.expect("what is stuck may be retried");
        }
        self.operation(begun.id).await
    }

    /// Lets everything be written until an operation rests; whether it is stuck.
    async fn ends_stuck(&mut self) -> bool {
        loop {
            let reached = tokio::time::timeout(PATIENCE, self.reached()).await;
            let Reached { moment, go } = reached.expect("it goes on");
            let _ = go.send(());
            if let (Write::End(outcome), true) = (moment.write, moment.is_written) {
                return matches!(outcome, Outcome::Stuck { .. });
            }
        }
    }

    /// Has the app as an operation of this kind expects it.
    pub(super) async fn prepare(&mut self, kind: OperationKind) {
        if kind == OperationKind::Adopt {
            self.forget_app().await;
        } else {
            self.prepare_app(kind).await;
        }
    }

    pub(super) async fn prepare_app(&mut self, kind: OperationKind) {
        use OperationKind::{Delete, Deploy, Start, Stop};
        let wanted = match kind {
            OperationKind::Deploy | OperationKind::Adopt => None,
            OperationKind::Start => Some(AppState::Stopped),
            OperationKind::Stop | OperationKind::Restart | OperationKind::Delete => {
                Some(AppState::Running)
            }
        };
        let mut told = Vec::new();
        loop {
            let now = self.app().await.map(|(_, state)| state);
            let step = match (now, wanted) {
                (now, wanted) if now == wanted => break,
                (Some(_), None) => Delete,
                (None, _) => Deploy,
                (_, Some(AppState::Stopped)) => Stop,
                _ => Start,
            };
            // On a busy machine what is only slow may have run into a limit.
            told.push(self.calmly(step, None).await);
            assert!(told.len() < TRIES, "without a fault: {told:#?}");
        }
        if kind == OperationKind::Deploy {
            self.forget_templates().await;
        }
    }

    /// The app that the cases are about, while it is installed.
    pub(super) async fn app(&self) -> Option<(AppId, AppState)> {
        let app = self.control().app(APP).await.ok()?;
        (app.state != AppState::Deleted).then_some((app.id, app.state))
    }

    /// The node of the app that the cases are about; the first one, while none is chosen.
    pub(super) async fn node(&self) -> String {
        let app = self.control().app(APP).await.ok();
        let chosen = app.and_then(|app| app.node);
        let left = || self.loss.as_ref().map(|loss| loss.node.clone());
        chosen
            .or_else(left)
            .unwrap_or_else(|| self.cluster.nodes()[0].0.clone())
    }

    pub(super) async fn operation(&self, id: OperationId) -> Operation {
        let found = self.control().operation(id).await;
        found.expect("there is such an operation")
    }

    /// Every deployment fetches its template anew.
    async fn forget_templates(&self) {
        let storage = StorageChange {
            without_templates: true,
            ..StorageChange::default()
        };
        let storages: BTreeMap<String, StorageChange> = ["local", "nfs"]
            .map(|name| (name.to_owned(), storage.clone()))
            .into();
        self.change_nodes(&NodeChange {
            storages,
            ..NodeChange::default()
        })
        .await;
    }

    async fn change_nodes(&self, change: &NodeChange) {
        for (node, _) in self.cluster.nodes() {
            let changed = self.cluster.change_node(&node, change).await;
            changed.expect("there is such a node");
        }
    }

    /// These rules from now on, and no other.
    pub(super) fn harm(&self, rules: Vec<Rule>) {
        self.cluster.set_faults(rules).expect("they mean something");
    }

    /// Takes a node away.
    pub(super) async fn take_offline(&self, node: &str) {
        let change = NodeChange {
            online: Some(false),
            ..NodeChange::default()
        };
        let changed = self.cluster.change_node(node, &change).await;
        changed.expect("there is such a node");
    }

    /// Nothing goes wrong any more, and all nodes are there.
    pub(super) async fn heal(&self) {
        self.harm(Vec::new());
        self.change_nodes(&NodeChange {
            online: Some(true),
            ..NodeChange::default()
        })
        .await;
    }

    /// The cluster as it stands once all its tasks have ended.
    pub(super) async fn form(&self) -> Result<Form, String> {
        tokio::time::timeout(Duration::from_secs(20), self.cluster.settled())
            .await
            .map_err(|_| "a task of the cluster does not end".to_owned())?;
        Ok(Form::of(&self.cluster.state().await))
    }

    /// Every event of an operation, as people see them.
    pub(super) async fn events(&self, operation: OperationId) -> Vec<Value> {
        let events = self.control().events(Some(operation), Some(0), 1000).await;
        let events = events.expect("events");
        events.iter().map(|event| json!(event)).collect()
    }

    /// Stops everything.
    pub(super) async fn end(mut self) {
        self.kill().await;
        self.cluster.shutdown().await;
    }
}

/// How often it is tried to have the app as it must be.
const TRIES: usize = 8;

/// Longest time between two writes of a journal.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

fn settings() -> Settings {
    Settings {
        timeouts: Timeouts {
            address: Duration::from_secs(6),
            docker_install: Duration::from_secs(15),
            image_pull: Duration::from_secs(8),
            service_start: Duration::from_secs(8),
        },
        haste: HASTE,
        ..Settings::default()
    }
}

fn targets(cluster: &Running) -> SshTargets {
    let pairs = |text: &str| -> Vec<(String, String)> {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(node, value)| (node.to_owned(), value.to_owned()))
            .collect()
    };
    let address = |text: &str| {
        let (host, port) = text.rsplit_once(':').expect("host:port");
        (host.to_owned(), port.parse().expect("a port"))
    };
    SshTargets {
        hosts: pairs(&cluster.ssh_hosts)
            .into_iter()
            .map(|(node, text)| (node, address(&text)))
            .collect(),
        single_host: cluster.api.ip().to_string(),
        port: 22,
        keys: pairs(&cluster.ssh_host_keys)
            .into_iter()
            .map(|(node, key)| (node, key.parse().expect("a key")))
            .collect(),
        connect_timeout: Duration::from_secs(5),
    }
}
