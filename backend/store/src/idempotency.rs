//! Idempotency keys: a request that is sent twice is done once.

use api::{AppId, OperationId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    QueryFilter as _,
};

use crate::{
    Error, Result, Store,
    begin::{inserted, nothing},
    entity::idempotency_key::{ActiveModel, Column, Entity, Model},
    text,
    write::Write,
};

/// How long a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// A request as its sender names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who asks: two people may choose the same key.
    pub principal: String,
    /// What they call the request.
    pub key: String,
    /// Hash of everything that the request says.
    pub request_hash: Vec<u8>,
}

/// What the first request with a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The app.
    pub app: AppId,
    /// The operation.
    pub operation: OperationId,
}

impl Store {
    pub(crate) async fn find_key(&self, key: &IdempotencyKey) -> Result<Option<Replay>> {
        look(&self.inner.connection, key, self.now()).await
    }
}

impl Write<'_> {
    /// Binds the key to this app and operation; or answers what it is bound to. Of two transactions with one key the
    /// second waits here for the first to end.
    pub(crate) async fn claim_key(
        &self,
        key: &IdempotencyKey,
        app: AppId,
        operation: OperationId,
    ) -> Result<Option<Replay>> {
        let old = named(key).add(Column::CreatedAt.lte(self.now - REMEMBERED));
        Entity::delete_many().filter(old).exec(&self.tx).await?;
        let row = ActiveModel {
            principal: Set(key.principal.clone()),
            key: Set(key.key.clone()),
            request_hash: Set(key.request_hash.clone()),
            operation_id: Set(operation.to_string()),
            app_id: Set(app.to_string()),
            created_at: Set(self.now),
        };
        let insert = Entity::insert(row).on_conflict(nothing()).try_insert();
        if inserted(&insert.exec_without_returning(&self.tx).await?) {
            return Ok(None);
        }
        look(&self.tx, key, self.now).await
    }

    /// Forgets the keys that are over.
    pub(crate) async fn forget_keys(&self) -> Result<u64> {
        let old = Column::CreatedAt.lte(self.now - REMEMBERED);
        Ok(Entity::delete_many()
            .filter(old)
            .exec(&self.tx)
            .await?
            .rows_affected)
    }
}

async fn look(
    connection: &impl ConnectionTrait,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Option<Replay>> {
    let recent = named(key).add(Column::CreatedAt.gt(now - REMEMBERED));
    let row: Option<Model> = Entity::find().filter(recent).one(connection).await?;
    let Some(row) = row else { return Ok(None) };
    if row.request_hash != key.request_hash {
        return Err(Error::KeyReused);
    }
    Ok(Some(Replay {
        app: text::parse("idempotency_keys.app_id", &row.app_id)?,
        operation: text::parse("idempotency_keys.operation_id", &row.operation_id)?,
    }))
}

fn named(key: &IdempotencyKey) -> Condition {
    Condition::all()
        .add(Column::Principal.eq(&key.principal))
        .add(Column::Key.eq(&key.key))
}
