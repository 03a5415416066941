//! A cluster with life in it: guests of other people, one node nearly full, one in maintenance.
//!
//! Only data: which guests there are and what they use. How the figures move is in [`crate::wander`].

use std::collections::BTreeMap;

use crate::model::Model;
use crate::model::container::Container;
use crate::model::machine::Machine;
use crate::model::template;
use crate::options::{Addresses, GIB, Life, MIB, NodeOptions, Options};

/// What a node of a living cluster is there for; by its place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Has room for whatever comes.
    Roomy,
    /// Small, and nearly full: takes small apps only when it is asked for.
    NearlyFull,
    /// Being worked on; its guests were moved away.
    InMaintenance,
}

impl Part {
    fn nth(index: usize) -> Self {
        match index {
            1 => Self::NearlyFull,
            2 => Self::InMaintenance,
            _ => Self::Roomy,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Machine,
    Container,
}

/// A guest of somebody else; memory and disk in MiB, `cpu` a part of its cores.
struct Neighbour {
    vmid: u32,
    /// Place of its node in the line.
    node: usize,
    kind: Kind,
    name: &'static str,
    tags: &'static str,
    cores: u32,
    memory: u64,
    used: u64,
    disk: u64,
    /// Load while it runs; `None` when it is off.
    cpu: Option<f64>,
}

#[rustfmt::skip] // one line a guest: this is a table
const NEIGHBOURS: &[Neighbour] = &[
    Neighbour { vmid: 100, node: 0, kind: Kind::Machine, name: "router", tags: "network", cores: 2, memory: 2_048, used: 890, disk: 16_384, cpu: Some(0.06) },
    Neighbour { vmid: 102, node: 0, kind: Kind::Container, name: "pihole", tags: "dns;network", cores: 1, memory: 512, used: 118, disk: 4_096, cpu: Some(0.02) },
    Neighbour { vmid: 104, node: 0, kind: Kind::Machine, name: "nas", tags: "storage", cores: 4, memory: 8_192, used: 6_900, disk: 65_536, cpu: Some(0.11) },
    Neighbour { vmid: 105, node: 0, kind: Kind::Container, name: "grafana", tags: "monitoring", cores: 2, memory: 1_024, used: 380, disk: 8_192, cpu: Some(0.05) },
    Neighbour { vmid: 110, node: 2, kind: Kind::Machine, name: "windows-test", tags: "lab", cores: 2, memory: 8_192, used: 0, disk: 65_536, cpu: None },
    Neighbour { vmid: 120, node: 1, kind: Kind::Machine, name: "game-server", tags: "family", cores: 3, memory: 7_168, used: 6_650, disk: 81_920, cpu: Some(0.48) },
    Neighbour { vmid: 121, node: 1, kind: Kind::Container, name: "jellyfin", tags: "family;media", cores: 4, memory: 4_096, used: 3_020, disk: 32_768, cpu: Some(0.35) },
    Neighbour { vmid: 122, node: 1, kind: Kind::Machine, name: "home-assistant", tags: "family", cores: 2, memory: 4_096, used: 3_350, disk: 32_768, cpu: Some(0.14) },
    Neighbour { vmid: 130, node: 2, kind: Kind::Container, name: "old-wiki", tags: "retired", cores: 1, memory: 1_024, used: 0, disk: 8_192, cpu: None },
    Neighbour { vmid: 140, node: 3, kind: Kind::Machine, name: "build-runner", tags: "lab", cores: 6, memory: 12_288, used: 7_400, disk: 98_304, cpu: Some(0.40) },
    Neighbour { vmid: 141, node: 4, kind: Kind::Container, name: "backup-server", tags: "storage", cores: 2, memory: 2_048, used: 960, disk: 16_384, cpu: Some(0.08) },
];

impl Options {
    /// The same with a living cluster of `count` nodes: other people's guests, figures that move; from two nodes
    /// on one is nearly full, from three on one is in maintenance. There is always a node that takes an app.
    #[must_use]
    pub fn alive(mut self, count: usize) -> Self {
        self.nodes = (0..count).map(node).collect();
        self.life = Life::Alive;
        self.addresses = Addresses::Loopback;
        self
    }
}

/// Bytes that the running machines of a node use.
fn machines(index: usize) -> u64 {
    let here = NEIGHBOURS
        .iter()
        .filter(|one| one.node == index && one.kind == Kind::Machine);
    here.map(|one| one.used * MIB).sum()
}

fn node(index: usize) -> NodeOptions {
    let plain = NodeOptions::nth(index);
    let (memory, host, cpus, cpu, pool, pool_used) = match Part::nth(index) {
        Part::Roomy if index == 0 => (64, 1_900, 16, 0.14, 960, 210),
        Part::Roomy => (48, 1_700, 12, 0.21, 640, 180),
        Part::NearlyFull => (16, 2_150, 8, 0.62, 240, 170),
        Part::InMaintenance => (32, 1_300, 8, 0.02, 480, 95),
    };
    NodeOptions {
        memory: memory * GIB,
        memory_used: host * MIB + machines(index),
        cpus,
        cpu,
        pool: pool * GIB,
        pool_used: pool_used * GIB,
        maintenance: Part::nth(index) == Part::InMaintenance,
        ..plain
    }
}

/// Puts the neighbours of a living cluster in place, as far as their nodes are there.
pub(crate) fn settle(model: &mut Model) {
    let nodes: Vec<String> = model.nodes.keys().cloned().collect();
    for neighbour in NEIGHBOURS {
        let Some(node) = nodes.get(neighbour.node) else {
            continue;
        };
        match neighbour.kind {
            Kind::Machine => {
                model
                    .machines
                    .insert(neighbour.vmid, machine(neighbour, node));
            }
            Kind::Container => {
                model
                    .containers
                    .insert(neighbour.vmid, container(neighbour, node));
            }
        }
    }
}

fn machine(neighbour: &Neighbour, node: &str) -> Machine {
    Machine {
        vmid: neighbour.vmid,
        node: node.to_owned(),
        name: neighbour.name.to_owned(),
        tags: Some(neighbour.tags.to_owned()),
        running: neighbour.cpu.is_some(),
        memory: neighbour.memory * MIB,
        memory_used: neighbour.used * MIB,
        disk: neighbour.disk * MIB,
        cpus: neighbour.cores,
        cpu: neighbour.cpu.unwrap_or(0.0),
    }
}

fn container(neighbour: &Neighbour, node: &str) -> Container {
    let vmid = neighbour.vmid;
    let address = vmid % 200 + 20;
    let config = BTreeMap::from(
        [
            ("arch", "amd64".to_owned()),
            ("cores", neighbour.cores.to_string()),
            ("hostname", neighbour.name.to_owned()),
            ("memory", neighbour.memory.to_string()),
            (
                "net0",
                format!("name=eth0,bridge=vmbr0,gw=10.10.0.1,hwaddr=BC:24:11:0A:0B:{:02X},ip=10.10.0.{address}/24,type=veth", vmid % 256),
            ),
            ("onboot", "1".to_owned()),
            ("ostype", "debian".to_owned()),
            ("rootfs", format!("local-lvm:vm-{vmid}-disk-0,size={}G", neighbour.disk / 1_024)),
            ("swap", "512".to_owned()),
            ("tags", neighbour.tags.to_owned()),
            ("unprivileged", "1".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let mut made = Container::reserve(vmid, node, template::OTHER, config);
    made.lock = None;
    made.foreign = true;
    made.running = neighbour.cpu.is_some();
    made.started = neighbour
        .cpu
        .map(|_| crate::clock::now().saturating_sub(u64::from(vmid) * 5 * 3_600));
    made.memory_used = neighbour.used * MIB;
    made.disk_used = neighbour.disk * MIB * 2 / 5;
    made.cpu = neighbour.cpu.unwrap_or(0.0);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of a node that nothing uses, in MiB.
    fn free(model: &Model, node: &str) -> u64 {
        let node = &model.nodes[node];
        (node.memory - model.memory_used(node)) / MIB
    }

    #[test]
    fn three_nodes_have_a_roomy_a_nearly_full_and_one_in_maintenance() {
        let model = Model::new(&Options::default().alive(3), "secret");
        assert!(free(&model, "pve1") > 40_000);
        // Room for a small app, none for one of 2 GiB.
        assert!(
            (700..1_800).contains(&free(&model, "pve2")),
            "{}",
            free(&model, "pve2")
        );
        let maintenance: Vec<bool> = model.nodes.values().map(|node| node.maintenance).collect();
        assert_eq!(maintenance, [false, false, true]);
        assert!(model.containers.values().all(|one| one.foreign));
        assert!(model.machines.len() >= 5);
    }

    #[test]
    fn one_node_is_roomy_and_has_only_its_own_neighbours() {
        let model = Model::new(&Options::default().alive(1), "secret");
        assert!(!model.nodes["pve1"].maintenance && free(&model, "pve1") > 40_000);
        assert!(model.machines.values().all(|one| one.node == "pve1"));
    }

    #[test]
    fn no_number_is_given_twice() {
        let numbers: std::collections::BTreeSet<u32> =
            NEIGHBOURS.iter().map(|one| one.vmid).collect();
        assert_eq!(numbers.len(), NEIGHBOURS.len());
    }
}
