//! The nodes: what the whole cluster tells about them, and what one tells about itself.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::guest::resources;
use crate::request::Request;
use crate::{Client, NodeName, Result};

/// One row of the cluster's list of nodes, about ten seconds old. Without `Sys.Audit` on the node all numbers are 0:
/// see [`NodeSummary::is_measured`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// Its name.
    pub node: NodeName,
    /// Whether the cluster sees it.
    pub online: bool,
    /// Used processor time, 0 to 1.
    pub cpu: f64,
    /// Logical processors.
    pub cores: u32,
    /// Used memory in bytes.
    pub memory_used: u64,
    /// Memory in bytes.
    pub memory_total: u64,
    /// Used space of its root file system in bytes.
    pub disk_used: u64,
    /// Size of its root file system in bytes.
    pub disk_total: u64,
    /// Seconds since it was started.
    pub uptime: u64,
    /// Whether somebody set it aside. Told only since 8.3, and only where high availability is in use.
    pub maintenance: bool,
    /// `amd64` or `arm64`, where it is told (since 9.2).
    pub architecture: Option<String>,
}

impl NodeSummary {
    /// Whether its numbers are known.
    pub fn is_measured(&self) -> bool {
        self.memory_total > 0
    }
}

/// What a node tells about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Used processor time, 0 to 1.
    pub cpu: f64,
    /// Logical processors.
    pub cpus: u32,
    /// Model of the processor.
    pub cpu_model: Option<String>,
    /// Load over 1, 5 and 15 minutes.
    pub loadavg: [f64; 3],
    /// Memory in bytes.
    pub memory_total: u64,
    /// Used memory in bytes.
    pub memory_used: u64,
    /// Free memory in bytes; what programs could have, where the node tells that (since 9.0).
    pub memory_available: u64,
    /// Swap in bytes.
    pub swap_total: u64,
    /// Used swap in bytes.
    pub swap_used: u64,
    /// Size of the root file system in bytes.
    pub disk_total: u64,
    /// Used space of it in bytes.
    pub disk_used: u64,
    /// Seconds since it was started.
    pub uptime: u64,
    /// Such as `6.17.2-1-pve`.
    pub kernel: Option<String>,
    /// Such as `pve-manager/9.1.1/abcdef`.
    pub pve_version: Option<String>,
    /// `amd64` or `arm64`, where it is told.
    pub architecture: Option<String>,
}

pub(crate) fn node_status(node: &NodeName) -> Request {
    Request::on(Endpoint::NodeStatus, node)
}

/// The name that templates use for what a kernel calls the machine.
fn architecture(machine: String) -> String {
    match machine.as_str() {
        "x86_64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        _ => machine,
    }
}

fn summary(row: &Fields<'_>) -> Result<NodeSummary> {
    Ok(NodeSummary {
        node: row.required("node", row.parsed("node")?)?,
        online: row.text("status")?.as_deref() == Some("online"),
        cpu: row.number("cpu")?.unwrap_or(0.0),
        cores: row.small("maxcpu")?.unwrap_or(0),
        memory_used: row.integer("mem")?.unwrap_or(0),
        memory_total: row.integer("maxmem")?.unwrap_or(0),
        disk_used: row.integer("disk")?.unwrap_or(0),
        disk_total: row.integer("maxdisk")?.unwrap_or(0),
        uptime: row.integer("uptime")?.unwrap_or(0),
        maintenance: row.text("hastate")?.as_deref() == Some("maintenance"),
        architecture: row.text("host-arch")?.map(architecture),
    })
}

fn status(fields: &Fields<'_>) -> Result<NodeStatus> {
    let part = |name: &str, field: &str| -> Result<u64> {
        Ok(fields
            .inner(name)?
            .map(|inner| inner.integer(field))
            .transpose()?
            .flatten()
            .unwrap_or(0))
    };
    let cpu = fields.inner("cpuinfo")?;
    let kernel = fields.inner("current-kernel")?;
    let memory = fields.required("memory", fields.inner("memory")?)?;
    let release = kernel
        .as_ref()
        .map(|kernel| kernel.text("release"))
        .transpose()?
        .flatten();
    Ok(NodeStatus {
        cpu: fields.number("cpu")?.unwrap_or(0.0),
        cpus: cpu
            .as_ref()
            .map(|cpu| cpu.small("cpus"))
            .transpose()?
            .flatten()
            .unwrap_or(0),
        cpu_model: cpu.map(|cpu| cpu.text("model")).transpose()?.flatten(),
        loadavg: load(fields)?,
        memory_total: memory.required("total", memory.integer("total")?)?,
        memory_used: memory.required("used", memory.integer("used")?)?,
        memory_available: memory
            .integer("available")?
            .or(memory.integer("free")?)
            .unwrap_or(0),
        swap_total: part("swap", "total")?,
        swap_used: part("swap", "used")?,
        disk_total: part("rootfs", "total")?,
        disk_used: part("rootfs", "used")?,
        uptime: fields.integer("uptime")?.unwrap_or(0),
        // Older hosts have it only inside `Linux 5.4.73-1-pve #1 SMP …`.
        kernel: release.or(fields
            .text("kversion")?
            .and_then(|text| text.split_whitespace().nth(1).map(str::to_owned))),
        pve_version: fields.text("pveversion")?,
        architecture: kernel
            .map(|kernel| kernel.text("machine"))
            .transpose()?
            .flatten()
            .map(architecture),
    })
}

fn load(fields: &Fields<'_>) -> Result<[f64; 3]> {
    let mut load = [0.0; 3];
    for (slot, text) in load.iter_mut().zip(fields.list("loadavg")?) {
        *slot = text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| fields.malformed("loadavg", "three numbers"))?;
    }
    Ok(load)
}

impl Client {
    /// All nodes of the cluster that this identity may see.
    pub async fn nodes(&self) -> Result<Vec<NodeSummary>> {
        self.call(&resources("node")).await?.collect(summary)
    }

    /// What a node tells about itself. Needs `Sys.Audit` on it.
    pub async fn node_status(&self, node: &NodeName) -> Result<NodeStatus> {
        status(&self.call(&node_status(node)).await?.fields()?)
    }
}
