//! The same operation on several apps, each by itself: what one of them refuses does not keep the others.

use api::{Bulk, BulkItem, BulkStarted, OperationKind, Refusal};

use crate::{Asked, Control, Error};

/// Apps of one request.
const MOST: usize = 100;

impl Control {
    /// Writes an operation down for each app that can have one now, and says why not for each other. A request that is
    /// sent twice with an idempotency key begins nothing twice, also when it was cut off in the middle.
    pub async fn start_operations(
        &self,
        asked: &Asked,
        request: Bulk,
    ) -> Result<BulkStarted, Error> {
        let Bulk { kind, apps } = request;
        if matches!(kind, OperationKind::Deploy | OperationKind::Adopt) {
            return Err(Error::field(
                "/kind",
                "must be start, stop, restart or delete",
            ));
        }
        if apps.is_empty() || apps.len() > MOST {
            let message = format!("must name 1 to {MOST} apps");
            return Err(Error::field("/apps", message));
        }
        let mut items: Vec<BulkItem> = Vec::with_capacity(apps.len());
        for app in apps {
            if items.iter().any(|item| item.app == app) {
                continue;
            }
            let asked = Asked {
                idempotency_key: { asked.idempotency_key.as_ref() }
                    .map(|key| format!("{key}/{app}")),
                ..asked.clone()
            };
            let begun = self.start_operation(&asked, &app, kind).await;
            let (operation, refusal) = match begun {
                Ok(operation) => (Some(operation), None),
                Err(error) => (None, Some(refusal(&error))),
            };
            items.push(BulkItem {
                app,
                operation,
                refusal,
            });
        }
        Ok(BulkStarted { items })
    }
}

fn refusal(error: &Error) -> Refusal {
    Refusal {
        code: error.code().to_owned(),
        message: error.detail(),
    }
}
