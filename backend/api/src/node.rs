//! The cluster as Proximity places on it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operation::words;

/// Whether a node can work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Takes work.
    Online,
    /// Does not answer the cluster.
    Offline,
    /// Its administrator is at work on it.
    Maintenance,
}

words!(NodeState { Online = "online", Offline = "offline", Maintenance = "maintenance" });

/// A node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Name.
    pub name: String,
    /// Whether it can work.
    pub state: NodeState,
    /// CPU in use, 0 to 1.
    pub cpu: f64,
    /// CPU cores.
    pub cores: u32,
    /// Memory in use, bytes.
    pub memory_used: u64,
    /// Memory, bytes.
    pub memory_total: u64,
    /// Memory promised to apps that do not use it yet, bytes.
    pub memory_promised: u64,
    /// Apps on it.
    pub apps: u32,
    /// Why it would not be chosen now; absent when it could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfit: Option<String>,
}

/// A storage on a node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    /// Name.
    pub name: String,
    /// The node on which it was asked.
    pub node: String,
    /// Kind, e.g. `lvmthin`.
    pub kind: String,
    /// What it holds, e.g. `rootdir`, `vztmpl`.
    pub content: Vec<String>,
    /// Whether other nodes see the same storage.
    pub shared: bool,
    /// Whether it can be used now.
    pub active: bool,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub available: u64,
}
