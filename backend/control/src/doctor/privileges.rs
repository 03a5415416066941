//! What the identity may do on the cluster, against what deployments ask of it.
//!
//! The privileges are those that Proxmox's own API description names for each call that Proximity makes.

use api::Check;
use proxmox::{Client, Identity, IdentityKind, Permissions};

use super::{
    PATIENCE,
    check::{Besides as _, explained, failed, ok},
};
use crate::{Settings, explain};

/// One privilege that is needed.
struct Need {
    privilege: &'static str,
    /// Where: on the path itself or, for storages that nobody named, on any below.
    path: String,
    anywhere_below: bool,
    /// A pool on which it would do as well.
    pool: Option<String>,
    /// What it is for, as the end of a sentence.
    purpose: &'static str,
}

fn needs(settings: &Settings) -> Vec<Need> {
    let need = |privilege, path: &str, purpose| Need {
        privilege,
        path: path.to_owned(),
        anywhere_below: false,
        pool: None,
        purpose,
    };
    let pool = settings.pool.as_ref().map(|pool| format!("/pool/{pool}"));
    let guest = |privilege, purpose| Need {
        pool: pool.clone(),
        ..need(privilege, "/vms", purpose)
    };
    let storage = |privilege, named: Option<&String>, purpose| Need {
        anywhere_below: named.is_none(),
        ..need(
            privilege,
            &named.map_or_else(|| "/storage".to_owned(), |name| format!("/storage/{name}")),
            purpose,
        )
    };
    let (disks, templates) = (
        settings.storage.as_ref(),
        settings.template_storage.as_ref(),
    );
    let bridge = format!("/sdn/zones/localnetwork/{}", settings.bridge);
    let mut needs = vec![
        guest("VM.Allocate", "creating and destroying containers"),
        guest("VM.Config.CPU", "setting a container's cores"),
        guest("VM.Config.Memory", "setting a container's memory"),
        guest("VM.Config.Disk", "giving a container its disk"),
        guest(
            "VM.Config.Network",
            "giving a container its network and name",
        ),
        // Tags are checked without the pool that a container is created in.
        need(
            "VM.Config.Options",
            "/vms",
            "the tags and the description that prove a container to be ours",
        ),
        guest("VM.PowerMgmt", "starting and stopping containers"),
        guest("VM.Audit", "finding a container, its state and its address"),
        storage(
            "Datastore.AllocateSpace",
            disks,
            "making a container's disk",
        ),
        storage(
            "Datastore.Audit",
            disks,
            "seeing how much room a storage has",
        ),
        storage(
            "Datastore.AllocateTemplate",
            templates,
            "downloading the Alpine template",
        ),
        need("SDN.Use", &bridge, "attaching a container to the bridge"),
        need(
            "Sys.Audit",
            "/",
            "seeing the quorum and the nodes' addresses",
        ),
        need(
            "Sys.Audit",
            "/nodes",
            "seeing the nodes' memory and processors",
        ),
    ];
    if let Some(pool) = &pool {
        needs.push(need("Pool.Audit", pool, "putting containers into the pool"));
    }
    needs
}

impl Need {
    fn is_met(&self, held: &Permissions) -> bool {
        let there = if self.anywhere_below {
            held.holds_within(self.privilege, &self.path)
        } else {
            held.holds(self.privilege, &self.path)
        };
        there
            || self
                .pool
                .as_ref()
                .is_some_and(|pool| held.holds(self.privilege, pool))
    }

    fn told(&self, identity: &Identity) -> Check {
        let (privilege, path, user) = (self.privilege, &self.path, &identity.user);
        let message = format!(
            "`{user}` lacks `{privilege}` on `{path}`, which is needed for {}.",
            self.purpose
        );
        let (option, separated) = match identity.kind {
            IdentityKind::Token => (
                "-token",
                " A token made with --privsep 1 needs it itself, besides its user.",
            ),
            IdentityKind::Root | IdentityKind::User => ("-user", ""),
        };
        failed("privileges", message).hint(format!(
            "Give it a role that has it, e.g. `pveum aclmod {path} {option} '{user}' -role Proximity`; docs/first-cluster.md lists the role.{separated}"
        ))
    }
}

/// One finding for each privilege that is missing, or one that says that none is.
pub(super) async fn look(client: &Client, settings: &Settings) -> Vec<Check> {
    match tokio::time::timeout(PATIENCE, client.permissions()).await {
        Ok(Ok(held)) => judge(&held, &client.identity(), settings),
        Ok(Err(error)) => vec![explained(
            "privileges",
            explain::proxmox("asking for the privileges", &error),
        )],
        Err(_) => vec![failed(
            "privileges",
            "The cluster does not tell the privileges in time.",
        )],
    }
}

fn judge(held: &Permissions, identity: &Identity, settings: &Settings) -> Vec<Check> {
    let needs = needs(settings);
    let missing: Vec<Check> = needs
        .iter()
        .filter(|need| !need.is_met(held))
        .map(|need| need.told(identity))
        .collect();
    if !missing.is_empty() {
        return missing;
    }
    let message = format!("`{}` has all privileges that are needed.", identity.user);
    let all = needs
        .iter()
        .map(|need| format!("{} on {}", need.privilege, need.path));
    vec![all.fold(ok("privileges", message), |check, line| {
        check.evidence(line)
    })]
}
