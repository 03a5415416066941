//! How operations come to rest.

use api::{EventKind, OperationStatus};
use chrono::{DateTime, Utc};
use saga::Outcome;
use sea_orm::{
    ActiveValue::Set, EntityTrait as _, ExprTrait as _, QueryFilter as _, sea_query::Expr,
};
use serde_json::json;

use crate::{
    AppChange, Lease, Leases, Operation, Result,
    entity::operation::{ActiveModel, Column, Entity},
    event::NewEvent,
    journal::explained,
    text,
    write::{fenced, owned},
};

impl Leases<'_> {
    /// Brings the operation to rest as the engine says, changes its app, writes the last lines of progress and the
    /// event, and ends the lease, all or nothing. A stuck operation keeps its app; any other frees it.
    pub async fn finish(
        &self,
        lease: &Lease,
        outcome: &Outcome,
        change: AppChange,
    ) -> Result<Operation> {
        let notes = lease.notes();
        let writing = notes.writing.lock().await;
        let mut events = notes.waiting_lines();
        let count = events.len();
        let mut write = self.0.write().await?;
        let (status, message) = told(outcome);
        let finished = Entity::update_many()
            .set(columns(outcome, status, write.now))
            // Whatever is still written under this lease is written too late.
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(fenced(lease))
            .exec(&write.tx)
            .await?;
        owned(finished.rows_affected)?;
        write.change_app(lease.app, change).await?;
        let data = json!({ "status": status, "kind": lease.kind });
        events.push(NewEvent {
            message,
            ..NewEvent::new(
                lease.operation,
                lease.app,
                EventKind::OperationFinished,
                data,
                write.now,
            )
        });
        write.events(events).await?;
        write.wake_workers();
        write.commit().await?;
        notes.written(count);
        drop(writing);
        self.0.operations().get(lease.operation).await
    }
}

fn told(outcome: &Outcome) -> (OperationStatus, Option<String>) {
    match outcome {
        Outcome::Completed => (OperationStatus::Completed, None),
        Outcome::Unwound { failure, .. } => {
            (OperationStatus::Unwound, Some(failure.message.clone()))
        }
        Outcome::Stuck { failure, .. } => (OperationStatus::Stuck, Some(failure.message.clone())),
    }
}

fn columns(outcome: &Outcome, status: OperationStatus, now: DateTime<Utc>) -> ActiveModel {
    let mut columns = ActiveModel {
        status: Set(status.as_str().to_owned()),
        finished_at: Set(Some(now)),
        lease_holder: Set(None),
        lease_until: Set(None),
        cancellable: Set(false),
        failure: Set(None),
        ..Default::default()
    };
    if let Outcome::Unwound { step, failure } | Outcome::Stuck { step, failure, .. } = outcome {
        columns.failure = Set(Some(text::json(&explained(step, failure))));
        columns.step = Set(Some(step.clone()));
    }
    match outcome {
        Outcome::Stuck { unwinding, .. } => columns.unwinding = Set(*unwinding),
        Outcome::Completed | Outcome::Unwound { .. } => columns.live_app_id = Set(None),
    }
    columns
}
