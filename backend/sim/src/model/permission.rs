//! Who may do what: privileges granted on paths, inherited downwards, overridden by what is closer.

use std::collections::BTreeSet;

use crate::failure::Failure;
use crate::model::identity::{Identities, Identity, ROOT};

/// All privileges that the simulation knows; root has them everywhere.
pub(crate) const ALL: &[&str] = &[
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// What is enough to deploy containers.
const DEPLOY: &[&str] = &[
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Pool.Audit",
    "SDN.Use",
    "Sys.Audit",
    "VM.Allocate",
    "VM.Audit",
    "VM.Clone",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// What is enough to look.
const LOOK: &[&str] = &["Datastore.Audit", "Pool.Audit", "Sys.Audit", "VM.Audit"];

#[derive(Clone, Debug)]
struct Grant {
    path: String,
    to: String,
    privileges: BTreeSet<&'static str>,
}

/// All grants.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    grants: Vec<Grant>,
}

impl Permissions {
    /// `proximity@pve` may deploy, its separated token `limited` may look.
    pub(crate) fn standard() -> Self {
        let mut permissions = Self::default();
        permissions.grant("/", "proximity@pve", DEPLOY);
        permissions.grant("/", "proximity@pve!limited", LOOK);
        permissions
    }

    fn grant(&mut self, path: &str, to: &str, privileges: &[&'static str]) {
        self.grants.push(Grant {
            path: path.to_owned(),
            to: to.to_owned(),
            privileges: privileges.iter().copied().collect(),
        });
    }

    fn granted(&self, to: &str, path: &str) -> BTreeSet<&'static str> {
        self.grants
            .iter()
            .filter(|grant| grant.to == to && covers(&grant.path, path))
            .max_by_key(|grant| grant.path.len())
            .map(|grant| grant.privileges.clone())
            .unwrap_or_default()
    }

    /// All privileges of a caller on a path.
    pub(crate) fn of(
        &self,
        identities: &Identities,
        who: &Identity,
        path: &str,
    ) -> BTreeSet<&'static str> {
        let user = if who.user == ROOT {
            ALL.iter().copied().collect()
        } else {
            self.granted(&who.user, path)
        };
        if identities.is_separated(who) {
            let own = self.granted(&who.name(), path);
            user.intersection(&own).copied().collect()
        } else {
            user
        }
    }
}

fn covers(granted: &str, path: &str) -> bool {
    granted == "/"
        || path
            .strip_prefix(granted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl super::Model {
    /// Whether the caller has a privilege on a path.
    pub(crate) fn may(&self, who: &Identity, path: &str, privilege: &str) -> bool {
        self.permissions
            .of(&self.identities, who, path)
            .contains(privilege)
    }

    /// Refuses a caller who has none of these privileges on the path.
    pub(crate) fn check_any(
        &self,
        who: &Identity,
        path: &str,
        privileges: &[&str],
    ) -> Result<(), Failure> {
        let held = self.permissions.of(&self.identities, who, path);
        if privileges.iter().any(|wanted| held.contains(wanted)) {
            Ok(())
        } else {
            Err(Failure::forbidden(format!(
                "{path}, {}",
                privileges.join("|")
            )))
        }
    }

    /// Refuses a caller without this privilege on the path.
    pub(crate) fn check(&self, who: &Identity, path: &str, privilege: &str) -> Result<(), Failure> {
        self.check_any(who, path, &[privilege])
    }

    /// Refuses a caller without this privilege on a guest, directly or through its pool.
    pub(crate) fn check_guest(
        &self,
        who: &Identity,
        vmid: u32,
        pool: Option<&str>,
        privilege: &str,
    ) -> Result<(), Failure> {
        if pool.is_some_and(|pool| self.may(who, &format!("/pool/{pool}"), privilege)) {
            return Ok(());
        }
        self.check(who, &format!("/vms/{vmid}"), privilege)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closer_grants_override_and_separated_tokens_intersect() {
        let identities = Identities::new("x");
        let mut permissions = Permissions::standard();
        let user = Identity {
            user: "proximity@pve".to_owned(),
            token: None,
        };
        let limited = Identity {
            token: Some("limited".to_owned()),
            ..user.clone()
        };
        let has = |permissions: &Permissions, who: &Identity, path: &str, privilege: &str| {
            permissions.of(&identities, who, path).contains(privilege)
        };
        assert!(has(&permissions, &user, "/vms/101", "VM.Allocate"));
        assert!(!has(&permissions, &user, "/", "Sys.Modify"));
        assert!(has(&permissions, &limited, "/vms/101", "VM.Audit"));
        assert!(!has(&permissions, &limited, "/vms/101", "VM.Allocate"));
        permissions.grant("/vms/101", "proximity@pve", LOOK);
        assert!(!has(&permissions, &user, "/vms/101", "VM.Allocate"));
        assert!(has(&permissions, &user, "/vms/1011", "VM.Allocate"));
    }
}
