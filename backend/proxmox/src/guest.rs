//! What guests the cluster has, and which numbers are free.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, Error, NodeName, Power, Result, Vmid};

/// What kind of guest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestKind {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

/// One row of the cluster's list of guests. Numbers are what its node last told, about ten seconds old.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuestSummary {
    /// Its number.
    pub vmid: Vmid,
    /// Where it is.
    pub node: NodeName,
    /// Container or virtual machine.
    pub kind: GuestKind,
    /// Its name; empty where none is told.
    pub name: String,
    /// Whether it runs.
    pub status: Power,
    /// Whether it is a template.
    pub template: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its pool.
    pub pool: Option<String>,
    /// Who holds it.
    pub lock: Option<String>,
    /// Configured memory in bytes.
    pub max_memory: u64,
    /// Used memory in bytes.
    pub memory: u64,
    /// Size of its root disk in bytes.
    pub max_disk: u64,
    /// Used bytes of its root disk; 0 of one that does not run.
    pub disk: u64,
    /// Configured processors; a container's limit may be a fraction.
    pub cpus: f64,
    /// Used processor time, as a fraction of `cpus`.
    pub cpu: f64,
    /// Seconds since it was started; 0 when it does not run.
    pub uptime: u64,
}

pub(crate) fn resources(kind: &str) -> Request {
    Request::new(Endpoint::ClusterResources).with("type", kind)
}

pub(crate) fn next_vmid(wanted: Option<Vmid>) -> Request {
    Request::new(Endpoint::NextVmid).with_some("vmid", wanted)
}

fn guest(row: &Fields<'_>) -> Result<GuestSummary> {
    let kind = match row.required("type", row.text("type")?)?.as_str() {
        "lxc" => GuestKind::Lxc,
        "qemu" => GuestKind::Qemu,
        _ => return Err(row.malformed("type", "lxc or qemu")),
    };
    Ok(GuestSummary {
        vmid: row.required("vmid", row.parsed("vmid")?)?,
        node: row.required("node", row.parsed("node")?)?,
        kind,
        name: row.text("name")?.unwrap_or_default(),
        status: row.parsed("status")?.unwrap_or(Power::Unknown),
        template: row.flag("template")?,
        tags: row.list("tags")?,
        pool: row.text("pool")?,
        lock: row.text("lock")?,
        max_memory: row.integer("maxmem")?.unwrap_or(0),
        memory: row.integer("mem")?.unwrap_or(0),
        max_disk: row.integer("maxdisk")?.unwrap_or(0),
        disk: row.integer("disk")?.unwrap_or(0),
        cpus: row.number("maxcpu")?.unwrap_or(0.0),
        cpu: row.number("cpu")?.unwrap_or(0.0),
        uptime: row.integer("uptime")?.unwrap_or(0),
    })
}

impl Client {
    /// All guests of the cluster that this identity may see.
    pub async fn guests(&self) -> Result<Vec<GuestSummary>> {
        self.call(&resources("vm")).await?.collect(guest)
    }

    /// The smallest free number. Nothing is reserved: whoever asks at the same time is told the same.
    pub async fn next_vmid(&self) -> Result<Vmid> {
        self.call(&next_vmid(None)).await?.parse()
    }

    /// Whether no guest has this number now.
    pub async fn vmid_is_free(&self, vmid: Vmid) -> Result<bool> {
        match self.call(&next_vmid(Some(vmid))).await {
            Ok(reply) => Ok(reply.parse::<Vmid>()? == vmid),
            Err(Error::Invalid { errors, .. })
                if errors
                    .get("vmid")
                    .is_some_and(|text| text.contains("already exists")) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
