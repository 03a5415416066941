//! The audit log.

use api::{AuditEntry, AuditOutcome, Page};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use control::{AuditFilter, Control};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    error::Error,
    extract::{Admin, Caller, Query},
};

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this user.
    principal: Option<String>,
    /// Only those of this action, or of all actions with this noun.
    #[param(example = "app.deploy")]
    action: Option<String>,
    /// Only those with this target: an app's name, an operation's id, a token's name.
    target: Option<String>,
    /// Only those that went so.
    outcome: Option<AuditOutcome>,
    /// Only those from this time (RFC 3339) on.
    since: Option<DateTime<Utc>>,
    /// Only those before this time (RFC 3339).
    until: Option<DateTime<Utc>>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page.
    limit: Option<u32>,
}

/// Who did what.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Which), responses(
    (status = 200, description = "A page of the audit log, newest first.", body = Page<AuditEntry>),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    _: Caller<Admin>,
    Query(which): Query<Which>,
) -> Result<Json<Page<AuditEntry>>, Error> {
    let filter = AuditFilter {
        principal: which.principal,
        action: which.action,
        target: which.target,
        outcome: which.outcome,
        since: which.since,
        until: which.until,
    };
    let page = control.audit(&filter, which.cursor, which.limit).await?;
    Ok(Json(page))
}
