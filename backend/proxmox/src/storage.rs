//! The storages of a node.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, NodeName, Result, StorageName};

/// A storage as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Its name.
    pub name: StorageName,
    /// Its type: `dir`, `lvmthin`, `zfspool`, `nfs`, …
    pub kind: String,
    /// What it may hold: `rootdir` (container disks), `vztmpl` (templates), `backup`, …
    pub content: Vec<String>,
    /// Whether an administrator allows its use.
    pub enabled: bool,
    /// Whether the node reaches it now.
    pub active: bool,
    /// Whether all nodes see the same.
    pub shared: bool,
    /// Size in bytes.
    pub total: u64,
    /// Used in bytes.
    pub used: u64,
    /// Free in bytes. A thin pool may be promised several times over.
    pub available: u64,
}

impl Storage {
    /// Whether it may hold this kind of content.
    pub fn holds(&self, content: &str) -> bool {
        self.content.iter().any(|held| held == content)
    }

    /// Whether it can be used now.
    pub fn is_usable(&self) -> bool {
        self.enabled && self.active
    }
}

pub(crate) fn storages(node: &NodeName) -> Request {
    Request::on(Endpoint::Storages, node)
}

fn storage(row: &Fields<'_>) -> Result<Storage> {
    Ok(Storage {
        name: row.required("storage", row.parsed("storage")?)?,
        kind: row.required("type", row.text("type")?)?,
        content: row.list("content")?,
        enabled: row.flag("enabled")?,
        active: row.flag("active")?,
        shared: row.flag("shared")?,
        total: row.integer("total")?.unwrap_or(0),
        used: row.integer("used")?.unwrap_or(0),
        available: row.integer("avail")?.unwrap_or(0),
    })
}

impl Client {
    /// The storages of a node on which this identity has `Datastore.Audit` or `Datastore.AllocateSpace`.
    pub async fn storages(&self, node: &NodeName) -> Result<Vec<Storage>> {
        self.call(&storages(node)).await?.collect(storage)
    }
}
