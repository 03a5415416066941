//! The worker: claims operations and drives each under its lease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::{AppState, OperationKind};
use async_trait::async_trait;
use saga::{Event, Failure, Interrupted, Journal, Outcome, drive};
use serde_json::Value;
use store::{AppChange, Lane, Lease, OperationJournal};
use tokio::{
    task::{self, JoinSet},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Context, Site},
    operations::{self, Adopt, Delete, Deploy, Restart, Start, State, Stop},
    probe::{Probe, Write},
    settings::Settings,
};

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
        let driving = one(context, self.halt.child_token());
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

/// Drives one operation until it rests or this process must let go of it.
async fn one(context: Context, shutdown: CancellationToken) {
    let (site, lease) = (context.site.clone(), context.lease.clone());
    let control = saga::Control {
        cancel: CancellationToken::new(),
        shutdown,
    };
    if lease.cancel_requested {
        control.cancel.cancel();
    }
    let journal = Told {
        journal: site.store.journal(&lease, operations::plan(lease.kind)),
        lease: lease.clone(),
        probe: site.probe.clone(),
        site: site.clone(),
        let_go: control.shutdown.clone(),
        is_placed: AtomicBool::new(false),
    };
    // A wish from before a crash is heard before anything is done again.
    if lease.attempt > 1
        && let Ok(renewed) = site.store.leases().renew(&lease, site.settings.lease).await
        && renewed.cancel_requested
    {
        control.cancel.cancel();
    }
    let driving = by_kind(lease.kind, &journal, &context, &control);
    tokio::pin!(driving);
    let ended = tokio::select! {
        // The lease first: a process that was frozen past it must not take another step when it thaws.
        biased;
        // Lost: the driver stops at its next breath. It must not be dropped before, it may be writing.
        () = heartbeat(&site, &lease, &control, &journal.journal) => {
            control.shutdown.cancel();
            driving.await
        }
        ended = &mut driving => ended,
    };
    rest(&context, ended).await;
}

async fn by_kind(
    kind: OperationKind,
    journal: &dyn Journal,
    context: &Context,
    control: &saga::Control,
) -> Result<Outcome, Interrupted> {
    match kind {
        OperationKind::Deploy => drive::<Deploy>(journal, context, control).await,
        OperationKind::Start => drive::<Start>(journal, context, control).await,
        OperationKind::Stop => drive::<Stop>(journal, context, control).await,
        OperationKind::Restart => drive::<Restart>(journal, context, control).await,
        OperationKind::Delete => drive::<Delete>(journal, context, control).await,
        OperationKind::Adopt => drive::<Adopt>(journal, context, control).await,
    }
}

/// Keeps the lease, hears the cancel wish, writes lines of progress. Ends only when the lease is lost.
async fn heartbeat(
    site: &Site,
    lease: &Lease,
    control: &saga::Control,
    journal: &OperationJournal,
) {
    let renewing = renewing(site, lease);
    let wished = async {
        loop {
            match site.store.leases().cancel_wish(lease, LOOK).await {
                Ok(()) => {
                    control.cancel.cancel();
                    return std::future::pending::<()>().await;
                }
                Err(error) => {
                    tracing::warn!(%error, operation = %lease.operation, "the cancel wish cannot be read");
                    sleep(LOOK).await;
                }
            }
        }
    };
    let flushing = async {
        loop {
            if matches!(journal.keep_flushing().await, store::Error::LeaseLost) {
                return;
            }
            sleep(LOOK).await;
        }
    };
    tokio::select! { () = renewing => {}, () = wished => {}, () = flushing => {} }
}

/// Holds the lease as long as the database can be reached and says that it is ours. Ends when it is lost, and, by this
/// process's own clock, before it is over: whoever cannot ask must take it for lost, because another may begin then.
async fn renewing(site: &Site, lease: &Lease) {
    let length = site.settings.lease;
    // Claimed a moment ago, which the margin covers.
    let mut until = Instant::now() + length * 9 / 10;
    loop {
        sleep(length / 3).await;
        let asked = Instant::now();
        let answer = match timeout_at(until, site.store.leases().renew(lease, length)).await {
            // Thawed, or so slow that it comes to the same: what the answer was does not matter any more.
            _ if Instant::now() >= until => Err(None),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        };
        match answer {
            Ok(()) => until = asked + length * 9 / 10,
            Err(Some(store::Error::LeaseLost)) => return,
            Err(Some(error)) => {
                tracing::warn!(%error, operation = %lease.operation, "the lease could not be renewed; trying again");
            }
            Err(None) => {
                tracing::warn!(operation = %lease.operation, "the lease of {} could not be renewed in time", lease.operation);
                return;
            }
        }
    }
}

