//! What can be found, each in a sentence and with what a person can do.

use api::{Discrepancy, DiscrepancyKind as Kind};
use store::App;

use crate::ownership::{self, Claim};

/// One finding, and how sure it is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub told: Discrepancy,
    /// Whether the cluster itself said so; only then people are told on the app.
    pub certain: bool,
}

impl Found {
    /// Whether the app's container carried its proof all the same.
    pub(super) fn is_proven(&self) -> bool {
        matches!(self.told.kind, Kind::ContainerMoved | Kind::PowerDiffers)
    }
}

/// About an app here.
fn about(app: &App, kind: Kind, message: String, hint: &str) -> Found {
    Found {
        told: Discrepancy {
            kind,
            app: Some(app.name.clone()),
            vmid: app.vmid,
            node: app.node.clone(),
            message,
            hint: hint.to_owned(),
            adoptable: false,
        },
        certain: true,
    }
}

fn number(app: &App) -> u32 {
    app.vmid.unwrap_or_default()
}

pub(super) fn gone(app: &App) -> Found {
    let message = format!("Its container {} does not exist any more.", number(app));
    about(
        app,
        Kind::ContainerGone,
        message,
        "It was removed outside of Proximity. Restore it under the same number from a backup, or delete the app here.",
    )
}

pub(super) fn moved(app: &App, node: &str) -> Found {
    let message = format!("Its container {} is on {node} now.", number(app));
    let mut found = about(
        app,
        Kind::ContainerMoved,
        message,
        "Nothing needs to be done: this is noted.",
    );
    found.told.node = Some(node.to_owned());
    found
}

pub(super) fn unseen(app: &App, why: &str) -> Found {
    let message = format!("Its container {} cannot be looked at: {why}.", number(app));
    let mut found = about(
        app,
        Kind::ContainerUnseen,
        message,
        "Nothing is concluded from that. Bring the node back.",
    );
    found.certain = false;
    found
}

pub(super) fn power(app: &App, running: bool) -> Found {
    let (is, hint) = if running {
        (
            "runs, and the app is stopped",
            "It was started outside of Proximity. Start the app here, or stop it.",
        )
    } else {
        (
            "is stopped, and the app should run",
            "It was stopped outside of Proximity, or did not come up again. Start the app.",
        )
    };
    let message = format!("Its container {} {is}.", number(app));
    about(app, Kind::PowerDiffers, message, hint)
}

pub(super) fn taken(app: &App, node: &str) -> Found {
    let message = format!(
        "Its number {} is now a guest of somebody else on {node}.",
        number(app)
    );
    let mut found = about(
        app,
        Kind::NumberTaken,
        message,
        "Its own container is gone, and the other guest is never touched. Delete the app here, or restore its container under another number and adopt that afterwards.",
    );
    found.told.node = Some(node.to_owned());
    found
}

pub(super) fn unproven(app: &App, node: &str) -> Found {
    let message = format!(
        "Container {} on {node} has its name, but its description does not prove it any more.",
        number(app)
    );
    let line = ownership::proof(app.id, &app.nonce);
    let hint = format!(
        "Its description was edited by hand, so that Proximity does not touch it. If it is this app's container, \
         put this back on a line of its own: {line}"
    );
    let mut found = about(app, Kind::ProofMissing, message, &hint);
    found.told.node = Some(node.to_owned());
    found
}

pub(super) fn copied(app: &App, vmid: u32, node: &str) -> Found {
    let message = format!(
        "Container {vmid} on {node} carries the proof of `{}`, whose container is {}.",
        app.name,
        app.vmid
            .map_or_else(|| "not made yet".to_owned(), |vmid| vmid.to_string())
    );
    let mut found = about(
        app,
        Kind::ProofCopied,
        message,
        "It is a copy, and is left alone. If the app's own container is gone, delete the app, then adopt this one; else take the proof out of its description.",
    );
    found.told.vmid = Some(vmid);
    found.told.node = Some(node.to_owned());
    found
}

/// A container with our tag that does not say whose it is.
pub(super) fn nameless(vmid: u32, node: &str) -> Found {
    Found {
        told: Discrepancy {
            kind: Kind::ProofMissing,
            app: None,
            vmid: Some(vmid),
            node: Some(node.to_owned()),
            message: format!(
                "Container {vmid} on {node} has the tag `{}`, but its description proves nothing.",
                ownership::TAG
            ),
            hint: "It is never touched. If it is the rest of an app that was deleted, remove it on its node.".to_owned(),
            adoptable: false,
        },
        certain: true,
    }
}

/// A container of ours that no app here has.
pub(super) fn unclaimed(claim: &Claim, vmid: u32, node: &str, was_here: bool) -> Found {
    let name = claim.name.clone();
    let called = name
        .as_ref()
        .map_or_else(String::new, |name| format!(" (`{name}`)"));
    let why = if was_here {
        "its app was deleted here"
    } else {
        "no app here has its proof"
    };
    Found {
        told: Discrepancy {
            kind: Kind::Unclaimed,
            app: name,
            vmid: Some(vmid),
            node: Some(node.to_owned()),
            message: format!(
                "Container {vmid}{called} on {node} was made by Proximity, and {why}."
            ),
            hint: format!(
                "If it belongs here, take it back with `proximity adopt {vmid}`. Another installation that shares this \
                 cluster may own it; else it is yours to remove."
            ),
            adoptable: true,
        },
        certain: true,
    }
}
