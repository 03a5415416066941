//! How the service is doing, in two numbers: what works now and what waits for a person.

use api::OperationStatus;
use chrono::{DateTime, Utc};

use crate::{Control, Error};

/// How the service is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Operations that are queued or under way.
    pub working: u64,
    /// Operations that are stuck and wait for a person.
    pub stuck: u64,
}

impl Control {
    /// What works now and what waits for a person.
    pub async fn pulse(&self) -> Result<Pulse, Error> {
        let counts = self.site.store.operations().live_counts().await?;
        let mut pulse = Pulse::default();
        for (status, count) in counts {
            match status {
                OperationStatus::Stuck => pulse.stuck += count,
                _ => pulse.working += count,
            }
        }
        Ok(pulse)
    }

    /// The time by the service's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.site.store.now()
    }
}
