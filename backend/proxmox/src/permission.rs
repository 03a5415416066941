//! What the identity of a client may do.

use std::collections::BTreeMap;

use crate::endpoint::Endpoint;
use crate::fields::Reply;
use crate::forms::flag;
use crate::{Client, Result};

/// The privileges of an identity, by path of Proxmox's tree of objects: `/`, `/vms`, `/storage/local`, …
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// Path to privilege to whether it goes for what is below, too.
    paths: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Permissions {
    fn read(reply: &Reply) -> Result<Self> {
        let tree = reply.data.as_object();
        let tree = tree.ok_or_else(|| reply.malformed("data is not an object"))?;
        let mut paths = BTreeMap::new();
        for (path, held) in tree {
            let held = held
                .as_object()
                .ok_or_else(|| reply.malformed(format!("{path} is not an object")))?;
            let held = held.iter().map(|(privilege, passed_on)| {
                // 0 means: here, and not below.
                let passed_on = flag(passed_on)
                    .ok_or_else(|| reply.malformed(format!("{path}.{privilege} is no boolean")))?;
                Ok((privilege.clone(), passed_on))
            });
            paths.insert(path.clone(), held.collect::<Result<_>>()?);
        }
        Ok(Self { paths })
    }

    /// Whether the privilege is held on a path. What is told for the nearest path above it counts: a closer grant
    /// replaces a wider one.
    pub fn holds(&self, privilege: &str, path: &str) -> bool {
        if let Some(held) = self.paths.get(path) {
            return held.contains_key(privilege);
        }
        let mut above = path;
        while above != "/" {
            above = match above.rsplit_once('/') {
                Some(("", _)) | None => "/",
                Some((parent, _)) => parent,
            };
            if let Some(held) = self.paths.get(above) {
                return held.get(privilege) == Some(&true);
            }
        }
        false
    }

    /// Whether the privilege is held on a path or on something below it.
    pub fn holds_within(&self, privilege: &str, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        self.holds(privilege, path)
            || self
                .paths
                .iter()
                .any(|(other, held)| other.starts_with(&below) && held.contains_key(privilege))
    }
}

impl Client {
    /// The privileges of this client's own identity. Anybody may ask for their own.
    pub async fn permissions(&self) -> Result<Permissions> {
        Permissions::read(&self.get(Endpoint::Permissions).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(data: Value) -> Result<Permissions> {
        let call = "GET /access/permissions".to_owned();
        Permissions::read(&Reply { call, data })
    }

    #[test]
    fn the_nearest_path_counts_and_only_what_is_passed_on_reaches_below() {
        let held = read(json!({
            "/": {"Sys.Audit": 1, "VM.Audit": "0"},
            "/storage": {"Datastore.Audit": true},
            "/storage/local": {"Datastore.AllocateTemplate": 0},
        }))
        .unwrap();
        assert!(held.holds("Sys.Audit", "/nodes/pve1") && held.holds("VM.Audit", "/"));
        assert!(!held.holds("VM.Audit", "/vms"));
        assert!(held.holds("Datastore.Audit", "/storage/nfs"));
        assert!(!held.holds("Datastore.Audit", "/storage/local"));
        assert!(!held.holds("Datastore.AllocateTemplate", "/storage"));
        assert!(held.holds_within("Datastore.AllocateTemplate", "/storage"));
        assert!(!held.holds_within("Datastore.AllocateTemplate", "/storage/local/x"));
        assert!(!Permissions::default().holds("Sys.Audit", "/"));
    }

    #[test]
    fn nonsense_is_named() {
        for data in [json!([]), json!({"/": 1}), json!({"/": {"Sys.Audit": "x"}})] {
            assert!(
                read(data)
                    .unwrap_err()
                    .to_string()
                    .contains("/access/permissions")
            );
        }
    }
}
