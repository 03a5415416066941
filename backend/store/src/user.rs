//! Users.

use api::UserId;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::Expr,
};

use crate::{
    AuditRecord, Error, Hidden, Result, Store,
    begin::{inserted, nothing},
    entity::user::{ActiveModel, Column, Entity, Model},
    session, text,
};

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Name, unique.
    pub name: String,
    /// Hash of the password, in a form that names its algorithm.
    pub password_hash: Hidden<String>,
    /// Role, by its word.
    pub role: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// Since when it may not be used.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Name.
    pub name: String,
    /// Hash of the password.
    pub password_hash: Hidden<String>,
    /// Role, by its word.
    pub role: String,
}

/// The repository of users.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a>(pub(crate) &'a Store);

impl Users<'_> {
    /// How many users there are: none before the first start is done.
    pub async fn count(&self) -> Result<u64> {
        Ok(Entity::find().count(&self.0.inner.connection).await?)
    }

    /// All users, by name.
    pub async fn list(&self) -> Result<Vec<User>> {
        let rows = Entity::find()
            .order_by_asc(Column::Name)
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// The user with this id.
    pub async fn get(&self, id: UserId) -> Result<User> {
        let row = Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        row.ok_or(Error::NotFound("user")).and_then(User::try_from)
    }

    /// The user of this name, disabled or not.
    pub async fn find(&self, name: &str) -> Result<Option<User>> {
        let row = Entity::find()
            .filter(Column::Name.eq(name))
            .one(&self.0.inner.connection)
            .await?;
        row.map(User::try_from).transpose()
    }

    /// Makes a user; [`Error::NameTaken`] when there is one of the name.
    pub async fn create(&self, user: NewUser, audit: &AuditRecord) -> Result<User> {
        let id = self.0.new_user_id();
        let write = self.0.write().await?;
        let row = ActiveModel {
            id: Set(id.to_string()),
            name: Set(user.name.clone()),
            password_hash: Set(user.password_hash.0),
            role: Set(user.role),
            created_at: Set(write.now),
            disabled_at: NotSet,
        };
        let insert = Entity::insert(row).on_conflict(nothing()).try_insert();
        if !inserted(&insert.exec_without_returning(&write.tx).await?) {
            return Err(Error::NameTaken { name: user.name });
        }
        write.audit(audit).await?;
        write.commit().await?;
        self.get(id).await
    }

    /// Sets another password and ends all sessions of the user.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: Hidden<String>,
        audit: &AuditRecord,
    ) -> Result<()> {
        let columns = ActiveModel {
            password_hash: Set(hash.0),
            ..Default::default()
        };
        self.change(id, columns, audit).await
    }

    /// Sets another role and ends all sessions of the user.
    pub async fn set_role(&self, id: UserId, role: &str, audit: &AuditRecord) -> Result<()> {
        let columns = ActiveModel {
            role: Set(role.to_owned()),
            ..Default::default()
        };
        self.change(id, columns, audit).await
    }

    /// Says whether the user may not log in, and ends all sessions.
    pub async fn set_disabled(
        &self,
        id: UserId,
        disabled: bool,
        audit: &AuditRecord,
    ) -> Result<()> {
        let since = disabled.then(|| self.0.now());
        let columns = ActiveModel {
            disabled_at: Set(since),
            ..Default::default()
        };
        self.change(id, columns, audit).await
    }

    async fn change(&self, id: UserId, columns: ActiveModel, audit: &AuditRecord) -> Result<()> {
        let write = self.0.write().await?;
        let changed = Entity::update_many()
            .set(columns)
            .filter(Column::Id.eq(id.to_string()))
            .exec(&write.tx)
            .await?;
        if changed.rows_affected == 0 {
            return Err(Error::NotFound("user"));
        }
        session::end_all(&write.tx, id).await?;
        write.audit(audit).await?;
        write.commit().await
    }

    /// Replaces a password's hash by a better one of the same password, unless the password was changed meanwhile.
    pub async fn rehash(
        &self,
        id: UserId,
        old: &Hidden<String>,
        new: Hidden<String>,
    ) -> Result<()> {
        let write = self.0.write().await?;
        Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(new.0))
            .filter(Column::Id.eq(id.to_string()))
            .filter(Column::PasswordHash.eq(&old.0))
            .exec(&write.tx)
            .await?;
        write.commit().await
    }
}

impl TryFrom<Model> for User {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: text::parse("users.id", &row.id)?,
            name: row.name,
            password_hash: row.password_hash.into(),
            role: row.role,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
    }
}
