//! The audit log: who did what.

use api::Page;
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
    /// How it went, e.g. `accepted`, `denied`.
    pub outcome: String,
    /// The request in the service's log.
    pub request_id: Option<String>,
    /// More, in a sentence.
    pub detail: Option<String>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Place in the log.
    pub id: i64,
    /// When.
    pub time: DateTime<Utc>,
    /// What.
    pub record: AuditRecord,
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

    /// A page of entries, newest first; of one principal or of all.
    pub async fn list(
        &self,
        principal: Option<&str>,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let rows = Entity::find().apply_if(principal, |rows, name| {
            rows.filter(Column::Principal.eq(name))
        });
        let rows = page::before(rows, Column::Id, request.cursor::<i64>()?, request)
            .all(&self.0.inner.connection)
            .await?;
        let page = page::cut(rows, request, |row| row.id.to_string());
        Ok(Page {
            items: page.items.into_iter().map(AuditEntry::from).collect(),
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
            outcome: Set(text::clean(&record.outcome)),
            request_id: Set(record.request_id.as_deref().map(text::clean)),
            detail: Set(record.detail.as_deref().map(text::clean)),
            time: Set(self.now),
        };
        Entity::insert(row).exec_without_returning(&self.tx).await?;
        Ok(())
    }
}

impl From<Model> for AuditEntry {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            time: row.time,
            record: AuditRecord {
                principal: row.principal,
                action: row.action,
                target: row.target,
                outcome: row.outcome,
                request_id: row.request_id,
                detail: row.detail,
            },
        }
    }
}
