//! The audit log: who did what.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operation::words;

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Done, or begun: what became of an operation tells the operation.
    #[default]
    Accepted,
    /// Refused.
    Denied,
}

words!(AuditOutcome { Accepted = "accepted", Denied = "denied" });

/// An entry of the audit log, a row of `GET /audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Place in the log; what comes later has a larger one.
    pub id: i64,
    /// When.
    pub time: DateTime<Utc>,
    /// Who: a user's name, `proximity` for the service itself; empty for somebody who is not known here.
    pub principal: String,
    /// What: a noun and what was done with it, e.g. `app.deploy`, `operation.cancel`, `token.create`.
    pub action: String,
    /// With what: an app by its name, an operation by its id, a token by its name; empty where there is only one.
    pub target: String,
    /// How it went.
    pub outcome: AuditOutcome,
    /// The request, as the service's log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// More, in a sentence: a reason, an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
