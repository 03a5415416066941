//! The emergency stop: one switch parks every operation of every replica, another lets them go on.

use api::{LiveOperations, OperationStatus, Park, Parked, Status};

use crate::{Asked, Control, Error, history::conflict};

impl Control {
    /// What the service is doing.
    pub async fn status(&self) -> Result<Status, Error> {
        let store = &self.site.store;
        let mut operations = LiveOperations::default();
        for (status, count) in store.operations().live_counts().await? {
            let place = match status {
                OperationStatus::Queued => &mut operations.queued,
                OperationStatus::Running => &mut operations.running,
                OperationStatus::Unwinding => &mut operations.unwinding,
                OperationStatus::Stuck => &mut operations.stuck,
                OperationStatus::Completed | OperationStatus::Unwound => continue,
            };
            *place = count;
        }
        operations.at_work = store.leases().load().await?.total;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            parked: store.parking().now().await?.map(shown),
            operations,
        })
    }

    /// That everything is parked, and by whom; nothing when work goes on.
    pub async fn parked(&self) -> Result<Option<Parked>, Error> {
        Ok(self.site.store.parking().now().await?.map(shown))
    }

    /// Parks everything: what is at work stops where it is, and nothing is begun or undone until it is resumed.
    pub async fn park(&self, asked: &Asked, wish: Park) -> Result<Status, Error> {
        let reason = wish.reason.trim();
        if reason.is_empty() || reason.chars().count() > 1000 {
            return Err(Error::field("/reason", "must be 1 to 1000 characters"));
        }
        let audit = asked.audit_because("operations.park", "all", reason);
        let parking = self.site.store.parking();
        let parked = parking.park(&asked.who.username, reason, &audit).await;
        let parked = parked.map_err(|error| conflict(error, "already_parked"))?;
        tracing::warn!(
            by = parked.by,
            "everything is parked by {}: {reason}",
            parked.by
        );
        self.status().await
    }

    /// Lets everything go on.
    pub async fn resume(&self, asked: &Asked) -> Result<Status, Error> {
        let audit = asked.audit("operations.resume", "all");
        let resumed = self
            .site
            .store
            .parking()
            .resume(&asked.who.username, &audit)
            .await;
        resumed.map_err(|error| conflict(error, "not_parked"))?;
        tracing::warn!(
            by = asked.who.username,
            "everything is resumed by {}",
            asked.who.username
        );
        self.status().await
    }
}

fn shown(parked: store::Parked) -> Parked {
    Parked {
        by: parked.by,
        at: parked.at,
        reason: parked.reason,
    }
}
