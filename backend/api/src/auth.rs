//! Who asks: sessions, API tokens, principals.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{TokenId, operation::words};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at everything but secrets.
    Read,
    /// Deploy apps and run operations on them.
    Write,
    /// Manage tokens and settings.
    Admin,
}

words!(Scope { Read = "read", Write = "write", Admin = "admin" });

/// Body of `POST /sessions`.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Answer of `POST /sessions`; the session itself is in an `HttpOnly` cookie.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Who is logged in.
    pub username: String,
    /// To be sent as `X-CSRF-Token` with every write that the cookie authenticates.
    pub csrf_token: String,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
}

/// Who is asking, as `GET /sessions/current` tells.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// User name.
    pub username: String,
    /// What may be done.
    pub scopes: Vec<Scope>,
}

/// Body of `POST /tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Identifier, `tok_…`.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Answer of `POST /tokens`: the only time that the token is shown.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token, to be sent as `Authorization: Bearer`.
    pub token: String,
    /// What is known of it later.
    #[serde(flatten)]
    pub details: Token,
}
