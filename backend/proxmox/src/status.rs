//! What a container is doing now.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, NodeName, Power, Result, Vmid};

/// What a container is doing now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerStatus {
    /// Whether it runs.
    pub status: Power,
    /// Who holds it.
    pub lock: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Seconds since it was started.
    pub uptime: u64,
    /// Used processor time, as a fraction of `cpus`.
    pub cpu: f64,
    /// Processors it may use.
    pub cpus: f64,
    /// Used memory in bytes.
    pub memory: u64,
    /// Its limit in bytes.
    pub max_memory: u64,
    /// Used swap in bytes.
    pub swap: u64,
    /// Its limit in bytes.
    pub max_swap: u64,
    /// Used space of its root disk in bytes; 0 while it does not run.
    pub disk: u64,
    /// Size of its root disk in bytes.
    pub max_disk: u64,
    /// Bytes it has received since it was started.
    pub net_in: u64,
    /// Bytes it has sent since it was started.
    pub net_out: u64,
    /// Whether high availability looks after it: then start and stop are only wishes.
    pub ha_managed: bool,
}

pub(crate) fn container_status(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::ContainerStatus, node, vmid)
}

fn status(fields: &Fields<'_>) -> Result<ContainerStatus> {
    let number = |name: &str| fields.integer(name).map(|number| number.unwrap_or(0));
    Ok(ContainerStatus {
        status: fields.required("status", fields.parsed("status")?)?,
        lock: fields.text("lock")?,
        name: fields.text("name")?,
        uptime: number("uptime")?,
        cpu: fields.number("cpu")?.unwrap_or(0.0),
        cpus: fields.number("cpus")?.unwrap_or(0.0),
        memory: number("mem")?,
        max_memory: number("maxmem")?,
        swap: number("swap")?,
        max_swap: number("maxswap")?,
        disk: number("disk")?,
        max_disk: number("maxdisk")?,
        net_in: number("netin")?,
        net_out: number("netout")?,
        ha_managed: fields
            .inner("ha")?
            .map(|ha| ha.flag("managed"))
            .transpose()?
            .unwrap_or(false),
    })
}

impl Client {
    /// What a container is doing now.
    pub async fn container_status(&self, node: &NodeName, vmid: Vmid) -> Result<ContainerStatus> {
        status(&self.call(&container_status(node, vmid)).await?.fields()?)
    }
}
