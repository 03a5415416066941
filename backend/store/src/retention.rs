//! Forgetting what is older than anybody wants to keep, a little at a time.
//!
//! Never anything of an operation that lives, of an app that exists its deployment and its releases, and never a number:
//! the events that come get higher ones than any that was forgotten.

use std::time::Duration;

use api::{EventKind, OperationKind};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
};

use crate::{
    Result, Store,
    entity::{app, audit, event, operation, release},
};

/// Most rows of one transaction: others write in between.
const BATCH: u64 = 500;

/// How long what is kept. For ever, when absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Lines of progress, from when they were written.
    pub progress: Option<Duration>,
    /// Operations with all their events, from when they came to rest; deleted apps and their releases as long as an
    /// operation of theirs.
    pub operations: Option<Duration>,
    /// The audit log.
    pub audit: Option<Duration>,
}

/// What one call forgot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Lines of progress and other events.
    pub events: u64,
    /// Operations.
    pub operations: u64,
    /// Deleted apps.
    pub apps: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

impl Forgotten {
    /// Whether there was nothing left to forget.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            operations: self.operations + other.operations,
            apps: self.apps + other.apps,
            audit: self.audit + other.audit,
        }
    }
}

impl Store {
    /// Forgets some of what is old enough; call it again until it forgets nothing.
    pub async fn forget(&self, keep: &Keep) -> Result<Forgotten> {
        let before = |length: Option<Duration>| {
            let length = chrono::TimeDelta::from_std(length?).ok()?;
            self.now().checked_sub_signed(length)
        };
        let mut forgotten = Forgotten::default();
        if let Some(before) = before(keep.progress) {
            forgotten.events += self.forget_progress(before).await?;
        }
        if let Some(before) = before(keep.operations) {
            forgotten = forgotten.plus(self.forget_operations(before).await?);
        }
        if let Some(before) = before(keep.audit) {
            forgotten.audit += self.forget_audit(before).await?;
        }
        Ok(forgotten)
    }

    async fn forget_progress(&self, before: DateTime<Utc>) -> Result<u64> {
        let at_rest = operation::Entity::find()
            .select_only()
            .column(operation::Column::Id)
            .filter(operation::Column::LiveAppId.is_null())
            .into_query();
        let kinds = [EventKind::StepLog, EventKind::ImageProgress];
        let old: Vec<i64> = event::Entity::find()
            .select_only()
            .column(event::Column::Id)
            .filter(event::Column::Time.lt(before))
            .filter(event::Column::Kind.is_in(kinds.map(EventKind::as_str)))
            .filter(event::Column::Journal.is_null())
            .filter(event::Column::OperationId.in_subquery(at_rest))
            .order_by_asc(event::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(&self.inner.connection)
            .await?;
        self.forget_events(old).await
    }

    async fn forget_events(&self, ids: Vec<i64>) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let write = self.write().await?;
        let gone = event::Entity::delete_many()
            .filter(event::Column::Id.is_in(ids))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        Ok(gone.rows_affected)
    }

    /// The events of the oldest such operation first, batch by batch, then operations without events, then deleted apps
    /// without operations: whatever is cut off in between leaves nothing that points nowhere.
    async fn forget_operations(&self, before: DateTime<Utc>) -> Result<Forgotten> {
        let old: Vec<String> = operation::Entity::find()
            .select_only()
            .column(operation::Column::Id)
            .filter(old(before))
            .order_by_asc(operation::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(&self.inner.connection)
            .await?;
        let events: Vec<i64> = event::Entity::find()
            .select_only()
            .column(event::Column::Id)
            .filter(event::Column::OperationId.is_in(old.clone()))
            .order_by_asc(event::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(&self.inner.connection)
            .await?;
        let mut forgotten = Forgotten {
            events: self.forget_events(events).await?,
            ..Forgotten::default()
        };
        if forgotten.events == 0 && !old.is_empty() {
            let write = self.write().await?;
            forgotten.operations = operation::Entity::delete_many()
                .filter(operation::Column::Id.is_in(old))
                .exec(&write.tx)
                .await?
                .rows_affected;
            write.commit().await?;
        }
        forgotten.apps = self.forget_apps(before).await?;
        Ok(forgotten)
    }

    async fn forget_apps(&self, before: DateTime<Utc>) -> Result<u64> {
        let in_use = operation::Entity::find()
            .select_only()
            .column(operation::Column::AppId)
            .into_query();
        let gone: Vec<String> = app::Entity::find()
            .select_only()
            .column(app::Column::Id)
            .filter(app::Column::DeletedAt.lt(before))
            .filter(app::Column::Id.not_in_subquery(in_use))
            .limit(BATCH)
            .into_tuple()
            .all(&self.inner.connection)
            .await?;
        if gone.is_empty() {
            return Ok(0);
        }
        let write = self.write().await?;
        release::Entity::delete_many()
            .filter(release::Column::AppId.is_in(gone.clone()))
            .exec(&write.tx)
            .await?;
        let apps = app::Entity::delete_many()
            .filter(app::Column::Id.is_in(gone))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        Ok(apps.rows_affected)
    }

    async fn forget_audit(&self, before: DateTime<Utc>) -> Result<u64> {
        let old: Vec<i64> = audit::Entity::find()
            .select_only()
            .column(audit::Column::Id)
            .filter(audit::Column::Time.lt(before))
            .order_by_asc(audit::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(&self.inner.connection)
            .await?;
        if old.is_empty() {
            return Ok(0);
        }
        let write = self.write().await?;
        let gone = audit::Entity::delete_many()
            .filter(audit::Column::Id.is_in(old))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        Ok(gone.rows_affected)
    }
}

/// Over for long, and not how an app that exists came to be.
fn old(before: DateTime<Utc>) -> Condition {
    let deleted = app::Entity::find()
        .select_only()
        .column(app::Column::Id)
        .filter(app::Column::DeletedAt.is_not_null())
        .into_query();
    Condition::all()
        .add(operation::Column::LiveAppId.is_null())
        .add(operation::Column::FinishedAt.lt(before))
        .add(
            Condition::any()
                .add(operation::Column::Kind.ne(OperationKind::Deploy.as_str()))
                .add(operation::Column::AppId.in_subquery(deleted)),
        )
}
