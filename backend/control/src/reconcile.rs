//! Comparing what the database says with what the cluster has. It only ever reports.
//!
//! ```text
//!   guests of the cluster ─┐
//!   their descriptions ────┼─► findings ─► kept for everybody to read; `attention` where it is certain
//!   apps that rest ────────┘
//! ```
//!
//! Nothing is created, stopped or deleted here, on the cluster or in the database. Two things are written: a
//! sentence for people on an app at rest, never over one of an operation; and the node of a container that was
//! *proven* to be the app's on another node, for that is what the next operation would write, too, and until then
//! the promise of its memory counts on the wrong node. A node that does not answer proves nothing.

mod finding;
mod look;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use api::{DiscrepancyKind, Reconciliation};
use store::{AppChange, AppFilter, PageRequest};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::finding::Found;
use crate::{Control, Error, context::Site, explain};

/// Name of the duty among the replicas, and of the setting that holds the last report.
const DUTY: &str = "reconciliation";
/// How long one pass may take before another replica may begin one.
const PASS: Duration = Duration::from_mins(5);

impl Control {
    /// What was found the last time that database and cluster were compared.
    pub async fn reconciliation(&self) -> Result<Reconciliation, Error> {
        let kept = self.site.store.settings().get(DUTY).await?;
        // A report of another version says nothing; the next one comes soon.
        Ok(kept
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Compares database and cluster now.
    pub async fn reconcile(&self) -> Result<Reconciliation, Error> {
        pass(&self.site).await
    }
}

/// Compares again and again until `shutdown`; of several replicas, one at a time.
pub(crate) async fn keep(site: Arc<Site>, holder: &str, shutdown: CancellationToken) {
    let Some(interval) = site.settings.reconcile else {
        return;
    };
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(interval) => {}
        }
        tokio::select! {
            // A pass that is dropped in the middle has only looked.
            () = shutdown.cancelled() => return,
            () = turn(&site, holder, interval) => {}
        }
    }
}

/// One pass, if no other replica has just done one.
async fn turn(site: &Site, holder: &str, interval: Duration) {
    let duties = site.store.duties();
    let duty = match duties.claim(DUTY, holder, PASS.max(interval)).await {
        Ok(Some(duty)) => duty,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "the duty of comparing with the cluster cannot be claimed");
            return;
        }
    };
    match pass(site).await {
        Ok(report) => {
            for finding in report.findings {
                tracing::debug!(kind = %finding.kind, vmid = finding.vmid, "{}", finding.message);
            }
        }
        Err(error) => tracing::warn!(%error, "the cluster cannot be compared with the database"),
    }
    // Held for the rest of the interval, so that all replicas together look once.
    if let Err(error) = duties.renew(&duty, interval / 2).await {
        tracing::debug!(%error, "the duty of comparing with the cluster has passed on");
    }
}

/// Looks at everything once, tells the apps, keeps the report.
async fn pass(site: &Site) -> Result<Reconciliation, Error> {
    let checked_at = site.store.now();
    let doing = "comparing the cluster with the database";
    let guests = site
        .cluster
        .guests()
        .await
        .map_err(|error| Error::Unavailable(explain::proxmox(doing, &error)))?;
    let apps = resting(site).await?;
    let mut findings = Vec::new();
    let mut proven = BTreeSet::new();
    for app in &apps {
        let found = look::at_app(site, app, &guests).await?;
        if found.as_ref().is_none_or(Found::is_proven) {
            proven.extend(app.vmid);
        }
        tell(site, app, found.as_ref()).await?;
        findings.extend(found);
    }
    findings.extend(look::at_others(site, &guests, &proven, checked_at).await?);
    let report = Reconciliation {
        checked_at: Some(checked_at),
        findings: findings.into_iter().map(|found| found.told).collect(),
    };
    let text = serde_json::to_string(&report).expect("a report is texts and numbers");
    site.store.settings().set(DUTY, &text).await?;
    Ok(report)
}

/// All apps on which no operation lives, and which should have a container. What an operation works on, it knows
/// better.
async fn resting(site: &Site) -> Result<Vec<store::App>, Error> {
    let mut apps = Vec::new();
    let mut cursor = None;
    loop {
        let request = PageRequest {
            cursor,
            limit: Some(100),
        };
        let page = site
            .store
            .apps()
            .list(&AppFilter::default(), &request)
            .await?;
        apps.extend(
            page.items
                .into_iter()
                .filter(|app| app.operation.is_none() && app.vmid.is_some()),
        );
        cursor = page.next;
        if cursor.is_none() {
            return Ok(apps);
        }
    }
}

/// Writes what is certain where people see it, and takes back what is not so any more. What is unknown changes
/// nothing.
async fn tell(site: &Site, app: &store::App, found: Option<&Found>) -> Result<(), Error> {
    let apps = site.store.apps();
    match found {
        Some(found) if !found.certain => {}
        Some(found) if found.told.kind == DiscrepancyKind::ContainerMoved => {
            if let Some(node) = &found.told.node {
                apps.observe(app.id, app.state, AppChange::none().node(node))
                    .await?;
            }
            apps.attend(app.id, None).await?;
        }
        Some(found) => {
            let text = format!("{} {}", found.told.message, found.told.hint);
            apps.attend(app.id, Some(&text)).await?;
        }
        None => {
            apps.attend(app.id, None).await?;
        }
    }
    Ok(())
}
