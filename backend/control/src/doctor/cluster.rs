//! The cluster as a whole: whether it takes changes, has numbers left, and lets features be set.

use api::{Check, CheckState};
use proxmox::{Client, Error, Features, Identity};

use super::{
    PATIENCE,
    check::{Besides as _, explained, failed, ok, skipped, warning},
    worst,
};
use crate::{Settings, explain};

/// Fewer free numbers than this are worth a word.
const FEW: usize = 10;

/// Whether the cluster takes changes.
pub(super) async fn quorum(client: &Client) -> Check {
    let name = "quorum";
    match tokio::time::timeout(PATIENCE, client.cluster_status()).await {
        Ok(Ok(status)) if status.quorate => match status.name {
            Some(cluster) => ok(
                name,
                format!("The cluster `{cluster}` has a quorum and takes changes."),
            ),
            None => ok(name, "The node stands alone and takes changes."),
        },
        Ok(Ok(status)) => {
            let away = status.nodes.iter().filter(|node| !node.online);
            let away: Vec<_> = away.map(|node| node.name.to_string()).collect();
            failed(name, "The cluster has no quorum: it takes no changes.")
                .evidence(format!("nodes that are away: {}", away.join(", ")))
                .hint("Bring enough nodes back.")
        }
        Ok(Err(error @ Error::Forbidden { .. })) => {
            skipped(name, "The cluster does not tell whether it has a quorum.")
                .evidence(error.to_string())
        }
        Ok(Err(error)) => explained(name, explain::proxmox("asking for the quorum", &error)),
        Err(_) => failed(
            name,
            "The cluster does not tell in time whether it has a quorum.",
        ),
    }
}

/// Whether a container can have a number.
pub(super) async fn numbers(client: &Client, settings: &Settings) -> Check {
    let name = "vmids";
    let Some(range) = &settings.vmid_range else {
        return match tokio::time::timeout(PATIENCE, client.next_vmid()).await {
            Ok(Ok(vmid)) => ok(
                name,
                format!("The cluster proposes {vmid} as the next number."),
            ),
            Ok(Err(error)) => explained(name, explain::proxmox("asking for a free number", &error)),
            Err(_) => failed(name, "The cluster does not propose a number in time."),
        };
    };
    let guests = match tokio::time::timeout(PATIENCE, client.guests()).await {
        Ok(Ok(guests)) => guests,
        Ok(Err(error)) => return explained(name, explain::proxmox("listing the guests", &error)),
        Err(_) => return failed(name, "The cluster does not list its guests in time."),
    };
    let taken = guests
        .iter()
        .filter(|guest| range.contains(&guest.vmid.get()))
        .count();
    let (first, last) = (range.start(), range.end());
    let free = ((last - first) as usize + 1).saturating_sub(taken);
    let told = format!("{free} of the numbers {first} to {last} are free");
    match free {
        0 => failed(
            name,
            format!("None of the numbers {first} to {last} is free."),
        )
        .hint("Widen PROXMOX_VMID_RANGE."),
        1..FEW => warning(name, format!("Only {told}.")).hint("Widen PROXMOX_VMID_RANGE."),
        _ => ok(name, format!("{told}.")),
    }
}

/// Whether the features of the settings can be given to a container; `shells` is what was found over SSH.
pub(super) fn features<'a>(
    identity: &Identity,
    features: &Features,
    shells: impl Iterator<Item = &'a Check>,
) -> Check {
    let name = "features";
    if !features.needs_root() {
        return ok(name, format!("`{features}` may be set by every identity."));
    }
    if identity.may_set_features() {
        return ok(name, format!("`{}` may set `{features}`.", identity.user));
    }
    let user = &identity.user;
    match worst(shells) {
        CheckState::Failed => warning(name, format!("`{user}` may not set `{features}` by the API, and SSH, over which it would be set, does not work on every node."))
            .hint("Mend SSH, or set PROXMOX_FEATURES=nesting=1: current Docker needs no more."),
        _ => ok(name, format!("`{user}` may not set `{features}` by the API; it is set over SSH.")),
    }
}
