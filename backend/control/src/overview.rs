//! The cluster as it was seen a moment ago, for whoever must not wait for it.
//!
//! One view is shared by all: whoever looks gets what is there at once, and where that is older than a few seconds
//! somebody goes and asks, behind the back of all. A cluster that does not answer makes nobody wait; the view says
//! since when it is silent.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{Control, Error, context::Site, explain, nodes, view::ClusterView};

/// How old the view may become before somebody asks again.
const FRESH: Duration = Duration::from_secs(4);
/// So many times longer than it takes to ask, nobody asks: a large cluster must not be asked all the time.
const REST: u32 = 4;

/// The cluster as it was seen a moment ago.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// When the cluster last answered; never, when absent.
    pub seen_at: Option<DateTime<Utc>>,
    /// Since when it does not answer, and why.
    pub silence: Option<Silence>,
    /// The nodes, by name.
    pub nodes: Vec<NodeOverview>,
    /// Every guest of the cluster, anybody's, by number.
    pub guests: BTreeMap<u32, GuestOverview>,
    /// As placement sees it.
    pub(crate) view: Option<ClusterView>,
}

/// That the cluster does not answer.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub hint: Option<String>,
}

/// A node with its storages.
#[derive(Clone, Debug)]
pub struct NodeOverview {
    /// The node.
    pub node: api::Node,
    /// Its storages; empty where it could not be asked.
    pub storages: Vec<StorageOverview>,
}

/// A storage on a node.
#[derive(Clone, Debug)]
pub struct StorageOverview {
    /// Name.
    pub name: String,
    /// Whether it takes containers.
    pub holds_containers: bool,
    /// Whether other nodes see the same storage.
    pub shared: bool,
    /// Whether it can be used now.
    pub usable: bool,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub available: u64,
    /// Bytes promised to apps that do not use them yet.
    pub promised: u64,
}

/// A guest of the cluster, anybody's.
#[derive(Clone, Debug)]
pub struct GuestOverview {
    /// Number.
    pub vmid: u32,
    /// Node.
    pub node: String,
    /// Name; may be empty.
    pub name: String,
    /// Whether it is a container; else a virtual machine.
    pub is_container: bool,
    /// Whether it is a template.
    pub is_template: bool,
    /// Whether it runs.
    pub is_running: bool,
    /// CPU in use, as a share of `cpus`.
    pub cpu: f64,
    /// Processors.
    pub cpus: f64,
    /// Memory in use, bytes.
    pub memory: u64,
    /// Most memory, bytes.
    pub memory_total: u64,
    /// Disk in use, bytes.
    pub disk: u64,
    /// Disk, bytes.
    pub disk_total: u64,
    /// Seconds since it was started.
    pub uptime: u64,
}

/// What is used and free of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// In use, bytes.
    pub used: u64,
    /// Promised to apps that do not use it yet, bytes.
    pub promised: u64,
    /// In all, bytes.
    pub total: u64,
}

impl Amount {
    /// What is neither used nor promised, bytes.
    pub fn free(self) -> u64 {
        self.total
            .saturating_sub(self.used)
            .saturating_sub(self.promised)
    }
}

impl Overview {
    /// Memory of the nodes that can work.
    pub fn memory(&self) -> Amount {
        let mut sum = Amount::default();
        for NodeOverview { node, .. } in self.working() {
            sum.used += node.memory_used;
            sum.promised += node.memory_promised;
            sum.total += node.memory_total;
        }
        sum
    }

    /// Disk for containers on the nodes that can work; what several nodes share counts once.
    pub fn disk(&self) -> Amount {
        let (mut sum, mut counted) = (Amount::default(), Vec::new());
        for NodeOverview { storages, .. } in self.working() {
            for storage in storages {
                if !storage.usable || !storage.holds_containers {
                    continue;
                }
                sum.promised += storage.promised;
                if storage.shared && counted.contains(&&storage.name) {
                    continue;
                }
                counted.push(&storage.name);
                sum.used += storage.total.saturating_sub(storage.available);
                sum.total += storage.total;
            }
        }
        sum
    }

    fn working(&self) -> impl Iterator<Item = &NodeOverview> {
        let is_online = |node: &&NodeOverview| node.node.state == api::NodeState::Online;
        self.nodes.iter().filter(is_online)
    }
}

/// The view that all share, and whoever is on the way to renew it.
pub(crate) struct Overviews {
    current: watch::Sender<Arc<Overview>>,
    asking: Mutex<Asking>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Asking {
    is_under_way: bool,
    /// Not before then.
    next: Option<Instant>,
}

impl Overviews {
    pub(crate) fn new() -> Self {
        Self {
            current: watch::Sender::new(Arc::default()),
            asking: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Whether it is this caller's turn to ask.
    fn begin(&self) -> bool {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = asking.next.is_none_or(|next| next <= Instant::now());
        let begins = is_due && !asking.is_under_way;
        asking.is_under_way |= begins;
        begins
    }

    fn end(&self, took: Duration) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.is_under_way = false;
        asking.next = Some(Instant::now() + FRESH.max(took * REST));
    }
}

impl Control {
    /// The cluster as it was seen a moment ago. Never waits for it.
    pub fn overview(&self) -> Arc<Overview> {
        self.renew_overview();
        self.site.overviews.current.borrow().clone()
    }

