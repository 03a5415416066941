//! The row of an operation, and finding operations.

use api::{AppId, AppReference, OperationError, OperationId, OperationKind, OperationStatus, Page};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
};
use serde_json::Value;

use crate::{
    Error, PageRequest, Result, Store,
    entity::operation::{Column, Entity, Model},
    page, text,
};

/// One durable run on an app. Its state is not here: see [`Operations::state`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Identifier.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// Where it is.
    pub status: OperationStatus,
    /// The app it works on, named as it was when the operation was asked for.
    pub app: AppReference,
    /// The step of its newest event.
    pub step: Option<String>,
    /// Why it failed: while it unwinds and afterwards, the first failure; when stuck, what it is stuck at.
    pub failure: Option<OperationError>,
    /// Whether it would go back and not forward when it is driven next.
    pub unwinding: bool,
    /// Whether a cancel would still be heard.
    pub cancellable: bool,
    /// Whether a person wished it to be cancelled.
    pub cancel_requested: bool,
    /// Who wished that.
    pub cancel_requested_by: Option<String>,
    /// Who gave it up, when and why. Its status stays `stuck`: nobody knows what is left.
    pub abandoned: Option<Abandoned>,
    /// Who asked for it.
    pub requested_by: String,
    /// How often it was claimed by a driver.
    pub attempts: u32,
    /// Who drives it.
    pub holder: Option<String>,
    /// Until when.
    pub held_until: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a driver first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to rest.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How a stuck operation was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abandoned {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as typed.
    pub reason: String,
}

impl Operation {
    /// Whether its app is taken by it: always before it is over, and when stuck until it is abandoned.
    pub fn is_live(&self) -> bool {
        !self.status.is_over() && self.abandoned.is_none()
    }
}

/// Which operations are listed.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Only those of this app.
    pub app: Option<AppId>,
    /// Only those of apps that had this name when the operation was asked for: of the one that has it now, and of
    /// those that had it before and are deleted.
    pub app_name: Option<String>,
    /// Only those with one of these statuses; of any status, when empty.
    pub statuses: Vec<OperationStatus>,
    /// Only those of this kind.
    pub kind: Option<OperationKind>,
    /// Only those that were asked for at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only those that were asked for before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only those that take their app.
    pub live: bool,
}

/// The repository of operations, as people see and wish them. What drivers do with them is [`Leases`](crate::Leases).
#[derive(Clone, Copy, Debug)]
pub struct Operations<'a>(pub(crate) &'a Store);

impl Operations<'_> {
    /// The operation with this id.
    pub async fn get(&self, id: OperationId) -> Result<Operation> {
        let row = Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        row.ok_or(Error::NotFound("operation"))
            .and_then(Operation::try_from)
    }

    /// What the operation was asked with and has learnt, as its driver last saved it.
    pub async fn state(&self, id: OperationId) -> Result<Value> {
        let row = Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        let row = row.ok_or(Error::NotFound("operation"))?;
        text::from_json("operations.state", &row.state)
    }

    /// The operation that takes the app now, stuck ones included.
    pub async fn live_of(&self, app: AppId) -> Result<Option<Operation>> {
        let row = Entity::find()
            .filter(Column::LiveAppId.eq(app.to_string()))
            .one(&self.0.inner.connection)
            .await?;
        row.map(Operation::try_from).transpose()
    }

    /// A page of operations, newest first.
    pub async fn list(
        &self,
        filter: &OperationFilter,
        request: &PageRequest,
    ) -> Result<Page<Operation>> {
        let statuses = Some(&filter.statuses).filter(|statuses| !statuses.is_empty());
        let rows = Entity::find()
            .apply_if(filter.app, |rows, app| {
                rows.filter(Column::AppId.eq(app.to_string()))
            })
            .apply_if(filter.app_name.as_deref(), |rows, name| {
                rows.filter(Column::AppName.eq(name))
            })
            .apply_if(statuses, |rows, statuses| {
                rows.filter(Column::Status.is_in(statuses.iter().map(|status| status.as_str())))
            })
            .apply_if(filter.since, |rows, since| {
                rows.filter(Column::CreatedAt.gte(since))
            })
            .apply_if(filter.until, |rows, until| {
                rows.filter(Column::CreatedAt.lt(until))
            })
            .apply_if(filter.kind, |rows, kind| {
                rows.filter(Column::Kind.eq(kind.as_str()))
            })
            .apply_if(filter.live.then_some(()), |rows, ()| {
                rows.filter(Column::LiveAppId.is_not_null())
            });
        let cursor = request.cursor::<OperationId>()?.map(|id| id.to_string());
        let rows = page::before(rows, Column::Id, cursor, request)
            .all(&self.0.inner.connection)
            .await?;
        let page = page::cut(rows, request, |row| row.id.clone());
        let items = page
            .items
            .into_iter()
            .map(Operation::try_from)
            .collect::<Result<_>>()?;
        Ok(Page {
            items,
            next: page.next,
        })
    }

    /// How many operations there are of each kind and status, for metrics. Combinations without one are left out.
    pub async fn counts(&self) -> Result<Vec<(OperationKind, OperationStatus, u64)>> {
        let rows: Vec<(String, String, i64)> = Entity::find()
            .select_only()
            .column(Column::Kind)
            .column(Column::Status)
            .column_as(Column::Id.count(), "count")
            .group_by(Column::Kind)
            .group_by(Column::Status)
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        let count = |(kind, status, count): (String, String, i64)| {
            Ok((
                text::parse("operations.kind", &kind)?,
                text::parse("operations.status", &status)?,
                text::count("operations.count", count)?,
            ))
        };
        rows.into_iter().map(count).collect()
    }

    /// How many operations take their app now, by status.
    pub async fn live_counts(&self) -> Result<Vec<(OperationStatus, u64)>> {
        let rows: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::Status)
            .column_as(Column::Id.count(), "count")
            .filter(Column::LiveAppId.is_not_null())
            .group_by(Column::Status)
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        let count = |(status, count): (String, i64)| {
            Ok((
                text::parse("operations.status", &status)?,
                text::count("operations.count", count)?,
            ))
        };
        rows.into_iter().map(count).collect()
    }

    /// How many operations live, stuck ones included.
    pub async fn live(&self) -> Result<u64> {
        let live = Entity::find().filter(Column::LiveAppId.is_not_null());
        Ok(live.count(&self.0.inner.connection).await?)
    }
}

impl TryFrom<Model> for Operation {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let abandoned = match (row.abandoned_by, row.abandoned_at, row.abandoned_reason) {
            (Some(by), Some(at), Some(reason)) => Some(Abandoned { by, at, reason }),
            _ => None,
        };
        let failure = row.failure.as_deref();
        Ok(Self {
            id: text::parse("operations.id", &row.id)?,
            kind: text::parse("operations.kind", &row.kind)?,
            status: text::parse("operations.status", &row.status)?,
            app: AppReference {
                id: text::parse("operations.app_id", &row.app_id)?,
                name: row.app_name,
                catalog_id: row.catalog_id,
            },
            step: row.step,
            failure: failure
                .map(|json| text::from_json("operations.failure", json))
                .transpose()?,
            unwinding: row.unwinding,
            cancellable: row.cancellable,
            cancel_requested: row.cancel_requested,
            cancel_requested_by: row.cancel_requested_by,
            abandoned,
            requested_by: row.requested_by,
            attempts: text::count("operations.attempts", row.attempts.into())?,
            holder: row.lease_holder,
            held_until: row.lease_until,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}
