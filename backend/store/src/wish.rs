//! What people wish of an operation that has begun: cancel, retry, abandon.

use api::{EventKind, OperationId, OperationStatus};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::Expr,
};
use serde_json::json;

use crate::{
    AppChange, AuditRecord, Error, Operation, Operations, Result,
    entity::{
        event,
        operation::{Column, Entity},
    },
    event::NewEvent,
    text,
    write::Write,
};

impl Operations<'_> {
    /// Writes down that a person wishes the operation to be cancelled. Its driver, whichever process that is, reads
    /// it soon. A wish that is there already is answered in the same way; [`Error::Conflict`] when it is too late.
    pub async fn request_cancel(
        &self,
        id: OperationId,
        by: &str,
        audit: &AuditRecord,
    ) -> Result<Operation> {
        let before = self.get(id).await?;
        let mut write = self.0.write().await?;
        let wished = Entity::update_many()
            .col_expr(Column::CancelRequested, Expr::value(true))
            .col_expr(Column::CancelRequestedBy, Expr::value(by))
            .col_expr(Column::CancelRequestedAt, Expr::value(write.now))
            .filter(Column::Id.eq(id.to_string()))
            .filter(Column::LiveAppId.is_not_null())
            .filter(Column::Cancellable.eq(true))
            .filter(Column::CancelRequested.eq(false))
            .exec(&write.tx)
            .await?;
        if wished.rows_affected == 1 {
            write.audit(audit).await?;
            let data = json!({ "by": by });
            let kind = EventKind::OperationCancelRequested;
            let event = NewEvent::new(id, before.app.id, kind, data, write.now);
            write.events(vec![event]).await?;
            write.wake_drivers();
            write.wake_workers();
            write.commit().await?;
            return self.get(id).await;
        }
        drop(write);
        let now = self.get(id).await?;
        if now.is_live() && now.cancel_requested {
            Ok(now)
        } else {
            Err(too_late(&now))
        }
    }

    /// Makes a stuck operation go on where it is stuck, as soon as a worker takes it. [`Error::Conflict`] when it is
    /// not stuck, or was given up.
    pub async fn retry(&self, id: OperationId, by: &str, audit: &AuditRecord) -> Result<Operation> {
        let before = self.get(id).await?;
        let mut write = self.0.write().await?;
        let retried = Entity::update_many()
            .col_expr(
                Column::Status,
                Expr::value(OperationStatus::Queued.as_str()),
            )
            .col_expr(Column::FinishedAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Id.eq(id.to_string()))
            .filter(Column::LiveAppId.is_not_null())
            .filter(Column::Status.eq(OperationStatus::Stuck.as_str()))
            .exec(&write.tx)
            .await?;
        if retried.rows_affected == 0 {
            drop(write);
            return Err(not_stuck(&self.get(id).await?));
        }
        write.audit(audit).await?;
        let journal = write.retried(id).await?;
        let event = NewEvent {
            step: before.step,
            journal,
            ..NewEvent::new(
                id,
                before.app.id,
                EventKind::OperationRetried,
                json!({ "by": by }),
                write.now,
            )
        };
        write.events(vec![event]).await?;
        write.wake_workers();
        write.commit().await?;
        self.get(id).await
    }

    /// Gives a stuck operation up and frees its app, which becomes what `change` says. The operation stays `stuck` in
    /// its history, with who and why. [`Error::Conflict`] when it is not stuck, or was given up before.
    pub async fn abandon(
        &self,
        id: OperationId,
        by: &str,
        reason: &str,
        change: AppChange,
        audit: &AuditRecord,
    ) -> Result<Operation> {
        let before = self.get(id).await?;
        let mut write = self.0.write().await?;
        let abandoned = Entity::update_many()
            .col_expr(Column::LiveAppId, Expr::value(None::<String>))
            .col_expr(Column::AbandonedBy, Expr::value(by))
            .col_expr(Column::AbandonedAt, Expr::value(write.now))
            .col_expr(Column::AbandonedReason, Expr::value(text::clean(reason)))
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Id.eq(id.to_string()))
            .filter(Column::LiveAppId.is_not_null())
            .filter(Column::Status.eq(OperationStatus::Stuck.as_str()))
            .exec(&write.tx)
            .await?;
        if abandoned.rows_affected == 0 {
            drop(write);
            return Err(not_stuck(&self.get(id).await?));
        }
        write.change_app(before.app.id, change).await?;
        write.audit(audit).await?;
        let data = json!({ "by": by, "reason": reason });
        let event = NewEvent {
            message: Some(reason.to_owned()),
            ..NewEvent::new(
                id,
                before.app.id,
                EventKind::OperationAbandoned,
                data,
                write.now,
            )
        };
        write.events(vec![event]).await?;
        write.wake_workers();
        write.commit().await?;
        self.get(id).await
    }
}

impl Write<'_> {
    /// What the engine must read in its journal to go on: that the step which failed last is tried again. Nothing where
    /// no step failed: an operation is stuck, too, when its journal could not be driven at all.
    async fn retried(&self, id: OperationId) -> Result<Option<saga::Event>> {
        let last = event::Entity::find()
            .filter(event::Column::OperationId.eq(id.to_string()))
            .filter(event::Column::Journal.is_not_null())
            .order_by_desc(event::Column::Id)
            .one(&self.tx)
            .await?;
        let Some(journal) = last.and_then(|row| row.journal) else {
            return Ok(None);
        };
        Ok(match text::from_json("events.journal", &journal)? {
            saga::Event::Failed { step, .. } | saga::Event::UndoFailed { step, .. } => {
                Some(saga::Event::Retried { step })
            }
            _ => None,
        })
    }
}

fn too_late(operation: &Operation) -> Error {
    Error::Conflict(match operation.status {
        OperationStatus::Running => "the operation is past the point of no return".to_owned(),
        OperationStatus::Queued => {
            "the operation was retried and can no longer be cancelled".to_owned()
        }
        status => format!("the operation is {status}"),
    })
}

fn not_stuck(operation: &Operation) -> Error {
    Error::Conflict(match &operation.abandoned {
        Some(abandoned) => format!("the operation was given up by {}", abandoned.by),
        None => format!("the operation is {}, not stuck", operation.status),
    })
}
