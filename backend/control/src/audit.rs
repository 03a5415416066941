//! The audit log, as administrators read it.

use api::{AuditEntry, AuditOutcome, Page};
use chrono::{DateTime, Utc};
use store::{AuditFilter, PageRequest};

use crate::{Control, Error};

/// Which entries of the audit log.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only those of this user.
    pub principal: Option<String>,
    /// Only those of this action, as `app.deploy`, or of all with this noun, as `app`.
    pub action: Option<String>,
    /// Only those with this target: an app's name, an operation's id, a token's name.
    pub target: Option<String>,
    /// Only those that went so.
    pub outcome: Option<AuditOutcome>,
    /// Only those from this time on.
    pub since: Option<DateTime<Utc>>,
    /// Only those before this time.
    pub until: Option<DateTime<Utc>>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows of a page.
    pub limit: Option<u32>,
}

impl Control {
    /// A page of the audit log, newest first.
    pub async fn audit(&self, query: AuditQuery) -> Result<Page<AuditEntry>, Error> {
        let filter = AuditFilter {
            principal: query.principal,
            action: query.action,
            target: query.target,
            outcome: query.outcome,
            since: query.since,
            until: query.until,
        };
        let request = PageRequest {
            cursor: query.cursor,
            limit: query.limit.map(u64::from),
        };
        Ok(self.site.store.audit().list(&filter, &request).await?)
    }
}
