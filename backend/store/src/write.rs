//! One transaction that writes: rows, then numbered events, then the audit record, then the commit, then the wake-up.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    SqliteTransactionMode, TransactionOptions, TransactionTrait as _, sea_query::Expr,
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    Error, Lease, Result, Store,
    entity::{counter, event, operation},
    event::NewEvent,
};

/// Rows of one INSERT: SQLite takes at most 32766 values in a statement, and an event has nine.
const BATCH: usize = 500;

/// A transaction. Dropped without [`commit`](Self::commit) it leaves nothing.
pub(crate) struct Write<'a> {
    // In this order: the transaction must end before the next writer may begin.
    pub(crate) tx: DatabaseTransaction,
    _turn: Option<OwnedSemaphorePermit>,
    store: &'a Store,
    newest_event: Option<i64>,
    has_work: bool,
    has_wish: bool,
    /// When it began; what all its rows are stamped with.
    pub(crate) now: DateTime<Utc>,
}

impl Store {
    /// Begins to write. On SQLite the lock is taken here and not at the first write: a transaction that has read
    /// before it writes would be refused at once when another one wrote in between.
    pub(crate) async fn write(&self) -> Result<Write<'_>> {
        let turn = match &self.inner.writer {
            Some(writer) => {
                let turn = writer.clone().acquire_owned().await;
                Some(turn.expect("the semaphore is never closed"))
            }
            None => None,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: turn.is_some().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.inner.connection.begin_with_options(options).await?;
        Ok(Write {
            tx,
            _turn: turn,
            store: self,
            newest_event: None,
            has_work: false,
            has_wish: false,
            now: self.now(),
        })
    }
}

impl Write<'_> {
    /// Makes the changes last, then wakes those who wait for them.
    pub(crate) async fn commit(self) -> Result<()> {
        self.tx.commit().await?;
        if let Some(newest) = self.newest_event {
            // Two commits may come here in the other order than they were made.
            self.store.heard_of(newest);
        }
        if self.has_work {
            self.store
                .inner
                .work
                .send_modify(|count| *count = count.wrapping_add(1));
        }
        if self.has_wish {
            self.store
                .inner
                .wishes
                .send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(())
    }

    /// Says that a driver may be waiting for the wish that this transaction writes.
    pub(crate) fn wake_drivers(&mut self) {
        self.has_wish = true;
    }

    /// Says that a worker may be waiting for what this transaction changes.
    pub(crate) fn wake_workers(&mut self) {
        self.has_work = true;
    }

    /// Holds the operation's row until the commit, and answers [`Error::LeaseLost`] unless the lease is the newest
    /// one and the operation still lives under it. First of all in a transaction: see the lock order.
    pub(crate) async fn fence(&self, lease: &Lease) -> Result<()> {
        let held = operation::Entity::update_many()
            .col_expr(
                operation::Column::Generation,
                Expr::value(lease.generation()),
            )
            .filter(fenced(lease))
            .exec(&self.tx)
            .await?;
        owned(held.rows_affected)
    }

    /// Numbers the events and writes them in this order. Last of all in a transaction: the counter's row makes
    /// every other writer of events wait until the commit.
    pub(crate) async fn events(&mut self, events: Vec<NewEvent>) -> Result<()> {
        let Some(count) = i64::try_from(events.len()).ok().filter(|count| *count > 0) else {
            return Ok(());
        };
        let newest = self.count("events", count).await?;
        let mut rows = events
            .into_iter()
            .zip(newest - count + 1..)
            .map(|(event, id)| event.row(id));
        loop {
            let batch: Vec<event::ActiveModel> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            event::Entity::insert_many(batch)
                .exec_without_returning(&self.tx)
                .await?;
        }
        self.newest_event = Some(newest);
        Ok(())
    }

    /// Adds to a counter and answers what it is then. Its row makes every other writer of it wait until the commit.
    pub(crate) async fn count(&self, name: &'static str, by: i64) -> Result<i64> {
        counter::Entity::update_many()
            .col_expr(
                counter::Column::Value,
                Expr::col(counter::Column::Value).add(by),
            )
            .filter(counter::Column::Name.eq(name))
            .exec(&self.tx)
            .await?;
        let row = counter::Entity::find_by_id(name).one(&self.tx).await?;
        row.map(|row| row.value).ok_or_else(|| Error::Corrupt {
            place: "counters",
            reason: format!("the row `{name}` is missing"),
        })
    }
}

/// The rows that this lease may change: one or none.
pub(crate) fn fenced(lease: &Lease) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(operation::Column::Id.eq(lease.operation.to_string()))
        .add(operation::Column::Generation.eq(lease.generation()))
        .add(operation::Column::LiveAppId.is_not_null())
}

/// What it means that a fenced change found no row.
pub(crate) fn owned(rows: u64) -> Result<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Error::LeaseLost)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::timeout;

    use super::*;
    use crate::{SystemClock, event::EventFilter};

    /// SQLite refuses a transaction that has read what another one has changed since, without waiting
    /// (`SQLITE_BUSY_SNAPSHOT`). So nobody else may write from the moment that one of ours begins.
    #[tokio::test]
    async fn nobody_writes_between_a_read_and_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let (one, two) = (
            Store::open(&path, Arc::new(SystemClock)).await.unwrap(),
            Store::open(&path, Arc::new(SystemClock)).await.unwrap(),
        );
        one.migrate().await.unwrap();
        let first = one.write().await.unwrap();
        let read = counter::Entity::find().all(&first.tx).await.unwrap();
        assert!(read.iter().all(|row| row.value == 0));
        assert!(
            timeout(Duration::from_millis(100), two.write())
                .await
                .is_err(),
            "it has to wait"
        );
        assert!(
            two.events()
                .last(EventFilter::default(), 1)
                .await
                .unwrap()
                .is_empty(),
            "readers do not"
        );
        assert_eq!(first.count("events", 1).await.unwrap(), 1);
        first.commit().await.unwrap();
        let second = two.write().await.unwrap();
        assert_eq!(second.count("events", 1).await.unwrap(), 2);
    }
}
