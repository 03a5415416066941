//! The audit log: who did what.

use api::{AuditEntry, AuditOutcome, Page};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
};

use crate::{
    PageRequest, Result, Store,
    entity::audit::{ActiveModel, Column, Entity, Model},
    page, text,
    write::Write,
};

/// What the audit log is told. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who: a user's name, or what stands for one who is not known.
    pub principal: String,
    /// What, e.g. `app.deploy`.
    pub action: String,
    /// To what, e.g. the name of an app.
    pub target: String,
    /// How it went.
    pub outcome: AuditOutcome,
    /// The request in the service's log.
    pub request_id: Option<String>,
    /// More, in a sentence.
    pub detail: Option<String>,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only those of this principal.
    pub principal: Option<String>,
    /// Only those of this action, as `app.deploy`, or of all actions with this noun, as `app`.
    pub action: Option<String>,
    /// Only those with this target.
    pub target: Option<String>,
    /// Only those that went so.
    pub outcome: Option<AuditOutcome>,
    /// Only those from this time on.
    pub since: Option<DateTime<Utc>>,
    /// Only those before this time.
    pub until: Option<DateTime<Utc>>,
}

/// The repository of the audit log. Nothing is ever changed here, and removed only by age.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(pub(crate) &'a Store);

impl Audit<'_> {
    /// Writes an entry about something that changes nothing else here, such as a login that was denied.
    pub async fn record(&self, record: &AuditRecord) -> Result<()> {
        let write = self.0.write().await?;
        write.audit(record).await?;
        write.commit().await
    }

    /// A page of entries, newest first.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let rows = Entity::find()
            .apply_if(filter.principal.as_deref(), |rows, name| {
                rows.filter(Column::Principal.eq(name))
            })
            .apply_if(filter.action.as_deref(), |rows, action| {
                if action.contains('.') {
                    rows.filter(Column::Action.eq(action))
                } else {
                    // What a person typed is no pattern.
                    let noun = action.to_ascii_lowercase().replace(['\\', '%', '_'], "");
                    rows.filter(Column::Action.like(format!("{noun}.%")))
                }
            })
            .apply_if(filter.target.as_deref(), |rows, target| {
                rows.filter(Column::Target.eq(target))
            })
            .apply_if(filter.outcome, |rows, outcome| {
                rows.filter(Column::Outcome.eq(outcome.as_str()))
            })
            .apply_if(filter.since, |rows, since| {
                rows.filter(Column::Time.gte(since))
            })
            .apply_if(filter.until, |rows, until| {
                rows.filter(Column::Time.lt(until))
            });
        let rows = page::before(rows, Column::Id, request.cursor::<i64>()?, request)
            .all(&self.0.inner.connection)
            .await?;
        let page = page::cut(rows, request, |row| row.id.to_string());
        let items: Result<Vec<_>> = page.items.into_iter().map(entry).collect();
        Ok(Page {
            items: items?,
            next: page.next,
        })
    }
}

impl Write<'_> {
    pub(crate) async fn audit(&self, record: &AuditRecord) -> Result<()> {
        let row = ActiveModel {
            id: NotSet,
            principal: Set(text::clean(&record.principal)),
            action: Set(text::clean(&record.action)),
            target: Set(text::clean(&record.target)),
            outcome: Set(record.outcome.as_str().to_owned()),
            request_id: Set(record.request_id.as_deref().map(text::clean)),
            detail: Set(record.detail.as_deref().map(text::clean)),
            time: Set(self.now),
        };
        Entity::insert(row).exec_without_returning(&self.tx).await?;
        Ok(())
    }
}

fn entry(row: Model) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.id,
        time: row.time,
        principal: row.principal,
        action: row.action,
        target: row.target,
        outcome: text::parse("audit.outcome", &row.outcome)?,
        request_id: row.request_id,
        detail: row.detail,
    })
}
