//! The cluster as placement sees it, gathered from Proxmox and from what our own apps were promised.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use proxmox::{Client, GuestSummary, NodeName, NodeSummary};
use store::Promise;

use crate::placement::{NodeView, StorageView};

/// Nodes that are asked at the same time.
const CONCURRENCY: usize = 8;

/// Everything that placement needs to know, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct ClusterView {
    /// The nodes, by name.
    pub nodes: Vec<NodeView>,
    /// Every guest of the cluster, anybody's.
    pub guests: Vec<GuestSummary>,
}

impl ClusterView {
    /// Asks the cluster. A node that cannot be asked is in the view, with the reason why it is unknown.
    pub(crate) async fn gather(
        cluster: &Client,
        promises: &[Promise],
    ) -> Result<Self, proxmox::Error> {
        let (nodes, guests) = tokio::try_join!(cluster.nodes(), cluster.guests())?;
        let owed = Owed::count(promises, &guests);
        let mut nodes: Vec<NodeView> = stream::iter(nodes)
            .map(|summary| node(cluster, summary, &owed))
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { nodes, guests })
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
        for promise in promises {
            let guest = guests
                .iter()
                .find(|guest| Some(guest.vmid.get()) == promise.vmid);
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

async fn node(cluster: &Client, summary: NodeSummary, owed: &Owed) -> NodeView {
    let name = summary.node.clone();
    let mut view = NodeView {
        name: name.to_string(),
        online: summary.online,
        maintenance: summary.maintenance,
        cpu: summary.cpu,
        cores: summary.cores,
        memory_used: summary.memory_used,
        memory_total: summary.memory_total,
        memory_promised: owed.memory.get(name.as_str()).copied().unwrap_or(0),
        architecture: debian_architecture(summary.architecture.as_deref()).to_owned(),
        ..NodeView::default()
    };
    if !view.online || view.maintenance {
        return view;
    }
    if let Err(error) = fill(cluster, &name, owed, &mut view).await {
        view.unknown = Some(match error {
            proxmox::Error::NodeOffline { .. } => "it does not answer the cluster".to_owned(),
            error => format!("it could not be asked: {error}"),
        });
    }
    view
}

async fn fill(
    cluster: &Client,
    name: &NodeName,
    owed: &Owed,
    view: &mut NodeView,
) -> Result<(), proxmox::Error> {
    let (storages, bridges) = tokio::try_join!(cluster.storages(name), cluster.bridges(name))?;
    view.bridges = bridges
        .into_iter()
        .filter(|bridge| bridge.active)
        .map(|bridge| bridge.iface)
        .collect();
    for storage in storages {
        let usable = storage.enabled && storage.active;
        let holds_templates = storage.holds("vztmpl");
        let templates = if usable && holds_templates {
            let files = cluster.templates(name, &storage.name).await?;
            files.into_iter().map(|file| file.volid).collect()
        } else {
            Vec::new()
        };
        let place = (view.name.clone(), storage.name.to_string());
        view.storages.push(StorageView {
            holds_containers: storage.holds("rootdir"),
            holds_templates,
            is_network_file: matches!(
                storage.kind.as_str(),
                "nfs" | "cifs" | "glusterfs" | "cephfs"
            ),
            is_shared: storage.shared,
            usable,
            total: storage.total,
            available: storage.available,
            promised: owed.disk.get(&place).copied().unwrap_or(0),
            templates,
            name: place.1,
        });
    }
    // Without an index a template that is there already still does.
    match cluster.template_index(name).await {
        Ok(offers) => {
            view.offered_templates = offers.into_iter().map(|offer| offer.template).collect();
        }
        Err(error) => {
            tracing::warn!(node = %name, %error, "the template index of {name} cannot be read");
        }
    }
    Ok(())
}

/// Debian's word for what the kernel or Proxmox calls an architecture. Hosts older than 9.2 do not tell; all
/// of those that Proxmox itself supports are amd64.
fn debian_architecture(told: Option<&str>) -> &str {
    match told {
        None | Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        Some(other) => other,
    }
}
