//! The bridges of a node, to which containers are plugged.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, NodeName, Result};

/// A bridge or virtual network of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// Its name, such as `vmbr0`.
    pub iface: String,
    /// What it is: `bridge`, `OVSBridge`, `vnet`.
    pub kind: String,
    /// Whether it is up. A virtual network of the cluster does not tell.
    pub active: bool,
    /// The node's own address on it.
    pub address: Option<String>,
    /// The same with its network's prefix.
    pub cidr: Option<String>,
    /// The gateway that the node uses there.
    pub gateway: Option<String>,
    /// Whether it takes VLAN tags.
    pub vlan_aware: bool,
}

pub(crate) fn bridges(node: &NodeName) -> Request {
    Request::on(Endpoint::Networks, node).with("type", "any_bridge")
}

fn bridge(row: &Fields<'_>) -> Result<Bridge> {
    Ok(Bridge {
        iface: row.required("iface", row.text("iface")?)?,
        kind: row.text("type")?.unwrap_or_default(),
        active: row.flag("active")?,
        address: row.text("address")?,
        cidr: row.text("cidr")?,
        gateway: row.text("gateway")?,
        vlan_aware: row.flag("bridge_vlan_aware")?,
    })
}

impl Client {
    /// Bridges of a node, and the virtual networks of the cluster.
    pub async fn bridges(&self, node: &NodeName) -> Result<Vec<Bridge>> {
        self.call(&bridges(node)).await?.collect(bridge)
    }
}
