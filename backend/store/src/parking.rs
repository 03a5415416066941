//! The emergency stop: while a row says so, nothing is claimed by any replica and drivers let go.

use api::{AppId, EventKind, OperationId};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _, QuerySelect as _, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    AuditRecord, Error, Result, Store,
    begin::{inserted, nothing},
    entity::{
        operation,
        setting::{ActiveModel, Column, Entity},
    },
    event::NewEvent,
    text,
    write::Write,
};

/// Name of the row.
const PARKED: &str = "parked";

/// That everything is parked: by whom, since when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as typed.
    pub reason: String,
}

/// The repository of the emergency stop.
#[derive(Clone, Copy, Debug)]
pub struct Parking<'a>(pub(crate) &'a Store);

impl Parking<'_> {
    /// Whether everything is parked.
    pub async fn now(&self) -> Result<Option<Parked>> {
        parked(&self.0.inner.connection).await
    }

    /// Parks everything; what is at work gets an event. [`Error::Conflict`] when it is parked already.
    pub async fn park(&self, by: &str, reason: &str, audit: &AuditRecord) -> Result<Parked> {
        let mut write = self.0.write().await?;
        let parked = Parked {
            by: by.to_owned(),
            at: write.now,
            reason: text::clean(reason),
        };
        let row = ActiveModel {
            name: Set(PARKED.to_owned()),
            value: Set(text::json(&parked)),
            updated_at: Set(write.now),
        };
        let insert = Entity::insert(row).on_conflict(nothing()).try_insert();
        if !inserted(&insert.exec_without_returning(&write.tx).await?) {
            return Err(Error::Conflict(
                "everything is parked already; resume it first".to_owned(),
            ));
        }
        write.audit(audit).await?;
        let held = Condition::all().add(operation::Column::LeaseUntil.gte(write.now));
        let data = json!({ "by": by, "reason": reason });
        write
            .tell(held, EventKind::OperationParked, &parked.reason, &data)
            .await?;
        // Drivers are not asked through their operations: the worker lets go of all of them.
        write.wake_workers();
        write.commit().await?;
        Ok(parked)
    }

    /// Lets everything go on; what was begun gets an event. [`Error::Conflict`] when nothing is parked.
    pub async fn resume(&self, by: &str, audit: &AuditRecord) -> Result<()> {
        let mut write = self.0.write().await?;
        let removed = Entity::delete_many()
            .filter(Column::Name.eq(PARKED))
            .exec(&write.tx)
            .await?;
        if removed.rows_affected == 0 {
            return Err(Error::Conflict("nothing is parked".to_owned()));
        }
        write.audit(audit).await?;
        let begun = Condition::all()
            .add(operation::Column::StartedAt.is_not_null())
            .add(operation::Column::Status.ne(api::OperationStatus::Stuck.as_str()));
        let data = json!({ "by": by });
        write
            .tell(begun, EventKind::OperationResumed, "", &data)
            .await?;
        write.wake_workers();
        write.commit().await
    }
}

pub(crate) async fn parked(connection: &impl ConnectionTrait) -> Result<Option<Parked>> {
    let row = Entity::find_by_id(PARKED).one(connection).await?;
    row.map(|row| text::from_json("settings.parked", &row.value))
        .transpose()
}

impl Write<'_> {
    /// An event for every live operation that `which` picks.
    async fn tell(
        &mut self,
        which: Condition,
        kind: EventKind,
        message: &str,
        data: &Value,
    ) -> Result<()> {
        // Changed in no way, but held until the commit: the lock order wants operations before the events' counter.
        let live = which.add(operation::Column::LiveAppId.is_not_null());
        operation::Entity::update_many()
            .col_expr(
                operation::Column::Generation,
                Expr::col(operation::Column::Generation),
            )
            .filter(live.clone())
            .exec(&self.tx)
            .await?;
        let rows: Vec<(String, String, Option<String>)> = operation::Entity::find()
            .select_only()
            .columns([
                operation::Column::Id,
                operation::Column::AppId,
                operation::Column::Step,
            ])
            .filter(live)
            .into_tuple()
            .all(&self.tx)
            .await?;
        let mut events = Vec::with_capacity(rows.len());
        for (id, app, step) in rows {
            let id: OperationId = text::parse("operations.id", &id)?;
            let app: AppId = text::parse("operations.app_id", &app)?;
            events.push(NewEvent {
                step,
                message: (!message.is_empty()).then(|| message.to_owned()),
                ..NewEvent::new(id, app, kind, data.clone(), self.now)
            });
        }
        self.events(events).await
    }
}
