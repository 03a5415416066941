//! Asking the cluster what placement needs to know, as seldom as that is good enough.
//!
//! A thousand deployments that wait are a thousand questions to every node, were each to ask for itself. So a gathering
//! is shared by those who wait for it, and good for a moment; what changes by an administrator's hand alone is kept a
//! little longer. What is promised is not here: that is read anew each time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as Locked, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use proxmox::{Client, GuestSummary, NodeName, NodeSummary};
use tokio::{sync::Mutex, time::Instant};

use crate::placement::{NodeView, StorageView};

/// Nodes that are asked at the same time.
const CONCURRENCY: usize = 8;
/// How long a gathering is good for. Nobody is placed by older figures.
const FRESH: Duration = Duration::from_secs(1);
/// How long bridges and the index of templates are kept: they change when somebody edits a node's network, or once a
/// day.
const KEPT: Duration = Duration::from_secs(20);

/// What the cluster told, at one moment. Nothing of it is promised to anybody.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The nodes, by name, with no promise counted.
    pub nodes: Vec<NodeView>,
    /// Every guest of the cluster, anybody's, as of the same moment.
    pub guests: Arc<Vec<GuestSummary>>,
}

/// The last gathering. Asked by many, it asks the cluster once.
#[derive(Default)]
pub(crate) struct Gathering {
    last: Mutex<Option<(Instant, Arc<Gathered>)>>,
    slow: Slow,
}

impl Gathering {
    /// What the cluster tells, not older than [`FRESH`]. A node that cannot be asked is in it, with the reason why it is
    /// unknown.
    pub(crate) async fn look(&self, cluster: &Client) -> Result<Arc<Gathered>, proxmox::Error> {
        // Held while asking: whoever comes meanwhile gets the same answer.
        let mut last = self.last.lock().await;
        if let Some((since, gathered)) = &*last
            && since.elapsed() < FRESH
        {
            return Ok(gathered.clone());
        }
        // The figures are as old as the question.
        let asked = Instant::now();
        let gathered = Arc::new(self.ask(cluster).await?);
        *last = Some((asked, gathered.clone()));
        Ok(gathered)
    }

    async fn ask(&self, cluster: &Client) -> Result<Gathered, proxmox::Error> {
        let (nodes, guests) = tokio::try_join!(cluster.nodes(), cluster.guests())?;
        let mut nodes: Vec<NodeView> = stream::iter(nodes)
            .map(|summary| node(cluster, summary, &self.slow))
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Gathered {
            nodes,
            guests: Arc::new(guests),
        })
    }
}

/// What seldom changes of a node.
#[derive(Debug)]
struct Known {
    /// Active bridges.
    bridges: Vec<String>,
    /// File names on its template index.
    offered_templates: Vec<String>,
}

/// What is known of each node, and since when.
#[derive(Default)]
struct Slow(Locked<BTreeMap<NodeName, (Instant, Arc<Known>)>>);

impl Slow {
    async fn of(&self, cluster: &Client, name: &NodeName) -> Result<Arc<Known>, proxmox::Error> {
        let kept = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .filter(|(since, _)| since.elapsed() < KEPT)
            .map(|(_, known)| known.clone());
        if let Some(known) = kept {
            return Ok(known);
        }
        let bridges = cluster.bridges(name).await?;
        // Without an index a template that is there already still does.
        let index = cluster.template_index(name).await;
        let complete = index.is_ok();
        let offers = index.unwrap_or_else(|error| {
            tracing::warn!(node = %name, %error, "the template index of {name} cannot be read");
            Vec::new()
        });
        let known = Arc::new(Known {
            bridges: bridges
                .into_iter()
                .filter(|bridge| bridge.active)
                .map(|bridge| bridge.iface)
                .collect(),
            offered_templates: offers.into_iter().map(|offer| offer.template).collect(),
        });
        if complete {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone(), (Instant::now(), known.clone()));
        }
        Ok(known)
    }
}

async fn node(cluster: &Client, summary: NodeSummary, slow: &Slow) -> NodeView {
    let name = summary.node.clone();
    let mut view = NodeView {
        name: name.to_string(),
        online: summary.online,
        maintenance: summary.maintenance,
        cpu: summary.cpu,
        cores: summary.cores,
        memory_used: summary.memory_used,
        memory_total: summary.memory_total,
        architecture: debian_architecture(summary.architecture.as_deref()).to_owned(),
        ..NodeView::default()
    };
    if !view.online || view.maintenance {
        return view;
    }
    if let Err(error) = fill(cluster, &name, slow, &mut view).await {
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
    slow: &Slow,
    view: &mut NodeView,
) -> Result<(), proxmox::Error> {
    let (storages, known) = tokio::try_join!(cluster.storages(name), slow.of(cluster, name))?;
    view.bridges.clone_from(&known.bridges);
    view.offered_templates.clone_from(&known.offered_templates);
    for storage in storages {
        let usable = storage.enabled && storage.active;
        let holds_templates = storage.holds("vztmpl");
        let templates = if usable && holds_templates {
            let files = cluster.templates(name, &storage.name).await?;
            files.into_iter().map(|file| file.volid).collect()
        } else {
            Vec::new()
        };
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
            promised: 0,
            templates,
            name: storage.name.to_string(),
        });
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
