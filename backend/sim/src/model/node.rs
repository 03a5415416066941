//! A node: its hardware, whether it answers, and what it says about itself.

use std::net::IpAddr;

use crate::options::{GIB, NodeOptions};

/// A bridge of a node.
#[derive(Clone, Debug)]
pub(crate) struct Bridge {
    pub(crate) name: String,
    pub(crate) cidr: Option<String>,
    pub(crate) gateway: Option<String>,
    pub(crate) port: Option<String>,
}

/// One node of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Number in the cluster, from 1.
    pub(crate) id: usize,
    /// Address that the cluster knows it by; its SSH server listens there.
    pub(crate) address: IpAddr,
    /// Whether it can be reached. What runs on it goes on meanwhile.
    pub(crate) online: bool,
    pub(crate) maintenance: bool,
    /// Bytes.
    pub(crate) memory: u64,
    /// Bytes that the host and others' guests use.
    pub(crate) memory_used: u64,
    pub(crate) cpus: u32,
    /// Load, 0 to 1.
    pub(crate) cpu: f64,
    pub(crate) architecture: String,
    pub(crate) bridges: Vec<Bridge>,
    /// Size of the root file system in bytes.
    pub(crate) root: u64,
    /// Bytes of the root file system in use.
    pub(crate) root_used: u64,
    /// Seconds since the epoch.
    pub(crate) booted: u64,
    /// Version of the package `lxc-pve`.
    pub(crate) lxc_pve: String,
}

impl Node {
    pub(crate) fn new(wanted: &NodeOptions, index: usize, address: IpAddr) -> Self {
        let mut bridges = vec![Bridge {
            name: "vmbr0".to_owned(),
            cidr: Some(format!("10.10.0.{}/24", index + 2)),
            gateway: Some("10.10.0.1".to_owned()),
            port: Some("eno1".to_owned()),
        }];
        // Not every node has the second network: a placement that ignores bridges shall fail.
        if index.is_multiple_of(2) {
            bridges.push(Bridge {
                name: "vmbr1".to_owned(),
                cidr: None,
                gateway: None,
                port: None,
            });
        }
        let weeks = 1 + index as u64;
        Self {
            name: wanted.name.clone(),
            id: index + 1,
            address,
            online: true,
            maintenance: wanted.maintenance,
            memory: wanted.memory,
            memory_used: wanted.memory_used,
            cpus: wanted.cpus,
            cpu: wanted.cpu,
            architecture: wanted.architecture.clone(),
            bridges,
            root: 94 * GIB,
            root_used: 11 * GIB,
            lxc_pve: "6.0.5-3".to_owned(),
            booted: crate::clock::now().saturating_sub(weeks * 7 * 24 * 3600),
        }
    }
}
