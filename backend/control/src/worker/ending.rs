//! How an operation comes to rest.

use api::{AppState, OperationKind};
use saga::{Failure, Interrupted, Journal as _, Outcome};
use store::AppChange;
use tokio::time::timeout;

use super::TARGET;
use crate::{
    context::Context,
    operations::{self, State},
    probe::Write,
};

/// Writes down how the operation came to rest, or gives it back.
pub(super) async fn write(context: &Context, ended: Result<Outcome, Interrupted>) {
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
                target: TARGET, app = %operation.app.name, operation = %lease.operation, kind = %lease.kind, error,
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
