//! The worker: claims operations and drives each under its lease.

use std::{sync::Arc, time::Duration};

use api::{AppState, OperationKind};
use async_trait::async_trait;
use saga::{Event, Failure, Interrupted, Journal, Outcome, drive};
use serde_json::Value;
use store::{AppChange, Lease, OperationJournal};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Context, Site},
    operations::{self, Delete, Deploy, Restart, Start, State, Stop},
    probe::{Probe, Write},
};

/// How often other replicas' changes are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long operations may take to park when the process stops: a step's future is dropped at once, only a
/// write to the database is awaited.
const PARK: Duration = Duration::from_secs(8);

/// Claims and drives until `shutdown`; then parks what is under way, for the next process to go on with.
pub(crate) async fn run(site: Arc<Site>, holder: &str, shutdown: CancellationToken) {
    let mut work = site.store.work();
    let mut driven = JoinSet::new();
    while !shutdown.is_cancelled() {
        work.borrow_and_update();
        claim(&site, holder, &shutdown, &mut driven).await;
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = timeout(LOOK, work.changed()) => {}
            Some(ended) = driven.join_next(), if !driven.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a driver stopped abnormally");
                }
            }
        }
    }
    let parked = timeout(PARK, async { while driven.join_next().await.is_some() {} }).await;
    if parked.is_err() {
        tracing::warn!(
            "{} operations did not park in time; their leases run out",
            driven.len()
        );
    }
}

/// Takes as many operations as there is room for.
async fn claim(
    site: &Arc<Site>,
    holder: &str,
    shutdown: &CancellationToken,
    driven: &mut JoinSet<()>,
) {
    while driven.len() < site.settings.workers {
        match site
            .store
            .leases()
            .claim_next(holder, site.settings.lease)
            .await
        {
            Ok(Some(lease)) => {
                let context = Context {
                    site: site.clone(),
                    operation: lease.operation,
                    lease,
                };
                driven.spawn(one(context, shutdown.child_token()));
            }
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "no operation can be claimed");
                return;
            }
        }
    }
}

/// Drives one operation until it rests or this process must let go of it.
async fn one(context: Context, shutdown: CancellationToken) {
    let (site, lease) = (context.site.clone(), context.lease.clone());
    let control = saga::Control {
        cancel: CancellationToken::new(),
        shutdown,
    };
    let journal = Told {
        journal: site.store.journal(&lease, operations::plan(lease.kind)),
        lease: lease.clone(),
        probe: site.probe.clone(),
    };
    let driving = by_kind(lease.kind, &journal, &context, &control);
    tokio::pin!(driving);
    let ended = tokio::select! {
        ended = &mut driving => ended,
        // Lost: the driver stops at its next breath. It must not be dropped before, it may be writing.
        () = heartbeat(&site, &lease, &control, &journal.journal) => {
            control.shutdown.cancel();
            driving.await
        }
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
    }
}

/// Keeps the lease, hears the cancel wish, writes lines of progress. Ends only when the lease is lost.
async fn heartbeat(
    site: &Site,
    lease: &Lease,
    control: &saga::Control,
    journal: &OperationJournal,
) {
    let renewing = async {
        loop {
            sleep(site.settings.lease / 3).await;
            match site.store.leases().renew(lease, site.settings.lease).await {
                Ok(_) => {}
                Err(store::Error::LeaseLost) => return,
                // The lease lasts two more tries; then another driver's claim ends ours.
                Err(error) => {
                    tracing::warn!(%error, operation = %lease.operation, "the lease could not be renewed");
                }
            }
        }
    };
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
            if let Err(error) = site.store.leases().release(lease).await {
                tracing::warn!(%error, operation = %lease.operation, "the lease could not be given back; it runs out");
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
        (OperationKind::Stop, Outcome::Completed) => AppChange::to(AppState::Stopped)
            .address(None)
            .attention(None),
        (OperationKind::Delete, Outcome::Completed)
        | (OperationKind::Deploy, Outcome::Unwound { .. }) => AppChange::to(AppState::Deleted),
        (_, Outcome::Unwound { .. }) => before().attention(None),
    }
}

/// A journal that also tells the log: one line a step, with what a person greps for.
struct Told {
    journal: OperationJournal,
    lease: Lease,
    probe: Option<Probe>,
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
        Ok(())
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        self.journal.load().await
    }

    fn note(&self, step: &str, line: &str) {
        self.journal.note(step, line);
    }
}
