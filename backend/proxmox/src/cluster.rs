//! The cluster as a whole: whether it takes changes, and where its nodes are.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::{Client, NodeName, Result};

/// The cluster; a host alone is one too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Its name; none for a host alone.
    pub name: Option<String>,
    /// Whether it takes changes. A host alone always does.
    pub quorate: bool,
    /// Its nodes.
    pub nodes: Vec<ClusterNode>,
}

/// A node in the eyes of the host that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNode {
    /// Its name.
    pub name: NodeName,
    /// Its address in the cluster's own network, which others may not reach.
    pub ip: Option<IpAddr>,
    /// Whether the cluster sees it.
    pub online: bool,
    /// Whether it is the host that was asked.
    pub local: bool,
}

fn node(row: &Fields<'_>) -> Result<ClusterNode> {
    Ok(ClusterNode {
        name: row.required("name", row.parsed("name")?)?,
        ip: row.parsed("ip")?,
        online: row.flag("online")?,
        local: row.flag("local")?,
    })
}

impl Client {
    /// Quorum and addresses. Needs `Sys.Audit` on `/`.
    pub async fn cluster_status(&self) -> Result<ClusterStatus> {
        let reply = self.get(Endpoint::ClusterStatus).await?;
        let mut status = ClusterStatus {
            name: None,
            quorate: true,
            nodes: Vec::new(),
        };
        for row in reply.rows()? {
            match row.text("type")?.as_deref() {
                Some("cluster") => {
                    (status.name, status.quorate) = (row.text("name")?, row.flag("quorate")?);
                }
                Some("node") => status.nodes.push(node(&row)?),
                _ => return Err(row.malformed("type", "cluster or node")),
            }
        }
        Ok(status)
    }
}
