//! What steps work with.

use std::sync::{Arc, atomic::AtomicBool};

use api::{AppId, ImageProgress, OperationId};
use catalog::Catalog;
use proxmox::{Client, NodeName, Vmid};
use saga::Failure;
use store::{Lease, Store};
use tokio::sync::watch;

use crate::{
    compose::Compose, estimate::Estimates, gather::Gathering, hosts::Hosts, operations::State,
    overview::Overviews, probe::Probe, secrets::SecretKey, settings::Settings, turns::Turns,
};

/// Clients, settings, and the lease under which one operation is driven.
#[derive(Clone)]
pub struct Context {
    /// What all operations of this process share.
    pub site: Arc<Site>,
    /// The operation.
    pub operation: OperationId,
    /// Proof that this process drives it.
    pub lease: Lease,
}

/// What all operations of one process share.
pub struct Site {
    /// The Proxmox API.
    pub cluster: Client,
    /// Commands on nodes and in containers.
    pub hosts: Hosts,
    /// The database.
    pub store: Store,
    /// The key of sealed values.
    pub secrets: SecretKey,
    /// The catalog.
    pub catalog: Catalog,
    /// Settings.
    pub settings: Settings,
    /// What the cluster told last.
    pub(crate) gathering: Gathering,
    /// Whose turn it is where only a few may work at the same time.
    pub(crate) turns: Turns,
    /// Who looks on at each write, in tests.
    pub probe: Option<Probe>,
    /// The cluster as it was seen a moment ago.
    pub(crate) overviews: Overviews,
    /// How long deployments are expected to take.
    pub(crate) estimates: Estimates,
    /// Whether the worker could not take an operation when it last tried: what it cannot do, this process is not
    /// ready for.
    pub(crate) cannot_claim: AtomicBool,
    /// Changes when a session is ended or a token revoked.
    pub(crate) ends: watch::Sender<()>,
}

impl std::ops::Deref for Context {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Context {
    /// Tells the people watching how far the pull of an image is. Best effort, like a line of a log.
    pub fn image_progress(&self, step: &str, progress: &ImageProgress) {
        let data = serde_json::to_value(progress).expect("plain numbers and texts");
        self.store.note_image_progress(&self.lease, step, data);
    }
}

impl State {
    /// The number of the container.
    pub fn vmid(&self) -> Result<Vmid, Failure> {
        let vmid = self.vmid.and_then(|vmid| Vmid::new(vmid).ok());
        vmid.ok_or_else(|| missing("the container's number"))
    }

    /// The node on which the container was last seen, or is to be created.
    pub fn node(&self) -> Result<NodeName, Failure> {
        let node = self.node.as_ref().and_then(|node| node.parse().ok());
        node.ok_or_else(|| missing("the node"))
    }

    /// The compose project.
    pub fn compose(&self) -> Compose {
        Compose::of(&self.hostname)
    }

    /// The app and nonce that prove the container ours.
    pub fn proof(&self) -> (AppId, &str) {
        (self.app, &self.nonce)
    }
}

/// Only a journal that was changed by hand can lead here: an earlier step writes the value down.
fn missing(what: &str) -> Failure {
    Failure::new(
        "journal_incomplete",
        format!("The operation's journal does not hold {what}."),
    )
    .hint("Abandon this operation and look at the node by hand.")
}
