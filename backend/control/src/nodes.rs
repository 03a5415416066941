//! The cluster, as people look at it.

use std::collections::BTreeMap;

use api::NodeState;
use futures::future::join_all;

use crate::{
    Control, Error, Settings, explain,
    fit::anywhere,
    placement::{self, Demand, NodeView},
    view::ClusterView,
};

/// The smallest container that makes sense: what "would this node be chosen" is asked with.
const SMALLEST: (u64, u64) = (256 << 20, 2 << 30);

impl Control {
    /// Every node, with the reason why it would not be chosen now.
    pub async fn nodes(&self) -> Result<Vec<api::Node>, Error> {
        let promises = self.site.store.apps().promised().await?;
        let view = self.view(&promises).await?;
        Ok(shown(&view, &promises, &self.site.settings))
    }

    /// The storages of every node that answers.
    pub async fn storages(&self) -> Result<Vec<api::Storage>, Error> {
        let cluster = &self.site.cluster;
        let failed =
            |error| Error::Unavailable(explain::proxmox("looking at the storages", &error));
        let nodes = cluster.nodes().await.map_err(failed)?;
        let online = nodes
            .into_iter()
            .filter(|node| node.online)
            .map(|node| node.node);
        let answers = join_all(online.map(|node| async move {
            let storages = cluster.storages(&node).await;
            (node, storages)
        }))
        .await;
        let mut all = Vec::new();
        for (node, storages) in answers {
            // One node that does not answer must not hide the others'.
            let storages = match storages {
                Ok(storages) => storages,
                Err(proxmox::Error::NodeOffline { .. }) => continue,
                Err(error) => return Err(failed(error)),
            };
            all.extend(storages.into_iter().map(|storage| api::Storage {
                name: storage.name.to_string(),
                node: node.to_string(),
                active: storage.is_usable(),
                kind: storage.kind,
                content: storage.content,
                shared: storage.shared,
                total: storage.total,
                available: storage.available,
            }));
        }
        Ok(all)
    }

    /// The cluster as placement sees it now.
    pub(crate) async fn view(&self, promises: &[store::Promise]) -> Result<ClusterView, Error> {
        let gathered = self.site.gathering.look(&self.site.cluster).await;
        let gathered = gathered.map_err(|error| {
            Error::Unavailable(explain::proxmox("looking at the cluster", &error))
        })?;
        Ok(ClusterView::of(&gathered, promises))
    }
}

/// The nodes of a view, in its order, with the reason why each would not be chosen now.
pub(crate) fn shown(
    view: &ClusterView,
    promises: &[store::Promise],
    settings: &Settings,
) -> Vec<api::Node> {
    let mut apps: BTreeMap<&str, u32> = BTreeMap::new();
    for promise in promises {
        *apps.entry(&promise.node).or_default() += 1;
    }
    let demand = Demand {
        cores: 1,
        memory: SMALLEST.0,
        disk: SMALLEST.1,
        ..anywhere(settings)
    };
    let placement = placement::choose(&demand, &view.nodes);
    let unfit: BTreeMap<&str, &str> = placement
        .candidates
        .iter()
        .filter(|candidate| !candidate.fits)
        .map(|candidate| (candidate.node.as_str(), candidate.reason.as_str()))
        .collect();
    let nodes = view.nodes.iter().map(|node| api::Node {
        name: node.name.clone(),
        state: state(node),
        cpu: node.cpu,
        cores: node.cores,
        memory_used: node.memory_used,
        memory_total: node.memory_total,
        memory_promised: node.memory_promised,
        apps: apps.get(node.name.as_str()).copied().unwrap_or(0),
        unfit: unfit.get(node.name.as_str()).map(|&why| why.to_owned()),
    });
    nodes.collect()
}

fn state(node: &NodeView) -> NodeState {
    match node {
        NodeView { online: false, .. } => NodeState::Offline,
        NodeView {
            maintenance: true, ..
        } => NodeState::Maintenance,
        _ => NodeState::Online,
    }
}
