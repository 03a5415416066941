//! How the cluster differs from the database, on the page of settings; taking an app back from there.

use api::{Adopt, Discrepancy, DiscrepancyKind, Reconciliation};
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    posted::{Posted, on_to},
    state::{self, Badge},
};
use crate::{
    error::Error,
    extract::{Admin, ContainerNumber, Segment},
    site::Site,
};

/// What was found, and when.
#[derive(Serialize)]
pub(super) struct Differences {
    checked_at: Option<DateTime<Utc>>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    badge: Badge,
    app: Option<String>,
    /// The page of the app, where it is one of ours.
    link: Option<String>,
    vmid: Option<u32>,
    node: Option<String>,
    message: String,
    hint: String,
    adoptable: bool,
}

/// `POST /settings/reconcile`: compares now, and only looks.
pub(crate) async fn compare(State(site): State<Site>, _: Posted<Admin>) -> Result<Response, Error> {
    site.control.reconcile().await?;
    Ok(on_to("/settings#differences"))
}

/// `POST /containers/{vmid}/adopt`.
pub(crate) async fn adopt(
    State(site): State<Site>,
    Segment(ContainerNumber(vmid)): Segment<ContainerNumber>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    let request = Adopt {
        node: posted.fields.text("node").map(str::to_owned),
    };
    let asked = &posted.viewer.asked;
    let adopted = site.control.adopt(asked, vmid, request).await?;
    Ok(on_to(&format!("/operations/{}", adopted.operation.id)))
}

impl Differences {
    pub(super) fn of(report: Reconciliation) -> Self {
        Self {
            checked_at: report.checked_at,
            findings: report.findings.into_iter().map(finding).collect(),
        }
    }
}

fn finding(found: Discrepancy) -> Finding {
    let is_ours = found.kind != DiscrepancyKind::Unclaimed;
    Finding {
        badge: state::discrepancy(found.kind),
        link: found
            .app
            .as_deref()
            .filter(|_| is_ours)
            .map(|app| format!("/apps/{}", super::commands::segment(app))),
        app: found.app,
        vmid: found.vmid,
        node: found.node,
        message: found.message,
        hint: found.hint,
        adoptable: found.adoptable && found.vmid.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: DiscrepancyKind) -> Discrepancy {
        Discrepancy {
            kind,
            app: Some("a b".to_owned()),
            vmid: Some(101),
            node: None,
            message: "m".to_owned(),
            hint: "h".to_owned(),
            adoptable: true,
        }
    }

    #[test]
    fn only_an_app_that_is_here_is_linked() {
        let gone = finding(found(DiscrepancyKind::ContainerGone));
        assert_eq!(gone.link.as_deref(), Some("/apps/a%20b"));
        assert_eq!(finding(found(DiscrepancyKind::Unclaimed)).link, None);
    }

    #[test]
    fn what_has_no_number_cannot_be_adopted() {
        let nameless = Discrepancy {
            vmid: None,
            ..found(DiscrepancyKind::Unclaimed)
        };
        assert!(!finding(nameless).adoptable);
        assert!(finding(found(DiscrepancyKind::Unclaimed)).adoptable);
    }
}
