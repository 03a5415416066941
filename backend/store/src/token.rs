//! API tokens, known by the hash of a random secret.

use api::{Scope, TokenId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::Expr,
};

use crate::{
    AuditRecord, Error, Hidden, Result, Store, User,
    entity::{
        token::{ActiveModel, Column, Entity, Model},
        user,
    },
    text,
};

/// How exactly it is kept when a token was last used: not every request is a write.
const USED: TimeDelta = TimeDelta::minutes(1);

/// An API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Identifier.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// Whose.
    pub user: UserId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Whose.
    pub user: UserId,
    /// Hash of the secret.
    pub secret_hash: Hidden<Vec<u8>>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends; never, when absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The repository of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'a>(pub(crate) &'a Store);

impl Tokens<'_> {
    /// Makes a token.
    pub async fn create(&self, new: NewToken, audit: &AuditRecord) -> Result<Token> {
        let id = self.0.new_token_id();
        let write = self.0.write().await?;
        let row = ActiveModel {
            id: Set(id.to_string()),
            name: Set(new.name),
            secret_hash: Set(new.secret_hash.0),
            user_id: Set(new.user.to_string()),
            scopes: Set(text::json(&new.scopes)),
            created_at: Set(write.now),
            expires_at: Set(new.expires_at),
            last_used_at: NotSet,
            revoked_at: NotSet,
        };
        Entity::insert(row)
            .exec_without_returning(&write.tx)
            .await?;
        write.audit(audit).await?;
        write.commit().await?;
        self.get(id).await
    }

    /// The token with this id, revoked or not.
    pub async fn get(&self, id: TokenId) -> Result<Token> {
        let row = Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        row.ok_or(Error::NotFound("token"))
            .and_then(Token::try_from)
    }

    /// The token with this secret and its user; none when it has ended, was revoked or its user is disabled.
    pub async fn find(&self, secret_hash: &[u8]) -> Result<Option<(Token, User)>> {
        let row = Entity::find()
            .filter(Column::SecretHash.eq(secret_hash))
            .filter(Column::RevokedAt.is_null())
            .filter(
                Condition::any()
                    .add(Column::ExpiresAt.is_null())
                    .add(Column::ExpiresAt.gt(self.0.now())),
            )
            .one(&self.0.inner.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user = user::Entity::find_by_id(&row.user_id)
            .filter(user::Column::DisabledAt.is_null())
            .one(&self.0.inner.connection)
            .await?;
        let Some(user) = user else { return Ok(None) };
        Ok(Some((Token::try_from(row)?, User::try_from(user)?)))
    }

    /// The tokens that are not revoked, newest first; of one user or of all.
    pub async fn list(&self, user: Option<UserId>) -> Result<Vec<Token>> {
        let whose = user.map(|user| Column::UserId.eq(user.to_string()));
        let rows = Entity::find()
            .filter(Column::RevokedAt.is_null())
            .filter(Condition::all().add_option(whose))
            .order_by_desc(Column::Id)
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Writes down that the token was used now, if that was last done more than a minute ago.
    pub async fn touch(&self, token: &Token) -> Result<()> {
        let now = self.0.now();
        if token.last_used_at.is_some_and(|last| now - last < USED) {
            return Ok(());
        }
        let write = self.0.write().await?;
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .filter(Column::Id.eq(token.id.to_string()))
            .exec(&write.tx)
            .await?;
        write.commit().await
    }

    /// Revokes a token; [`Error::NotFound`] when there is none, or it was revoked before.
    pub async fn revoke(&self, id: TokenId, audit: &AuditRecord) -> Result<()> {
        let write = self.0.write().await?;
        let revoked = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(write.now))
            .filter(Column::Id.eq(id.to_string()))
            .filter(Column::RevokedAt.is_null())
            .exec(&write.tx)
            .await?;
        if revoked.rows_affected == 0 {
            return Err(Error::NotFound("token"));
        }
        write.audit(audit).await?;
        write.commit().await
    }
}

impl TryFrom<Model> for Token {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: text::parse("tokens.id", &row.id)?,
            name: row.name,
            user: text::parse("tokens.user_id", &row.user_id)?,
            scopes: text::from_json("tokens.scopes", &row.scopes)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}
