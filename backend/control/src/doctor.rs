//! The doctor: is everything there that a deployment needs? Each thing is looked at by itself, and each finding
//! says what it means and what to do.
//!
//! ```text
//! here ─ database, data folder
//! door ─ each host of the API: answers ▸ certificate ▸ login ▸ version
//!         └─ privileges · quorum · numbers · features          (one call each, side by side)
//!         └─ each node: online ▸ storages ▸ template ▸ bridge   (as placement sees it)
//!         └─ each node over SSH: reached ▸ host key ▸ login ▸ pct ▸ lxc-pve ▸ clock
//! ```
//!
//! It changes nothing on the cluster. It learns the SSH host key of a node that it meets for the first time, as every
//! first connection does. A node that does not answer is a finding and never an error.

mod check;
mod cluster;
mod door;
mod here;
mod node;
mod privileges;
mod shell;

use std::{collections::BTreeMap, time::Duration};

use api::{Check, CheckState, Checkup};
use futures::{StreamExt as _, stream};
use proxmox::{Client, NodeName, NodeSummary};

use crate::{Control, Error, Settings, explain, gather::Gathering, hosts::Hosts};
use check::{failed, skipped};
pub(crate) use door::look as door;
pub(crate) use here::look as here;

/// Longest time for one question to the API; pveproxy itself gives up on another node after 30 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest time for looking at all nodes.
const NODES_PATIENCE: Duration = Duration::from_secs(45);
/// Nodes that are looked at over SSH at the same time.
const CONCURRENCY: usize = 8;

/// What is looked at, and with what.
pub(crate) struct Doctor<'a> {
    /// The Proxmox API.
    pub cluster: &'a Client,
    /// SSH.
    pub hosts: &'a Hosts,
    /// What containers are made with.
    pub settings: &'a Settings,
}

impl Control {
    /// Looks at everything that a deployment needs.
    pub async fn doctor(&self) -> Result<Checkup, Error> {
        let site = &self.site;
        let mut checks = here(&site.store, site.settings.data_dir.as_deref()).await;
        let doctor = Doctor {
            cluster: &site.cluster,
            hosts: &site.hosts,
            settings: &site.settings,
        };
        checks.extend(doctor.examine().await);
        Ok(Checkup::of(checks))
    }
}

impl Doctor<'_> {
    /// Everything about the cluster.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        let (mut checks, open) = door(self.cluster).await;
        let Some(client) = open else {
            checks.extend(behind_the_door());
            return checks;
        };
        let nodes = tokio::time::timeout(PATIENCE, client.nodes());
        let nodes = match nodes.await {
            Ok(Ok(nodes)) => nodes,
            Ok(Err(error)) => {
                checks.push(check::explained(
                    "nodes",
                    explain::proxmox("listing the nodes", &error),
                ));
                return checks;
            }
            Err(_) => {
                checks.push(failed(
                    "nodes",
                    "The cluster does not list its nodes in time.",
                ));
                return checks;
            }
        };
        let (privileges, quorum, numbers, facts, shells) = tokio::join!(
            privileges::look(&client, self.settings),
            cluster::quorum(&client),
            cluster::numbers(&client, self.settings),
            self.facts(&client, &nodes),
            self.shells(&nodes),
        );
        checks.extend(privileges);
        checks.push(quorum);
        checks.push(numbers);
        checks.push(cluster::features(
            &client.identity(),
            &self.settings.features,
            shells.values().flatten(),
        ));
        let mut by_node = facts;
        for (name, found) in shells {
            by_node.entry(name).or_default().extend(found);
        }
        checks.extend(by_node.into_values().flatten());
        checks
    }

    /// The nodes as placement sees them, by name.
    async fn facts(&self, client: &Client, nodes: &[NodeSummary]) -> BTreeMap<String, Vec<Check>> {
        // One of its own: what is kept from before would be no finding.
        let gathering = Gathering::default();
        let view = match tokio::time::timeout(NODES_PATIENCE, gathering.look(client)).await {
            Ok(Ok(gathered)) => gathered.nodes.clone(),
            // The list of nodes came a moment ago: what hangs is one of them.
            Ok(Err(_)) | Err(_) => nodes.iter().map(node::unanswered).collect(),
        };
        node::look(&view, self.settings)
    }

    /// The nodes as SSH sees them, by name.
    async fn shells(&self, nodes: &[NodeSummary]) -> BTreeMap<String, Vec<Check>> {
        let online = nodes.iter().filter(|node| node.online);
        let online: Vec<NodeName> = online.map(|node| node.node.clone()).collect();
        stream::iter(online)
            .map(|node| {
                let hosts = self.hosts.clone();
                async move { (node.to_string(), shell::look(&hosts, &node).await) }
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await
    }
}

/// What cannot be looked at while the API lets nobody in.
fn behind_the_door() -> Vec<Check> {
    let names = [
        "version",
        "privileges",
        "quorum",
        "vmids",
        "features",
        "nodes",
        "ssh",
    ];
    let why = "Not looked at: first the Proxmox API must let Proximity in.";
    names.map(|name| skipped(name, why)).into()
}

/// The worst of some checks.
fn worst<'a>(checks: impl IntoIterator<Item = &'a Check>) -> CheckState {
    let states = checks.into_iter().map(|check| check.state);
    states.max().unwrap_or(CheckState::Ok)
}
