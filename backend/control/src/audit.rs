//! The audit log, as administrators read it.

use api::{AuditEntry, Page};
use store::{AuditFilter, PageRequest};

use crate::{Control, Error};

impl Control {
    /// A page of the audit log, newest first; `cursor` is `next` of the page before, `limit` the rows of a page.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Result<Page<AuditEntry>, Error> {
        let request = PageRequest {
            cursor,
            limit: limit.map(u64::from),
        };
        Ok(self.site.store.audit().list(filter, &request).await?)
    }
}