/// Writes down how the operation came to rest, or gives it back.
async fn rest(context: &Context, ended: Result<Outcome, Interrupted>) {
    let (site, lease) = (&context.site, &context.lease);
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(Interrupted::LeaseLost) => {
            tracing::warn!(operation = %lease.operation, "another driver has taken {} over", lease.operation);
            return;
        }
        // Waiting does not help: it becomes visible, and a person decides.
        Err(Interrupted::Incompatible(reason)) => Outcome::Stuck {
            step: String::new(),
            failure: Failure::new(
                "journal_incompatible",
                format!("This version cannot go on with the operation: {reason}."),
            )
            .hint(
                "Go back to the version that began it, or abandon it and look at the node by hand.",
            ),
            unwinding: false,
        },
        Err(interrupted) => {
            tracing::info!(operation = %lease.operation, reason = %interrupted, "parked {}", lease.operation);
            // A database that does not answer must not keep this driver's place from the next operation.
            match timeout(site.settings.lease, site.store.leases().release(lease)).await {
                Ok(Ok(())) => {}
                Ok(Err(store::Error::LeaseLost)) => {
                    tracing::warn!(operation = %lease.operation, "another driver has taken {} over", lease.operation);
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, operation = %lease.operation, "the lease could not be given back; it runs out");
                }
                Err(_) => {
                    tracing::warn!(operation = %lease.operation, "the lease could not be given back in time; it runs out");
                }
            }
            return;
        }
    };
    let change = app_change(lease.kind, &outcome, last_state(context).await.as_ref());
    let write = Write::End(outcome.clone());
    if let Some(probe) = &site.probe {
        probe.look(lease, &write, false).await;
    }
    match site.store.leases().finish(lease, &outcome, change).await {
        Ok(operation) => {
            let error = operation
                .failure
                .as_ref()
                .map(|failure| failure.code.as_str())
                .unwrap_or_default();
            tracing::info!(
                app = %operation.app.name, operation = %lease.operation, kind = %lease.kind, error,
                "{} of `{}` is {}", lease.kind, operation.app.name, operation.status
            );
            if let Some(probe) = &site.probe {
                probe.look(lease, &write, true).await;
            }
        }
        Err(error) => {
            tracing::error!(%error, operation = %lease.operation, "the end could not be written; whoever claims it next does");
        }
    }
}

async fn last_state(context: &Context) -> Option<State> {
    let plan = operations::plan(context.lease.kind);
    let (_, state) = context
        .store
        .journal(&context.lease, plan)
        .load()
        .await
        .ok()?;
    serde_json::from_value(state).ok()
}

/// What the app is after the operation.
fn app_change(kind: OperationKind, outcome: &Outcome, state: Option<&State>) -> AppChange {
    let before = || match state.and_then(|state| state.before) {
        Some(before) => AppChange::to(before),
        None => AppChange::none(),
    };
    match (kind, outcome) {
        (_, Outcome::Stuck { failure, .. }) => AppChange::none().attention(Some(&failure.message)),
        (
            OperationKind::Deploy | OperationKind::Start | OperationKind::Restart,
            Outcome::Completed,
        ) => AppChange::to(AppState::Running).attention(None),
        (OperationKind::Adopt, Outcome::Completed)
            if state.is_none_or(|state| state.was_running != Some(false)) =>
        {
            AppChange::to(AppState::Running).attention(None)
        }
        (OperationKind::Stop | OperationKind::Adopt, Outcome::Completed) => {
            AppChange::to(AppState::Stopped)
                .address(None)
                .attention(None)
        }
        (OperationKind::Delete, Outcome::Completed)
        | (OperationKind::Deploy | OperationKind::Adopt, Outcome::Unwound { .. }) => {
            AppChange::to(AppState::Deleted)
        }
        (_, Outcome::Unwound { .. }) => before().attention(None),
    }
}

/// A journal that also tells the log: one line a step, with what a person greps for. And that lets go of an operation
/// between two steps when the node that it has just chosen has as many at work as it may have.
struct Told {
    journal: OperationJournal,
    lease: Lease,
    probe: Option<Probe>,
    site: Arc<Site>,
    let_go: CancellationToken,
    /// Whether the operation has a node and one of its places: by its claim, or by being looked at since.
    is_placed: AtomicBool,
}

impl Told {
    /// Once the node is known: its place there is taken, or the operation waits for one without a worker.
    async fn take_place(&self, event: &Event, node: &str) {
        let ends_a_step = matches!(event, Event::Finished { .. });
        if !ends_a_step || node.is_empty() || self.is_placed.swap(true, Ordering::Relaxed) {
            return;
        }
        let limits = self.site.settings.limits;
        match self.site.store.leases().fits(&self.lease, limits).await {
            Ok(true) => {}
            Ok(false) => {
                let line = format!(
                    "waiting for a place: {node} has as many operations at work as it may have"
                );
                self.journal.note(event.step(), &line);
                self.let_go.cancel();
            }
            // One too many for a while, rather than none.
            Err(error) => {
                tracing::warn!(%error, node, "how much is at work on {node} cannot be read");
            }
        }
    }
}

#[async_trait]
impl Journal for Told {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        let write = Write::Event(event.clone());
        if let Some(probe) = &self.probe {
            probe.look(&self.lease, &write, false).await;
        }
        self.journal.append(event, state).await?;
        if let Some(probe) = &self.probe {
            probe.look(&self.lease, &write, true).await;
        }
        let text = |field: &str| state.get(field).and_then(Value::as_str).unwrap_or_default();
        let (app, node) = (text("name"), text("node"));
        let vmid = state.get("vmid").and_then(Value::as_u64);
        let (operation, kind) = (self.lease.operation, self.lease.kind);
        let (step, what) = (event.step(), event.kind());
        match event {
            Event::Checkpoint { .. } => {
                tracing::debug!(app, %operation, %kind, step, node, vmid, "{step} {what}");
            }
            Event::Failed { failure, .. } | Event::UndoFailed { failure, .. } => tracing::warn!(
                app, %operation, %kind, step, node, vmid, code = failure.code, "{step} {what}: {}", failure.message
            ),
            _ => tracing::info!(app, %operation, %kind, step, node, vmid, "{step} {what}"),
        }
        self.take_place(event, node).await;
        Ok(())
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        let (events, state) = self.journal.load().await?;
        // Where its app has a node, the claim has counted it already.
        let has_node = state.get("node").is_some_and(Value::is_string);
        let is_placed = has_node || self.lease.kind != OperationKind::Deploy;
        self.is_placed.store(is_placed, Ordering::Relaxed);
        Ok((events, state))
    }

    fn note(&self, step: &str, line: &str) {
        self.journal.note(step, line);
    }
}
