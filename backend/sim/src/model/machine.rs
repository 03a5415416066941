//! Neighbours: virtual machines and containers of other people. They take numbers and memory, and whoever
//! touches them without being asked to has a fault.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::model::container::Container;
use crate::options::{GIB, MIB};

/// A virtual machine; it only exists.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) vmid: u32,
    pub(crate) node: String,
    pub(crate) name: String,
    pub(crate) tags: Option<String>,
    pub(crate) running: bool,
    /// Bytes.
    pub(crate) memory: u64,
    /// Bytes in use while it runs; part of what its node's host uses.
    pub(crate) memory_used: u64,
    /// Bytes.
    pub(crate) disk: u64,
    pub(crate) cpus: u32,
    /// Load while it runs, a part of its processors.
    pub(crate) cpu: f64,
}

/// Puts the neighbours in place: numbers 100, 102 and 110 are taken from the start.
pub(crate) fn settle(model: &mut Model) {
    let names: Vec<String> = model.nodes.keys().cloned().collect();
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return;
    };
    for (vmid, node, name, running, gib) in [
        (100, first, "router", true, 2),
        (110, last, "windows-test", false, 8),
    ] {
        let machine = Machine {
            vmid,
            node: node.clone(),
            name: name.to_owned(),
            tags: None,
            running,
            memory: gib * GIB,
            memory_used: gib * GIB / 2,
            disk: 32 * GIB,
            cpus: 2,
            cpu: 0.02,
        };
        model.machines.insert(vmid, machine);
    }
    let config = BTreeMap::from(
        [
            ("arch", "amd64"),
            ("cores", "1"),
            ("features", "nesting=1"),
            ("hostname", "pihole"),
            ("memory", "512"),
            (
                "net0",
                "name=eth0,bridge=vmbr0,gw=10.10.0.1,hwaddr=BC:24:11:0A:0B:0C,ip=10.10.0.53/24,type=veth",
            ),
            ("onboot", "1"),
            ("ostype", "debian"),
            ("rootfs", "local-lvm:vm-102-disk-0,size=4G"),
            ("swap", "512"),
            ("tags", "dns"),
            ("unprivileged", "1"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let mut neighbour = Container::reserve(102, first, super::template::OTHER, config);
    neighbour.lock = None;
    neighbour.foreign = true;
    neighbour.running = true;
    neighbour.started = Some(crate::clock::now().saturating_sub(3 * 24 * 3600));
    neighbour.memory_used = 96 * MIB;
    neighbour.disk_used = 1300 * MIB;
    model.containers.insert(102, neighbour);
}
