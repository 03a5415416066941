//! Sessions: logins by password, known by the hash of a random secret.

use api::{SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    sea_query::Expr,
};

use crate::{
    AuditRecord, Error, Hidden, Result, Store, User,
    entity::{
        session::{ActiveModel, Column, Entity, Model},
        user,
    },
    text,
};

/// How exactly it is kept when a session was last seen: not every request is a write.
const SEEN: TimeDelta = TimeDelta::minutes(1);

/// A login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Identifier.
    pub id: SessionId,
    /// Hash of what protects writes from being forged.
    pub csrf_hash: Hidden<Vec<u8>>,
    /// Whose.
    pub user: UserId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last seen, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A session to be.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose.
    pub user: UserId,
    /// Hash of the secret in the cookie.
    pub secret_hash: Hidden<Vec<u8>>,
    /// Hash of what protects writes from being forged.
    pub csrf_hash: Hidden<Vec<u8>>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// The repository of sessions.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a>(pub(crate) &'a Store);

impl Sessions<'_> {
    /// Begins a session.
    pub async fn create(&self, new: NewSession, audit: &AuditRecord) -> Result<Session> {
        let write = self.0.write().await?;
        write.audit(audit).await?;
        let row = Model {
            id: self.0.new_session_id().to_string(),
            secret_hash: new.secret_hash.0,
            csrf_hash: new.csrf_hash.0,
            user_id: new.user.to_string(),
            created_at: write.now,
            last_seen_at: write.now,
            expires_at: new.expires_at,
        };
        Entity::insert(ActiveModel::from(row.clone()))
            .exec_without_returning(&write.tx)
            .await?;
        write.commit().await?;
        Session::try_from(row)
    }

    /// The session with this secret and its user; none when it has ended or its user is disabled.
    pub async fn find(&self, secret_hash: &[u8]) -> Result<Option<(Session, User)>> {
        let row = Entity::find()
            .filter(Column::SecretHash.eq(secret_hash))
            .filter(Column::ExpiresAt.gt(self.0.now()))
            .one(&self.0.inner.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user = user::Entity::find_by_id(&row.user_id)
            .filter(user::Column::DisabledAt.is_null())
            .one(&self.0.inner.connection)
            .await?;
        let Some(user) = user else { return Ok(None) };
        Ok(Some((Session::try_from(row)?, User::try_from(user)?)))
    }

    /// Writes down that the session was seen now, and until when it lasts from here, if that was last done more than
    /// a minute ago.
    pub async fn touch(&self, session: &Session, expires_at: DateTime<Utc>) -> Result<()> {
        if self.0.now() - session.last_seen_at < SEEN {
            return Ok(());
        }
        let write = self.0.write().await?;
        let columns = ActiveModel {
            last_seen_at: Set(write.now),
            expires_at: Set(expires_at),
            ..Default::default()
        };
        Entity::update_many()
            .set(columns)
            .filter(Column::Id.eq(session.id.to_string()))
            .exec(&write.tx)
            .await?;
        write.commit().await
    }

    /// Sets another CSRF secret.
    pub async fn set_csrf(&self, id: SessionId, csrf_hash: &Hidden<Vec<u8>>) -> Result<()> {
        let write = self.0.write().await?;
        let changed = Entity::update_many()
            .col_expr(Column::CsrfHash, Expr::value(csrf_hash.0.clone()))
            .filter(Column::Id.eq(id.to_string()))
            .exec(&write.tx)
            .await?;
        if changed.rows_affected == 0 {
            return Err(Error::NotFound("session"));
        }
        write.commit().await
    }

    /// Ends a session. One that has ended already is none the worse for it.
    pub async fn end(&self, id: SessionId, audit: &AuditRecord) -> Result<()> {
        let write = self.0.write().await?;
        write.audit(audit).await?;
        Entity::delete_by_id(id.to_string()).exec(&write.tx).await?;
        write.commit().await
    }
}

impl Store {
    /// Forgets sessions and idempotency keys that are over, and answers how many. A duty of one replica, now and
    /// then.
    pub async fn sweep(&self) -> Result<u64> {
        let write = self.write().await?;
        let ended = Entity::delete_many()
            .filter(Column::ExpiresAt.lte(write.now))
            .exec(&write.tx)
            .await?
            .rows_affected;
        let forgotten = write.forget_keys().await?;
        write.commit().await?;
        Ok(ended + forgotten)
    }
}

pub(crate) async fn end_all(connection: &impl ConnectionTrait, user: UserId) -> Result<()> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user.to_string()))
        .exec(connection)
        .await?;
    Ok(())
}

impl TryFrom<Model> for Session {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: text::parse("sessions.id", &row.id)?,
            csrf_hash: row.csrf_hash.into(),
            user: text::parse("sessions.user_id", &row.user_id)?,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        })
    }
}
