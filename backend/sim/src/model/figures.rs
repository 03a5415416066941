//! What nodes and guests use at this moment. In a living cluster it moves; else it stands still.

use super::Model;
use super::container::Container;
use super::machine::Machine;
use super::node::Node;

/// How far from its middle a figure may go, as a part of it: processors, memory of a guest, memory of a host.
const CPU: f64 = 0.55;
const GUEST_MEMORY: f64 = 0.06;
const HOST_MEMORY: f64 = 0.01;

/// What a container does more than an idle one, once people use it.
const IN_USE: f64 = 4.0;

impl Model {
    /// `middle`, or somewhere near it where figures move.
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^52"
    )]
    fn near(&self, name: &str, middle: f64, reach: f64) -> f64 {
        match self.wander {
            Some(wander) => wander.around(name, crate::clock::now() as f64, middle, reach),
            None => middle,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes of memory are positive and far below 2^52"
    )]
    fn near_bytes(&self, name: &str, middle: u64, reach: f64) -> u64 {
        if self.wander.is_none() {
            return middle;
        }
        self.near(name, middle as f64, reach).max(0.0) as u64
    }

    /// Load of a node's processors, 0 to 1.
    pub(crate) fn node_cpu(&self, node: &Node) -> f64 {
        self.near(&format!("cpu {}", node.name), node.cpu, CPU)
            .clamp(0.0, 1.0)
    }

    /// Memory of a node in use: the host's own and that of its running containers, in bytes.
    pub(crate) fn memory_used(&self, node: &Node) -> u64 {
        let guests: u64 = self
            .containers
            .values()
            .filter(|container| container.node == node.name)
            .map(|container| self.container_memory(container))
            .sum();
        let host = self.near_bytes(
            &format!("memory {}", node.name),
            node.memory_used,
            HOST_MEMORY,
        );
        (host + guests).min(node.memory)
    }

    /// Load of a container, a part of its cores.
    pub(crate) fn container_cpu(&self, container: &Container) -> f64 {
        if !container.running {
            return 0.0;
        }
        let middle = if self.wander.is_some() && !container.foreign {
            container.cpu * IN_USE
        } else {
            container.cpu
        };
        self.near(&format!("cpu {}", container.vmid), middle, CPU)
            .clamp(0.0, 1.0)
    }

    /// Memory that a container uses, in bytes; none when it is off.
    pub(crate) fn container_memory(&self, container: &Container) -> u64 {
        if !container.running {
            return 0;
        }
        self.near_bytes(
            &format!("memory {}", container.vmid),
            container.memory_used,
            GUEST_MEMORY,
        )
        .min(container.memory())
    }

    /// Load of a virtual machine, a part of its processors.
    pub(crate) fn machine_cpu(&self, machine: &Machine) -> f64 {
        if machine.running {
            self.near(&format!("cpu {}", machine.vmid), machine.cpu, CPU)
                .clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Memory that a virtual machine uses, in bytes; none when it is off.
    pub(crate) fn machine_memory(&self, machine: &Machine) -> u64 {
        if machine.running {
            self.near_bytes(
                &format!("memory {}", machine.vmid),
                machine.memory_used,
                GUEST_MEMORY,
            )
            .min(machine.memory)
        } else {
            0
        }
    }
}
