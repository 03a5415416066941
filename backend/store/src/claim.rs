//! Whose turn it is: which operation a worker takes next, under limits that hold for all replicas together.
//!
//! The oldest first. What would have to wait for a node at its limit is passed over, so that a busy node holds up
//! nobody's work but its own. Beside the limits there is one place more ([`Lane::Spare`]) for what is short: a stop, a
//! delete, and what goes back, never wait behind a thousand deployments.

use std::{collections::BTreeMap, time::Duration};

use api::{AppId, OperationId, OperationKind, OperationStatus};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    FromQueryResult, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, sea_query::Expr,
};

use crate::{
    Lease, Leases, Result,
    entity::{
        app,
        operation::{Column, Entity},
    },
    parking, text,
};

/// How many operations may be at work at the same time, counted over all replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub cluster: u64,
    /// On one node. An operation belongs to a node once that is chosen.
    pub node: u64,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self {
        cluster: u64::MAX,
        node: u64::MAX,
    };
}

/// What may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Anything, within the limits.
    Any,
    /// Only what is short, with one place beside the limits: stops, deletions, and what is being taken back.
    Spare,
}

/// What is at work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// In all.
    pub total: u64,
    /// By node; what has no node yet is not here.
    pub by_node: BTreeMap<String, u64>,
}

/// The columns of an operation that claiming needs: its state may be long.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Claimed {
    pub(crate) id: String,
    pub(crate) app_id: String,
    pub(crate) kind: String,
    pub(crate) attempts: i32,
    pub(crate) cancel_requested: bool,
    status: String,
    unwinding: bool,
    generation: i64,
    started_at: Option<DateTime<Utc>>,
}

impl Leases<'_> {
    /// Takes the oldest operation that waits for a driver, without any limit: see [`claim`](Self::claim).
    pub async fn claim_next(&self, holder: &str, length: Duration) -> Result<Option<Lease>> {
        self.claim(holder, length, Limits::NONE, Lane::Any).await
    }

    /// Takes the oldest operation that waits for a driver, queued or left by one whose lease is over, and that the
    /// limits allow. `None` when there is none, or when everything is parked. An operation that was never claimed
    /// before is running from now on.
    pub async fn claim(
        &self,
        holder: &str,
        length: Duration,
        limits: Limits,
        lane: Lane,
    ) -> Result<Option<Lease>> {
        let limits = lane.widen(limits);
        // Looked at before: a worker that finds nothing has written nothing.
        let connection = &self.0.inner.connection;
        if find(connection, self.0.now(), limits, lane)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let write = self.0.write().await?;
        write.count("claims", 1).await?;
        let Some(row) = find(&write.tx, write.now, limits, lane).await? else {
            return Ok(None);
        };
        let status: OperationStatus = text::parse("operations.status", &row.status)?;
        let status = match status {
            OperationStatus::Queued if row.unwinding => OperationStatus::Unwinding,
            OperationStatus::Queued => OperationStatus::Running,
            status => status,
        };
        let generation = row.generation + 1;
        // Compare and set all the same: a retry or the end of a driver that was taken for dead changes the row
        // without taking its turn.
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
        Lease::granted(&row, holder, generation).map(Some)
    }

    /// Whether the node that the operation has chosen may have one more at work, this one, which counts already.
    pub async fn fits(&self, lease: &Lease, limits: Limits) -> Result<bool> {
        let connection = &self.0.inner.connection;
        let app = app::Entity::find_by_id(lease.app.to_string())
            .one(connection)
            .await?;
        let Some(node) = app.and_then(|app| app.node) else {
            return Ok(true);
        };
        let load = load(connection, self.0.now()).await?;
        Ok(load.by_node.get(&node).copied().unwrap_or(0) <= limits.node)
    }

    /// What is at work now.
    pub async fn load(&self) -> Result<Load> {
        load(&self.0.inner.connection, self.0.now()).await
    }

    /// How many operations that wait were asked for before this one.
    pub async fn waiting_before(&self, operation: OperationId) -> Result<u64> {
        let before = Entity::find()
            .filter(claimable(self.0.now()))
            .filter(Column::Id.lt(operation.to_string()));
        Ok(before.count(&self.0.inner.connection).await?)
    }

    /// The nodes of these apps, as far as they have one.
    pub async fn nodes_of(&self, apps: &[AppId]) -> Result<BTreeMap<AppId, String>> {
        let rows: Vec<(String, Option<String>)> = app::Entity::find()
            .select_only()
            .column(app::Column::Id)
            .column(app::Column::Node)
            .filter(app::Column::Id.is_in(apps.iter().map(ToString::to_string)))
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter()
            .filter_map(|(id, node)| Some((id, node?)))
            .map(|(id, node)| Ok((text::parse("apps.id", &id)?, node)))
            .collect()
    }
}

impl Lane {
    fn widen(self, limits: Limits) -> Limits {
        let more = u64::from(self == Self::Spare);
        Limits {
            cluster: limits.cluster.saturating_add(more),
            node: limits.node.saturating_add(more),
        }
    }
}

/// The operation whose turn it is.
async fn find(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limits: Limits,
    lane: Lane,
) -> Result<Option<Claimed>> {
    if parking::parked(connection).await?.is_some() {
        return Ok(None);
    }
    let load = match limits {
        Limits::NONE => Load::default(),
        _ => load(connection, now).await?,
    };
    if load.total >= limits.cluster {
        return Ok(None);
    }
    let full: Vec<&str> = load
        .by_node
        .iter()
        .filter(|(_, count)| **count >= limits.node)
        .map(|(node, _)| node.as_str())
        .collect();
    let mut rows = Entity::find().select_only().columns([
        Column::Id,
        Column::AppId,
        Column::Kind,
        Column::Attempts,
        Column::CancelRequested,
        Column::Status,
        Column::Unwinding,
        Column::Generation,
        Column::StartedAt,
    ]);
    if !full.is_empty() {
        let theirs = app::Entity::find()
            .select_only()
            .column(app::Column::Id)
            .filter(app::Column::Node.is_in(full));
        rows = rows.filter(Column::AppId.not_in_subquery(theirs.into_query()));
    }
    if lane == Lane::Spare {
        rows = rows.filter(short());
    }
    let row = rows
        .filter(claimable(now))
        .order_by_asc(Column::Id)
        .limit(1)
        .into_model::<Claimed>()
        .one(connection)
        .await?;
    Ok(row)
}

async fn load(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Load> {
    let held = Entity::find()
        .select_only()
        .column(Column::AppId)
        .filter(Column::LiveAppId.is_not_null())
        .filter(Column::LeaseUntil.gte(now));
    // One operation lives per app, so that their apps are as many as they are.
    let rows: Vec<(Option<String>, i64)> = app::Entity::find()
        .select_only()
        .column(app::Column::Node)
        .column_as(app::Column::Id.count(), "count")
        .filter(app::Column::Id.in_subquery(held.into_query()))
        .group_by(app::Column::Node)
        .into_tuple()
        .all(connection)
        .await?;
    let mut load = Load::default();
    for (node, count) in rows {
        let count = text::count("operations.count", count)?;
        load.total += count;
        if let Some(node) = node {
            load.by_node.insert(node, count);
        }
    }
    Ok(load)
}

/// Ends soon.
fn short() -> Condition {
    Condition::any()
        .add(Column::Kind.is_in([OperationKind::Stop.as_str(), OperationKind::Delete.as_str()]))
        .add(Column::CancelRequested.eq(true))
        .add(Column::Unwinding.eq(true))
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
