//! The worker: claims operations and drives each under its lease.

mod driver;
mod ending;
mod heartbeat;
mod told;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use store::Lane;
use tokio::{
    task::{self, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Context, Site},
    settings::Settings,
};

/// What the log calls the steps and ends of operations, wherever they are written.
const TARGET: &str = "control::operation";
/// How often other replicas' changes are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long operations may take to park when the process stops: a step's future is dropped at once, only a
/// write to the database is awaited.
const PARK: Duration = Duration::from_secs(6);

/// Claims and drives until `shutdown`; then parks what is under way, for the next process to go on with.
pub(crate) async fn run(site: Arc<Site>, holder: &str, shutdown: CancellationToken) {
    let mut work = site.store.work();
    let mut crew = Crew::new(site.clone(), holder, shutdown.child_token());
    while !shutdown.is_cancelled() {
        work.borrow_and_update();
        if is_parked(&site).await {
            crew.halt.cancel();
            // Nobody tries, and the database has just answered.
            site.cannot_claim.store(false, Ordering::Relaxed);
        } else {
            if crew.halt.is_cancelled() {
                crew.halt = shutdown.child_token();
            }
            crew.claim().await;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = timeout(LOOK, work.changed()) => {}
            () = crew.ended(), if !crew.driven.is_empty() => {}
        }
    }
    let parked = timeout(PARK, async {
        while !crew.driven.is_empty() {
            crew.ended().await;
        }
    });
    if parked.await.is_err() {
        tracing::warn!(
            "{} operations did not park in time; their leases run out",
            crew.driven.len()
        );
    }
}

/// Whether somebody has parked everything. A database that does not tell lets nobody claim anything either.
async fn is_parked(site: &Site) -> bool {
    match site.store.parking().now().await {
        Ok(parked) => parked.is_some(),
        Err(error) => {
            tracing::warn!(%error, "whether everything is parked cannot be read");
            false
        }
    }
}

/// What this process drives now.
struct Crew<'a> {
    site: Arc<Site>,
    holder: &'a str,
    /// Ends them all where they are: the process stops, or somebody has parked everything.
    halt: CancellationToken,
    driven: JoinSet<()>,
    /// Who took the place that is kept for what is short.
    spare: Option<task::Id>,
}

impl<'a> Crew<'a> {
    fn new(site: Arc<Site>, holder: &'a str, halt: CancellationToken) -> Self {
        Self {
            site,
            holder,
            halt,
            driven: JoinSet::new(),
            spare: None,
        }
    }

    /// Takes as many operations as there is room for.
    async fn claim(&mut self) {
        let claimed = self.try_claim().await;
        self.site
            .cannot_claim
            .store(claimed.is_err(), Ordering::Relaxed);
        if let Err(error) = claimed {
            tracing::error!(%error, "no operation can be claimed");
        }
    }

    async fn try_claim(&mut self) -> store::Result<()> {
        while self.driven.len() - usize::from(self.spare.is_some()) < self.site.settings.workers {
            if self.take(Lane::Any).await?.is_none() {
                break;
            }
        }
        if self.spare.is_none() {
            self.spare = self.take(Lane::Spare).await?;
        }
        Ok(())
    }

    /// Takes one operation and begins to drive it.
    async fn take(&mut self, lane: Lane) -> store::Result<Option<task::Id>> {
        let Settings { lease, limits, .. } = self.site.settings;
        let leases = self.site.store.leases();
        let Some(lease) = leases.claim(self.holder, lease, limits, lane).await? else {
            return Ok(None);
        };
        let context = Context {
            site: self.site.clone(),
            operation: lease.operation,
            lease,
        };
        let driving = driver::drive(context, self.halt.child_token());
        Ok(Some(self.driven.spawn(driving).id()))
    }

    /// Waits until one of them is not driven any more.
    async fn ended(&mut self) {
        let id = match self.driven.join_next_with_id().await {
            None => return,
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "a driver stopped abnormally");
                error.id()
            }
        };
        self.spare = self.spare.filter(|spare| *spare != id);
    }
}
