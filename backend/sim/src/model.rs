//! The one model behind the REST face, the `pct` command and the tests: what a cluster *is*.
//!
//! Everything here is plain data behind one lock that is never held across an await. What *happens*
//! (tasks that create, start, destroy) is in [`crate::work`]; what it looks like from outside is in
//! [`crate::rest`], [`crate::pct`] and [`crate::control`].

pub(crate) mod container;
pub(crate) mod figures;
pub(crate) mod identity;
pub(crate) mod machine;
pub(crate) mod node;
pub(crate) mod permission;
pub(crate) mod storage;
pub(crate) mod task;
pub(crate) mod template;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::failure::Failure;
use crate::options::{Life, Options};
use crate::wander::Wander;
use container::Container;
use identity::Identities;
use machine::Machine;
use node::Node;
use permission::Permissions;
use storage::Storages;
use task::Tasks;
use template::TemplateOffer;

/// What the figures of a living cluster are drawn with: each start tells the same story.
const SEED: u64 = 0x5eed;

/// Name of the cluster.
pub(crate) const CLUSTER_NAME: &str = "simulated";

/// All that a simulated cluster knows.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) nodes: IndexMap<String, Node>,
    pub(crate) storages: Storages,
    pub(crate) containers: BTreeMap<u32, Container>,
    pub(crate) machines: BTreeMap<u32, Machine>,
    pub(crate) pools: BTreeSet<String>,
    pub(crate) offers: Vec<TemplateOffer>,
    pub(crate) tasks: Tasks,
    pub(crate) identities: Identities,
    pub(crate) permissions: Permissions,
    /// How figures move; `None` when they stand still.
    pub(crate) wander: Option<Wander>,
}

impl Model {
    /// A cluster as the options describe it, with its neighbours in place.
    pub(crate) fn new(options: &Options, password: &str) -> Self {
        let nodes: IndexMap<String, Node> = options
            .nodes
            .iter()
            .enumerate()
            .map(|(index, wanted)| {
                let node = Node::new(wanted, index, options.node_address(index));
                (wanted.name.clone(), node)
            })
            .collect();
        let arm = nodes.values().any(|node| node.architecture == "aarch64");
        let mut model = Self {
            storages: Storages::new(options),
            containers: BTreeMap::new(),
            machines: BTreeMap::new(),
            pools: BTreeSet::from(["apps".to_owned()]),
            offers: template::index(arm),
            tasks: Tasks::default(),
            identities: Identities::new(password),
            permissions: Permissions::standard(),
            wander: (options.life == Life::Alive).then(|| Wander::new(SEED)),
            nodes,
        };
        match (options.neighbours, options.life) {
            (false, _) => {}
            (true, Life::Still) => machine::settle(&mut model),
            (true, Life::Alive) => crate::life::settle(&mut model),
        }
        model
    }

    /// The node by its name, or what Proxmox says about a name that it cannot look up.
    pub(crate) fn node(&self, name: &str) -> Result<&Node, Failure> {
        self.nodes.get(name).ok_or_else(|| {
            Failure::died(format!(
                "hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
            ))
        })
    }

    /// A container of this node, or what Proxmox says when its configuration is not there.
    pub(crate) fn container(&self, node: &str, vmid: u32) -> Result<&Container, Failure> {
        self.containers
            .get(&vmid)
            .filter(|container| container.node == node)
            .ok_or_else(|| Failure::died(missing_config(node, vmid)))
    }

    /// As [`Model::container`], to change.
    pub(crate) fn container_mut(
        &mut self,
        node: &str,
        vmid: u32,
    ) -> Result<&mut Container, Failure> {
        self.containers
            .get_mut(&vmid)
            .filter(|container| container.node == node)
            .ok_or_else(|| Failure::died(missing_config(node, vmid)))
    }

    /// Who has this number: `CT 101 already exists on node 'pve1'`.
    pub(crate) fn taken(&self, vmid: u32) -> Option<String> {
        let (kind, node) = match (self.containers.get(&vmid), self.machines.get(&vmid)) {
            (Some(container), _) => ("CT", &container.node),
            (None, Some(machine)) => ("VM", &machine.node),
            (None, None) => return None,
        };
        Some(format!("{kind} {vmid} already exists on node '{node}'"))
    }

    /// The smallest free number from 100 on; nothing is reserved.
    pub(crate) fn next_id(&self) -> Result<u32, Failure> {
        (100..1_000_000)
            .find(|vmid| self.taken(*vmid).is_none())
            .ok_or_else(|| {
                Failure::died("unable to get any free VMID in range [100, 1000000]".to_owned())
            })
    }

    /// Whether more than half of the nodes see each other; without it nothing can be written.
    pub(crate) fn is_quorate(&self) -> bool {
        let online = self.nodes.values().filter(|node| node.online).count();
        online * 2 > self.nodes.len()
    }

    /// Refuses a write without quorum.
    pub(crate) fn check_quorum(&self) -> Result<(), Failure> {
        if self.is_quorate() {
            Ok(())
        } else {
            Err(Failure::died("cluster not ready - no quorum?"))
        }
    }

    /// Bytes of a storage in use, as seen from a node: others' and those of our containers' volumes.
    pub(crate) fn storage_used(&self, node: &str, storage: &str) -> u64 {
        let Some(found) = self.storages.get(node, storage) else {
            return 0;
        };
        let volumes: u64 = self
            .containers
            .values()
            .filter(|container| found.shared || container.node == node)
            .filter(|container| container.storage().as_deref() == Some(storage))
            .map(|container| container.disk_used)
            .sum();
        (found.used + found.files_size() + volumes).min(found.total)
    }
}

/// The text for a configuration file that is not there; also `pct`'s.
pub(crate) fn missing_config(node: &str, vmid: u32) -> String {
    format!("Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist")
}
