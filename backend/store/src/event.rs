//! What happened: one table that is the journal of every operation and what people, SSE and histories see of it.

use api::{AppId, EventKind, OperationId};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};
use serde_json::Value;

use crate::{
    Result, Store,
    entity::event::{ActiveModel, Column, Entity, Model},
    text,
};

/// The repository of events. They are written by what they tell about.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a>(pub(crate) &'a Store);

/// Whose events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of this operation.
    pub operation: Option<OperationId>,
    /// Only those of this app.
    pub app: Option<AppId>,
}

/// A line of an operation's journal with its time: what step reports are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// When.
    pub time: DateTime<Utc>,
    /// What the engine wrote.
    pub event: saga::Event,
}

impl Events<'_> {
    /// Up to `limit` events after the one with the number `id`, in order. Nothing is ever added before an
    /// event that was answered here.
    pub async fn after(&self, id: i64, filter: EventFilter, limit: u64) -> Result<Vec<api::Event>> {
        let rows = filter
            .apply(Entity::find())
            .filter(Column::Id.gt(id))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter().map(public).collect()
    }

    /// The last `limit` events, in order.
    pub async fn last(&self, filter: EventFilter, limit: u64) -> Result<Vec<api::Event>> {
        let rows = filter
            .apply(Entity::find())
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter().rev().map(public).collect()
    }

    /// Number of the newest event; 0 before the first.
    pub async fn newest(&self) -> Result<i64> {
        let newest: Option<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .order_by_desc(Column::Id)
            .into_tuple()
            .one(&self.0.inner.connection)
            .await?;
        Ok(newest.unwrap_or(0))
    }

    /// The journal of an operation as the engine wrote it, in order.
    pub async fn history(&self, operation: OperationId) -> Result<Vec<History>> {
        history(&self.0.inner.connection, operation).await
    }
}

pub(crate) async fn history(
    connection: &impl ConnectionTrait,
    operation: OperationId,
) -> Result<Vec<History>> {
    let rows: Vec<(DateTime<Utc>, Option<String>)> = Entity::find()
        .select_only()
        .column(Column::Time)
        .column(Column::Journal)
        .filter(Column::OperationId.eq(operation.to_string()))
        .filter(Column::Journal.is_not_null())
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(connection)
        .await?;
    let line = |(time, journal): (_, Option<String>)| {
        let event = text::from_json("events.journal", &journal.unwrap_or_default())?;
        Ok(History { time, event })
    };
    rows.into_iter().map(line).collect()
}

impl EventFilter {
    /// The events of one operation.
    pub fn operation(operation: OperationId) -> Self {
        Self {
            operation: Some(operation),
            app: None,
        }
    }

    /// Whether it lets this event through.
    pub(crate) fn takes(self, event: &api::Event) -> bool {
        self.operation.is_none_or(|id| event.operation == id)
            && self.app.is_none_or(|id| event.app == id)
    }

    fn apply(self, rows: Select<Entity>) -> Select<Entity> {
        rows.apply_if(self.operation, |rows, id| {
            rows.filter(Column::OperationId.eq(id.to_string()))
        })
        .apply_if(self.app, |rows, id| {
            rows.filter(Column::AppId.eq(id.to_string()))
        })
    }
}

/// An event to be: everything but its number.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) operation: OperationId,
    pub(crate) app: AppId,
    pub(crate) kind: EventKind,
    pub(crate) step: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) data: Option<Value>,
    pub(crate) journal: Option<saga::Event>,
    pub(crate) time: DateTime<Utc>,
}

impl NewEvent {
    /// An event of a kind that needs no step.
    pub(crate) fn new(
        operation: OperationId,
        app: AppId,
        kind: EventKind,
        data: Value,
        time: DateTime<Utc>,
    ) -> Self {
        Self {
            operation,
            app,
            kind,
            step: None,
            message: None,
            data: Some(data),
            journal: None,
            time,
        }
    }

    /// A line of the engine's journal, as people see it.
    pub(crate) fn journalled(
        operation: OperationId,
        app: AppId,
        event: &saga::Event,
        time: DateTime<Utc>,
    ) -> Self {
        let kind = match event {
            saga::Event::Started { .. } => EventKind::StepStarted,
            saga::Event::Checkpoint { .. } => EventKind::StepCheckpoint,
            saga::Event::Finished { .. } => EventKind::StepFinished,
            saga::Event::Failed { .. } => EventKind::StepFailed,
            saga::Event::Undone { .. } => EventKind::StepUndone,
            saga::Event::UndoFailed { .. } => EventKind::StepUndoFailed,
            saga::Event::Retried { .. } => EventKind::OperationRetried,
        };
        let failure = event.failure();
        Self {
            operation,
            app,
            kind,
            step: Some(event.step().to_owned()),
            message: failure.map(|failure| failure.message.clone()),
            data: failure
                .map(|failure| serde_json::to_value(failure).expect("a failure is made of texts")),
            journal: Some(event.clone()),
            time,
        }
    }

    pub(crate) fn row(self, id: i64) -> ActiveModel {
        ActiveModel {
            id: Set(id),
            operation_id: Set(self.operation.to_string()),
            app_id: Set(self.app.to_string()),
            kind: Set(self.kind.as_str().to_owned()),
            step: Set(self.step.as_deref().map(text::clean)),
            message: Set(self.message.as_deref().map(text::clean)),
            data: Set(self.data.as_ref().map(text::json)),
            journal: Set(self.journal.as_ref().map(text::json)),
            time: Set(self.time),
        }
    }
}

fn public(row: Model) -> Result<api::Event> {
    Ok(api::Event {
        id: row.id,
        time: row.time,
        kind: text::parse("events.kind", &row.kind)?,
        operation: text::parse("events.operation_id", &row.operation_id)?,
        app: text::parse("events.app_id", &row.app_id)?,
        step: row.step,
        message: row.message,
        data: row
            .data
            .map(|data| text::from_json("events.data", &data))
            .transpose()?,
    })
}
