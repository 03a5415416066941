//! The cluster as placement sees it: what Proxmox told, less what our own apps were promised. Asks nobody.

use std::{collections::BTreeMap, sync::Arc};

use proxmox::GuestSummary;
use store::Promise;

use crate::{gather::Gathered, placement::NodeView};

/// Everything that placement needs to know, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct ClusterView {
    /// The nodes, by name.
    pub nodes: Vec<NodeView>,
    /// Every guest of the cluster, anybody's.
    pub guests: Arc<Vec<GuestSummary>>,
}

impl ClusterView {
    /// What was gathered, with what is promised now. What has been promised since counts in full: no guest uses it
    /// yet as far as the gathered figures know.
    pub(crate) fn of(gathered: &Gathered, promises: &[Promise]) -> Self {
        let owed = Owed::count(promises, &gathered.guests);
        let mut nodes: Vec<NodeView> = gathered.nodes.clone();
        for node in &mut nodes {
            node.memory_promised = owed.memory.get(&node.name).copied().unwrap_or(0);
            for storage in &mut node.storages {
                let place = (node.name.clone(), storage.name.clone());
                storage.promised = owed.disk.get(&place).copied().unwrap_or(0);
            }
        }
        Self {
            nodes,
            guests: gathered.guests.clone(),
        }
    }
}

/// What was promised to apps and is not in the nodes' own figures yet, in bytes.
#[derive(Debug, Default)]
struct Owed {
    memory: BTreeMap<String, u64>,
    /// By node and storage.
    disk: BTreeMap<(String, String), u64>,
}

impl Owed {
    /// A promise counts with what its container does not use yet: all of it before the container exists or
    /// while it is stopped, the rest of its limit while it runs.
    fn count(promises: &[Promise], guests: &[GuestSummary]) -> Self {
        let mut owed = Self::default();
        let guests: BTreeMap<u32, &GuestSummary> = guests
            .iter()
            .map(|guest| (guest.vmid.get(), guest))
            .collect();
        for promise in promises {
            let guest = promise.vmid.and_then(|vmid| guests.get(&vmid));
            let running = guest.filter(|guest| guest.status == proxmox::Power::Running);
            let memory_used = running.map_or(0, |guest| guest.memory);
            let disk_used = guest.map_or(0, |guest| guest.disk);
            *owed.memory.entry(promise.node.clone()).or_default() +=
                promise.memory.saturating_sub(memory_used);
            if let Some(storage) = &promise.storage {
                *owed
                    .disk
                    .entry((promise.node.clone(), storage.clone()))
                    .or_default() += promise.disk.saturating_sub(disk_used);
            }
        }
        owed
    }
}