    /// The cluster as it is seen from now on: whoever waits for a change keeps the view fresh.
    pub fn overviews(&self) -> watch::Receiver<Arc<Overview>> {
        self.renew_overview();
        self.site.overviews.current.subscribe()
    }

    /// Has somebody ask the cluster, unless somebody just did.
    pub fn renew_overview(&self) {
        if !self.site.overviews.begin() {
            return;
        }
        let site = self.site.clone();
        self.site.overviews.tasks.spawn(async move {
            let begun = Instant::now();
            let seen = look(&site).await;
            let before = site.overviews.current.borrow().clone();
            let now = site.store.now();
            let next = match seen {
                Ok(seen) => seen,
                Err(error) => silent(&before, &error, now),
            };
            site.overviews.current.send_replace(Arc::new(next));
            site.overviews.end(begun.elapsed());
        });
    }
}

/// What was seen before, and that nobody answers now.
fn silent(before: &Overview, error: &Error, now: DateTime<Utc>) -> Overview {
    let since = before.silence.as_ref().map_or(now, |silence| silence.since);
    let (message, hint) = match error {
        Error::Unavailable(failure) => (failure.message.clone(), failure.hint.clone()),
        error => (error.to_string(), None),
    };
    Overview {
        silence: Some(Silence {
            since,
            message,
            hint,
        }),
        ..before.clone()
    }
}

async fn look(site: &Site) -> Result<Overview, Error> {
    let promises = site.store.apps().promised().await?;
    let gathered =
        site.gathering.look(&site.cluster).await.map_err(|error| {
            Error::Unavailable(explain::proxmox("looking at the cluster", &error))
        })?;
    let view = ClusterView::of(&gathered, &promises);
    let shown = nodes::shown(&view, &promises, &site.settings);
    let nodes = shown.into_iter().zip(&view.nodes).map(|(node, seen)| {
        let storages = seen.storages.iter().map(|storage| StorageOverview {
            name: storage.name.clone(),
            holds_containers: storage.holds_containers,
            shared: storage.is_shared,
            usable: storage.usable,
            total: storage.total,
            available: storage.available,
            promised: storage.promised,
        });
        NodeOverview {
            node,
            storages: storages.collect(),
        }
    });
    let guests = view.guests.iter().map(|guest| {
        let vmid = guest.vmid.get();
        let seen = GuestOverview {
            vmid,
            node: guest.node.to_string(),
            name: guest.name.clone(),
            is_container: guest.kind == proxmox::GuestKind::Lxc,
            is_template: guest.template,
            is_running: guest.status == proxmox::Power::Running,
            cpu: guest.cpu,
            cpus: guest.cpus,
            memory: guest.memory,
            memory_total: guest.max_memory,
            disk: guest.disk,
            disk_total: guest.max_disk,
            uptime: guest.uptime,
        };
        (vmid, seen)
    });
    Ok(Overview {
        seen_at: Some(site.store.now()),
        silence: None,
        nodes: nodes.collect(),
        guests: guests.collect(),
        view: Some(view),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(name: &str, shared: bool, available: u64) -> StorageOverview {
        StorageOverview {
            name: name.to_owned(),
            holds_containers: true,
            shared,
            usable: true,
            total: 100,
            available,
            promised: 5,
        }
    }

    fn node(name: &str, state: api::NodeState) -> NodeOverview {
        NodeOverview {
            node: api::Node {
                name: name.to_owned(),
                state,
                cpu: 0.0,
                cores: 4,
                memory_used: 10,
                memory_total: 50,
                memory_promised: 5,
                apps: 0,
                unfit: None,
            },
            storages: vec![storage("local", false, 60), storage("nas", true, 40)],
        }
    }

    #[test]
    fn what_nodes_share_counts_once_and_only_working_nodes_count() {
        let overview = Overview {
            nodes: vec![
                node("a", api::NodeState::Online),
                node("b", api::NodeState::Online),
                node("c", api::NodeState::Maintenance),
            ],
            ..Overview::default()
        };
        let memory = overview.memory();
        assert_eq!((memory.used, memory.total, memory.free()), (20, 100, 70));
        let disk = overview.disk();
        // Two local ones and the shared one once; what was promised counts on each node.
        assert_eq!((disk.total, disk.used, disk.promised), (300, 140, 20));
    }

    #[test]
    fn a_silence_begins_once() {
        let (first, later) = (
            DateTime::from_timestamp(10, 0).unwrap(),
            DateTime::from_timestamp(20, 0).unwrap(),
        );
        let error = Error::NotFound { what: "cluster" };
        let once = silent(&Overview::default(), &error, first);
        let twice = silent(&once, &error, later);
        assert_eq!(twice.silence.unwrap().since, first);
    }
}
