//! Leases: who drives which operation, until when.
//!
//! A lease ends by itself, so that a dead driver's operation is taken over; and it is numbered, so that a driver who
//! was only frozen is refused when it wakes up. Leases end by this process's clock: replicas whose clocks
//! differ by more than a lease's length take each other's operations over, which costs work but harms nothing.

use std::{sync::Arc, time::Duration};

use api::{AppId, OperationId, OperationKind};
use chrono::{DateTime, Utc};
use sea_orm::{
    EntityTrait as _, ExprTrait as _, QueryFilter as _, QuerySelect as _, sea_query::Expr,
};

use crate::{
    Error, Result, Store,
    claim::Claimed,
    entity::operation::{Column, Entity},
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
    /// Whether a person wished it to be cancelled before it was claimed.
    pub cancel_requested: bool,
    grant: Arc<Grant>,
}

#[derive(Debug)]
struct Grant {
    holder: String,
    generation: i64,
    notes: Notes,
}

impl Lease {
    /// The lease of a row that was just claimed.
    pub(crate) fn granted(row: &Claimed, holder: &str, generation: i64) -> Result<Self> {
        Ok(Self {
            operation: text::parse("operations.id", &row.id)?,
            app: text::parse("operations.app_id", &row.app_id)?,
            kind: text::parse("operations.kind", &row.kind)?,
            attempt: text::count("operations.attempts", i64::from(row.attempts) + 1)?,
            cancel_requested: row.cancel_requested,
            grant: Arc::new(Grant {
                holder: holder.to_owned(),
                generation,
                notes: Notes::new(),
            }),
        })
    }

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

/// The repository of leases.
#[derive(Clone, Copy, Debug)]
pub struct Leases<'a>(pub(crate) &'a Store);

impl Leases<'_> {
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
        let mut wishes = self.0.inner.wishes.subscribe();
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
            let _ = tokio::time::timeout(look, wishes.changed()).await;
        }
    }
}
