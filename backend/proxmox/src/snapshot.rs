//! Snapshots of a container, where its storage can make them.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, Error, NodeName, Result, Upid, Vmid, validate};

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// When it was taken, in seconds since 1970.
    pub taken: Option<u64>,
    /// What was said about it.
    pub description: Option<String>,
    /// The one that it follows.
    pub parent: Option<String>,
}

/// The row that stands for the present state.
const PRESENT: &str = "current";

fn named(endpoint: Endpoint, node: &NodeName, vmid: Vmid, name: &str) -> Result<Request> {
    Ok(Request::guest(endpoint, node, vmid).variable("snapname", checked(name)?))
}

fn checked(name: &str) -> Result<&str> {
    let usable =
        validate::is_config_id(name) && name != PRESENT && name != "vzdump" && name != "pending";
    if usable {
        Ok(name)
    } else {
        Err(Error::parameter(
            "snapname",
            "not a snapshot's name: a letter, then letters, digits, - and _",
        ))
    }
}

pub(crate) fn snapshots(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::Snapshots, node, vmid)
}

pub(crate) fn create_snapshot(
    node: &NodeName,
    vmid: Vmid,
    name: &str,
    description: &str,
) -> Result<Request> {
    let description = Some(description).filter(|description| !description.is_empty());
    Ok(Request::guest(Endpoint::CreateSnapshot, node, vmid)
        .with("snapname", checked(name)?)
        .with_some("description", description))
}

pub(crate) fn delete_snapshot(node: &NodeName, vmid: Vmid, name: &str) -> Result<Request> {
    named(Endpoint::DeleteSnapshot, node, vmid, name)
}

pub(crate) fn roll_back(node: &NodeName, vmid: Vmid, name: &str) -> Result<Request> {
    named(Endpoint::RollBackSnapshot, node, vmid, name)
}

fn snapshot(row: &Fields<'_>) -> Result<Snapshot> {
    Ok(Snapshot {
        name: row.required("name", row.text("name")?)?,
        taken: row.integer("snaptime")?,
        description: row.text("description")?,
        parent: row.text("parent")?,
    })
}

impl Client {
    /// The snapshots of a container.
    pub async fn snapshots(&self, node: &NodeName, vmid: Vmid) -> Result<Vec<Snapshot>> {
        let mut snapshots = self.call(&snapshots(node, vmid)).await?.collect(snapshot)?;
        snapshots.retain(|snapshot| snapshot.name != PRESENT);
        Ok(snapshots)
    }

    /// Takes one. Refused where the storage cannot (directories, NFS, thick LVM).
    pub async fn create_snapshot(
        &self,
        node: &NodeName,
        vmid: Vmid,
        name: &str,
        description: &str,
    ) -> Result<Upid> {
        self.start(&create_snapshot(node, vmid, name, description)?)
            .await
    }

    /// Removes one.
    pub async fn delete_snapshot(&self, node: &NodeName, vmid: Vmid, name: &str) -> Result<Upid> {
        self.start(&delete_snapshot(node, vmid, name)?).await
    }

    /// Sets the container back to one, stopping it before. It stays stopped.
    pub async fn roll_back(&self, node: &NodeName, vmid: Vmid, name: &str) -> Result<Upid> {
        self.start(&roll_back(node, vmid, name)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_else_are_refused() {
        assert!(checked("before-upgrade_2").is_ok());
        for name in ["current", "vzdump", "", "2a", "a/b", "a b"] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
