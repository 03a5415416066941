//! Looking at one app's container, and at the containers that are no app's.

use std::collections::BTreeSet;

use api::AppState;
use chrono::{DateTime, Utc};
use proxmox::{Error as Proxmox, GuestKind, GuestSummary, NodeName, Power, Vmid};
use store::App;

use super::finding::{self, Found};
use crate::{Error, context::Site, ownership};

/// Compares an app at rest with its container. `None` where both agree, or where it is held by a task just now.
pub(super) async fn at_app(
    site: &Site,
    app: &App,
    guests: &[GuestSummary],
) -> Result<Option<Found>, Error> {
    let Some(vmid) = app.vmid.and_then(|vmid| Vmid::new(vmid).ok()) else {
        return Ok(None);
    };
    let Some(guest) = guests.iter().find(|guest| guest.vmid == vmid) else {
        return Ok(absent(site, app, vmid).await);
    };
    let node = guest.node.as_str();
    if guest.kind != GuestKind::Lxc {
        return Ok(Some(finding::taken(app, node)));
    }
    let config = match site.cluster.container_config(&guest.node, vmid).await {
        Ok(config) => config,
        Err(error) => return Ok(unanswered(app, node, &error)),
    };
    if config.lock.as_deref() == Some("create") {
        // Half made: it does not tell yet whose it is.
        return Ok(None);
    }
    let description = config.description.as_deref().unwrap_or_default();
    if !ownership::is_proven(description, app.id, &app.nonce) {
        let looks_like_it = config.hostname.as_deref() == Some(app.hostname.as_str());
        return Ok(Some(if looks_like_it {
            finding::unproven(app, node)
        } else {
            finding::taken(app, node)
        }));
    }
    let power = match (app.state, guest.status) {
        // Locked is at work: a backup stops a container, and starts it again.
        _ if config.lock.is_some() => None,
        (AppState::Running, Power::Stopped) => Some(false),
        (AppState::Stopped, Power::Running) => Some(true),
        _ => None,
    };
    Ok(match power {
        Some(running) => Some(finding::power(app, running)),
        None if app.node.as_deref() != Some(node) => Some(finding::moved(app, node)),
        None => None,
    })
}

/// The cluster does not list it; its node must say so, too.
async fn absent(site: &Site, app: &App, vmid: Vmid) -> Option<Found> {
    let node: NodeName = app.node.as_deref()?.parse().ok()?;
    match site.cluster.container_config(&node, vmid).await {
        Err(Proxmox::NotFound { .. }) => Some(finding::gone(app)),
        // It came back in between; the next pass sees it.
        Ok(_) => None,
        Err(error) => unanswered(app, node.as_str(), &error),
    }
}

fn unanswered(app: &App, node: &str, error: &Proxmox) -> Option<Found> {
    match error {
        // Moved or destroyed in between; the next pass sees where it is.
        Proxmox::NotFound { .. } => None,
        Proxmox::NodeOffline { .. } => Some(finding::unseen(
            app,
            &format!("its node {node} does not answer the cluster"),
        )),
        _ => Some(finding::unseen(
            app,
            "Proxmox did not answer for it, or refused",
        )),
    }
}

/// Containers with our tag that are no app's container. Those of `proven` are, as was just seen.
pub(super) async fn at_others(
    site: &Site,
    guests: &[GuestSummary],
    proven: &BTreeSet<u32>,
    since: DateTime<Utc>,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for guest in guests {
        let is_tagged = guest.tags.iter().any(|tag| tag == ownership::TAG);
        if guest.kind != GuestKind::Lxc || !is_tagged || proven.contains(&guest.vmid.get()) {
            continue;
        }
        found.extend(at_other(site, guest, since).await?);
    }
    Ok(found)
}

async fn at_other(
    site: &Site,
    guest: &GuestSummary,
    since: DateTime<Utc>,
) -> Result<Option<Found>, Error> {
    let (vmid, node) = (guest.vmid.get(), guest.node.as_str());
    let config = match site.cluster.container_config(&guest.node, guest.vmid).await {
        Ok(config) if config.lock.as_deref() != Some("create") && !config.template => config,
        // Half made, or not to be asked: it says nothing.
        _ => return Ok(None),
    };
    let Some(claim) = ownership::read(config.description.as_deref().unwrap_or_default()) else {
        let is_ours = site.store.apps().reserved_vmids().await?.contains(&vmid);
        return Ok((!is_ours).then(|| finding::nameless(vmid, node)));
    };
    match site.store.apps().get(claim.app).await {
        // Deleted while we looked: then its container was, too.
        Ok(app) if app.deleted_at.is_some_and(|deleted| deleted >= since) => Ok(None),
        Ok(app) if app.deleted_at.is_some() => {
            Ok(Some(finding::unclaimed(&claim, vmid, node, true)))
        }
        Ok(app) if app.vmid == Some(vmid) || app.operation.is_some() => Ok(None),
        Ok(app) => Ok(Some(finding::copied(&app, vmid, node))),
        Err(store::Error::NotFound(_)) => Ok(Some(finding::unclaimed(&claim, vmid, node, false))),
        Err(error) => Err(error.into()),
    }
}
