//! Leases: who drives which operation, until when.
//!
//! A lease ends by itself, so that a dead driver's operation is taken over; and it is numbered, so that a driver who
//! was only frozen is refused when it wakes up. Leases end by this process's clock: replicas whose clocks
//! differ by more than a lease's length take each other's operations over, which costs work but harms nothing.

use std::{sync::Arc, time::Duration};

use api::{AppId, OperationId, OperationKind, OperationStatus};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::Expr,
};

use crate::{
    Error, Result, Store,
    entity::operation::{Column, Entity, Model},
    note::Notes,
    text,
    write::{fenced, owned},
};

/// The right to drive one operation. Clones are the same right.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The operation.
    pub operation: OperationId,
    /// Its app.
    pub app: AppId,
    /// What it does.
    pub kind: OperationKind,
    /// How often it was claimed, this time included. An operation that kills its drivers shows here.
    pub attempt: u32,
    grant: Arc<Grant>,
}

#[derive(Debug)]
struct Grant {
    holder: String,
    generation: i64,
    notes: Notes,
}

impl Lease {
    /// Who holds it.
    pub fn holder(&self) -> &str {
        &self.grant.holder
    }

    /// The fencing token: greater than that of every earlier lease of the operation.
    pub fn generation(&self) -> i64 {
        self.grant.generation
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.grant.notes
    }
}

/// What a renewal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Until when the lease is ours now.
    pub until: DateTime<Utc>,
    /// Whether a person wishes the operation to be cancelled.
    pub cancel_requested: bool,
}

/// Candidates that are looked at in one query. More than one, because other replicas claim from the same end.
const CANDIDATES: u64 = 16;

/// The repository of leases.
#[derive(Clone, Copy, Debug)]
pub struct Leases<'a>(pub(crate) &'a Store);

impl Leases<'_> {
    /// Takes the oldest operation that waits for a driver: queued, or left by one whose lease is over. `None`
    /// when there is none. An operation that was never claimed before is running from now on.
    pub async fn claim_next(&self, holder: &str, length: Duration) -> Result<Option<Lease>> {
        loop {
            let candidates = Entity::find()
                .filter(claimable(self.0.now()))
                .order_by_asc(Column::Id)
                .limit(CANDIDATES)
                .all(&self.0.inner.connection)
                .await?;
            if candidates.is_empty() {
                return Ok(None);
            }
            for candidate in candidates {
                if let Some(lease) = self.claim(candidate, holder, length).await? {
                    return Ok(Some(lease));
                }
            }
            // All of them went to others meanwhile; there may be more behind them.
        }
    }

    /// Compare and set on the generation that was read: of two claimers one changes a row.
    async fn claim(&self, row: Model, holder: &str, length: Duration) -> Result<Option<Lease>> {
        let write = self.0.write().await?;
        let status: OperationStatus = text::parse("operations.status", &row.status)?;
        let status = match status {
            OperationStatus::Queued if row.unwinding => OperationStatus::Unwinding,
            OperationStatus::Queued => OperationStatus::Running,
            status => status,
        };
        let generation = row.generation + 1;
        let claimed = Entity::update_many()
            .col_expr(Column::Generation, Expr::value(generation))
            .col_expr(Column::LeaseHolder, Expr::value(holder))
            .col_expr(Column::LeaseUntil, Expr::value(write.now + length))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(
                Column::StartedAt,
                Expr::value(row.started_at.unwrap_or(write.now)),
            )
            .filter(Column::Id.eq(&row.id))
            .filter(Column::Generation.eq(row.generation))
            .filter(claimable(write.now))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        if claimed.rows_affected == 0 {
            return Ok(None);
        }
        Ok(Some(Lease {
            operation: text::parse("operations.id", &row.id)?,
            app: text::parse("operations.app_id", &row.app_id)?,
            kind: text::parse("operations.kind", &row.kind)?,
            attempt: text::count("operations.attempts", i64::from(row.attempts) + 1)?,
            grant: Arc::new(Grant {
                holder: holder.to_owned(),
                generation,
                notes: Notes::new(),
            }),
        }))
    }

    /// Holds the lease for another `length` from now, and reads the cancel wish. [`Error::LeaseLost`] when somebody
    /// else holds the operation, or it is over: stop driving at once.
    pub async fn renew(&self, lease: &Lease, length: Duration) -> Result<Renewed> {
        let write = self.0.write().await?;
        let until = write.now + length;
        let held = Entity::update_many()
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(fenced(lease))
            .exec(&write.tx)
            .await?;
        owned(held.rows_affected)?;
        let cancel_requested: Option<bool> = Entity::find_by_id(lease.operation.to_string())
            .select_only()
            .column(Column::CancelRequested)
            .into_tuple()
            .one(&write.tx)
            .await?;
        write.commit().await?;
        Ok(Renewed {
            until,
            cancel_requested: cancel_requested.ok_or(Error::NotFound("operation"))?,
        })
    }

    /// Gives the operation back unfinished, for anybody to claim at once; the lines of progress that wait are
    /// written before. What a process that stops politely does.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        let notes = lease.notes();
        let _writing = notes.writing.lock().await;
        let lines = notes.waiting_lines();
        let count = lines.len();
        let mut write = self.0.write().await?;
        let held = Entity::update_many()
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .col_expr(Column::LeaseHolder, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(fenced(lease))
            .exec(&write.tx)
            .await?;
        owned(held.rows_affected)?;
        write.events(lines).await?;
        write.wake_workers();
        write.commit().await?;
        notes.written(count);
        Ok(())
    }

    /// Waits until a person wishes the operation to be cancelled, for as long as it takes: at once for a wish in this
    /// process, within `look` for one that another replica took.
    pub async fn cancel_wish(&self, lease: &Lease, look: Duration) -> Result<()> {
        let mut work = self.0.work();
        loop {
            let wished: Option<bool> = Entity::find_by_id(lease.operation.to_string())
                .select_only()
                .column(Column::CancelRequested)
                .into_tuple()
                .one(&self.0.inner.connection)
                .await?;
            if wished.ok_or(Error::NotFound("operation"))? {
                return Ok(());
            }
            // Whichever comes first, it is only a reason to look again.
            let _ = tokio::time::timeout(look, work.changed()).await;
        }
    }
}

/// Lives, waits for no person, and is held by nobody.
fn claimable(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::LiveAppId.is_not_null())
        .add(Column::Status.ne(OperationStatus::Stuck.as_str()))
        .add(
            Condition::any()
                .add(Column::LeaseUntil.is_null())
                .add(Column::LeaseUntil.lt(now)),
        )
}
