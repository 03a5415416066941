//! The handle to one simulated cluster: its model, its guests, its faults and what runs in the background.
//!
//! Cheap to clone; the REST server, the SSH server, `pct` and every task hold one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::faults::Faults;
use crate::guests::Guests;
use crate::model::Model;
use crate::model::container::Container;
use crate::options::{ErrorStyle, Options};
use crate::pace::Pace;

/// A simulated cluster.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    model: Mutex<Model>,
    guests: Arc<dyn Guests>,
    faults: Arc<Faults>,
    pace: Pace,
    error_style: ErrorStyle,
    password: String,
    fingerprint: String,
    tracker: TaskTracker,
    shutdown: CancellationToken,
    /// Calls whose callers have gone and that are still to be carried out.
    late: watch::Sender<usize>,
    /// The lock files of the containers' configurations.
    config_files: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster that nobody can reach yet.
    pub(crate) fn new(
        options: &Options,
        password: String,
        fingerprint: String,
        guests: Arc<dyn Guests>,
        faults: Arc<Faults>,
    ) -> Self {
        let inner = Inner {
            model: Mutex::new(Model::new(options, &password)),
            guests,
            faults,
            pace: options.pace,
            error_style: options.error_style,
            password,
            fingerprint,
            tracker: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            late: watch::Sender::new(0),
            config_files: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.inner
            .model
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the containers are made of.
    pub fn guests(&self) -> Arc<dyn Guests> {
        Arc::clone(&self.inner.guests)
    }

    /// What goes wrong.
    pub fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.inner.faults)
    }

    /// How long things take.
    pub fn pace(&self) -> Pace {
        self.inner.pace
    }

    pub(crate) fn error_style(&self) -> ErrorStyle {
        self.inner.error_style
    }

    /// Password of `root` on every node.
    pub fn password(&self) -> &str {
        &self.inner.password
    }

    /// SHA-256 fingerprint of the certificate that the REST API shows.
    pub fn fingerprint(&self) -> &str {
        &self.inner.fingerprint
    }

    /// Fires when the cluster is shut down; whoever serves it stops then.
    pub fn shutdown_token(&self) -> &CancellationToken {
        &self.inner.shutdown
    }

    /// Where everything that runs in the background is spawned, so that shutdown can wait for it.
    pub fn tracker(&self) -> &TaskTracker {
        &self.inner.tracker
    }

    /// Names and addresses of the nodes, in order.
    pub fn nodes(&self) -> Vec<(String, IpAddr)> {
        let model = self.model();
        let nodes = model.nodes.values();
        nodes
            .map(|node| (node.name.clone(), node.address))
            .collect()
    }

    /// Whether a node can be reached.
    pub fn is_online(&self, node: &str) -> bool {
        self.model().nodes.get(node).is_some_and(|node| node.online)
    }

    /// Makes a node unreachable. What runs on it goes on.
    pub(crate) fn take_offline(&self, node: &str) {
        if let Some(node) = self.model().nodes.get_mut(node) {
            node.online = false;
        }
    }

    /// The node that owns a container.
    pub fn owner(&self, vmid: u32) -> Option<String> {
        let model = self.model();
        let container = model.containers.get(&vmid)?;
        Some(container.node.clone())
    }

    /// The lock file of a container's configuration.
    pub(crate) fn config_file(&self, vmid: u32) -> Arc<tokio::sync::Mutex<()>> {
        let mut files = self
            .inner
            .config_files
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(vmid).or_default())
    }

    /// Asks the guests how they are and writes it into the model: whether they run, memory, disk.
    pub(crate) async fn refresh(&self) {
        let known: Vec<(u32, u64)> = self
            .model()
            .containers
            .values()
            .filter(|container| is_looked_at(container))
            .map(|container| (container.vmid, container.incarnation))
            .collect();
        for (vmid, incarnation) in known {
            self.refresh_one(vmid, incarnation).await;
        }
    }

    /// As [`Cluster::refresh`], for one container only.
    pub(crate) async fn refresh_guest(&self, vmid: u32) {
        let incarnation = self
            .model()
            .containers
            .get(&vmid)
            .filter(|container| is_looked_at(container))
            .map(|container| container.incarnation);
        if let Some(incarnation) = incarnation {
            self.refresh_one(vmid, incarnation).await;
        }
    }

    async fn refresh_one(&self, vmid: u32, incarnation: u64) {
        let guests = &self.inner.guests;
        let running = guests.is_running(vmid).await;
        let memory = if running {
            guests.memory_used(vmid).await
        } else {
            0
        };
        let disk = guests.disk_used(vmid).await;
        let mut model = self.model();
        let Some(container) = model.containers.get_mut(&vmid) else {
            return;
        };
        if container.incarnation != incarnation {
            return;
        }
        container.memory_used = memory.min(container.memory());
        container.disk_used = disk;
        if running != container.running {
            container.running = running;
            container.started = running.then(clock::now);
        }
    }

    /// Calls that are carried out after their callers were told that there is no answer.
    pub(crate) fn late(&self) -> &watch::Sender<usize> {
        &self.inner.late
    }

    /// Waits until no call is still to be carried out and no task runs.
    pub async fn settled(&self) {
        let mut late = self.inner.late.subscribe();
        let _ = late.wait_for(|count| *count == 0).await;
        let mut running = self.model().tasks.watch();
        // An error means that the model is gone, and with it all tasks.
        let _ = running.wait_for(|count| *count == 0).await;
    }
}

/// Whether there is a guest to ask: neighbours have none, and one that is being made has none yet.
fn is_looked_at(container: &Container) -> bool {
    !container.foreign && container.lock.as_deref() != Some("create")
}
