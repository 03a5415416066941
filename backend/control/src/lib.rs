//! The application: what Proximity does when somebody asks, and what it goes on doing afterwards.
//!
//! ```text
//!   asked ──► Control ── one transaction ──► store: app, release, operation (queued), event, audit
//!                                              │
//!             Worker ── claim ── lease ────────┘
//!               │  heartbeat: renews the lease, reads the cancel wish
//!               ▼
//!             saga::drive ── a step at a time ──► proxmox (REST, tasks) · ssh (pct exec)
//!               └─ each event: journal, row and history in one transaction, fenced by the lease
//! ```
//!
//! [`operations`] is the table of contents. This crate knows no HTTP and no SQL.

mod accounts;
mod adoption;
mod apps;
mod audit;
mod auth;
mod browse;
mod bulk;
mod compose;
mod containers;
mod context;
mod doctor;
mod error;
mod estimate;
mod explain;
mod failures;
mod fit;
mod gather;
mod guesses;
mod health;
mod history;
mod hostname;
mod hosts;
mod installed;
mod logs;
mod nodes;
pub mod operations;
mod overview;
mod ownership;
mod parking;
mod placement;
mod planning;
mod probe;
mod project;
mod promise;
mod pulse;
mod random;
mod reconcile;
mod residents;
mod retention;
mod saved;
mod secrets;
mod settings;
mod setup;
mod steps;
mod template;
mod turns;
mod view;
mod waiting;
mod worker;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use catalog::Catalog;
use saga::StepError;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use auth::{Asked, Credential, LoggedIn, Principal, Shown, csrf_token};
pub use error::Error;
pub use fit::Fit;
pub use history::{Followed, OperationQuery};
pub use installed::{Credentials, ReleaseSummary};
pub use logs::{LogLine, LogQuery};
pub use overview::{Amount, GuestOverview, NodeOverview, Overview, Silence, StorageOverview};
pub use probe::{Moment, Probe, Write};
pub use promise::{PlanDigest, Planned};
pub use pulse::Pulse;
pub use saved::{Answers, saved_cluster};
pub use secrets::{SecretError, SecretKey};
pub use settings::{Settings, SshTargets, Timeouts};
pub use setup::{
    By, Configure, Configured, Progress, Setup, SetupParts, ShellBy, ShownCertificate, WrongAnswer,
};
pub use store::{AuditFilter, Keep};

use crate::{
    accounts::Accounts, context::Site, estimate::Estimates, guesses::Guesses, hosts::Hosts,
    overview::Overviews,
};

/// What the application is made of.
pub struct Parts {
    /// The database, migrated.
    pub store: Store,
    /// The Proxmox API.
    pub cluster: proxmox::Client,
    /// SSH connections.
    pub pool: ssh::Pool,
    /// How nodes are reached over SSH.
    pub targets: SshTargets,
    /// The catalog.
    pub catalog: Catalog,
    /// The key of sealed values.
    pub secrets: SecretKey,
    /// Settings.
    pub settings: Settings,
}

/// The application. Clones are the same one.
#[derive(Clone)]
pub struct Control {
    site: Arc<Site>,
    accounts: Accounts,
    /// Failed logins of late.
    guesses: Arc<Guesses>,
}

impl Control {
    /// Puts the parts together. Nothing is asked of the cluster yet.
    pub fn new(parts: Parts) -> Self {
        Self::assemble(parts, None)
    }

    /// As [`Control::new`], with somebody who looks on at each write of the operations that it drives.
    pub fn probed(parts: Parts, probe: Probe) -> Self {
        Self::assemble(parts, Some(probe))
    }

    fn assemble(parts: Parts, probe: Option<Probe>) -> Self {
        let hosts = Hosts::new(
            parts.cluster.clone(),
            parts.pool,
            Some(parts.store.clone()),
            parts.targets,
        );
        let accounts = Accounts::new(parts.store.clone());
        let site = Site {
            cluster: parts.cluster,
            hosts,
            store: parts.store,
            secrets: parts.secrets,
            catalog: parts.catalog,
            settings: parts.settings,
            gathering: gather::Gathering::default(),
            turns: turns::Turns::default(),
            probe,
            overviews: Overviews::new(),
            estimates: Estimates::default(),
            cannot_claim: AtomicBool::new(false),
            ends: watch::Sender::new(()),
        };
        Self {
            site: Arc::new(site),
            accounts,
            guesses: Arc::default(),
        }
    }

    /// The settings that the program runs with, and where each value comes from. No secret is among them.
    pub fn told_settings(&self) -> &[api::Setting] {
        &self.site.settings.told
    }

    /// Drives operations until `shutdown`, then parks those that are under way; compares the cluster with the database
    /// meanwhile. `holder` names this process in leases.
    pub async fn work(&self, holder: &str, shutdown: CancellationToken) {
        // Whoever looks on at each write expects the calls of operations alone.
        if self.site.probe.is_some() {
            return worker::run(self.site.clone(), holder, shutdown).await;
        }
        // So that the first page has something to show.
        self.renew_overview();
        tokio::join!(
            worker::run(self.site.clone(), holder, shutdown.clone()),
            reconcile::keep(self.site.clone(), holder, shutdown),
        );
    }

    /// Forgets what is older than the settings want it kept, now and then, until `shutdown`.
    pub async fn tidy(&self, holder: &str, shutdown: CancellationToken) {
        retention::run(&self.site, holder, shutdown).await;
    }

    /// Whether the database can be read and written, and operations be taken from it.
    pub async fn ready(&self) -> Result<(), Error> {
        self.site.store.ready().await?;
        if self.site.cannot_claim.load(Ordering::Relaxed) {
            return Err(Error::Unavailable(failures::database_silent()));
        }
        Ok(())
    }

    /// How many operations there are of each kind and status.
    pub async fn operation_counts(
        &self,
    ) -> Result<Vec<(api::OperationKind, api::OperationStatus, u64)>, Error> {
        Ok(self.site.store.operations().counts().await?)
    }
}

/// The database failed under a step. Nothing is wrong with the operation: whoever drives it next goes on.
pub(crate) fn broken(error: store::Error) -> StepError {
    StepError::Interrupted(match error {
        store::Error::LeaseLost => saga::Interrupted::LeaseLost,
        error => saga::Interrupted::journal(error),
    })
}
