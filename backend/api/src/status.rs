//! The service as a whole: what it is doing, and the emergency stop.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the service is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Version of the service.
    pub version: String,
    /// That everything is parked, and by whom; null when work goes on.
    pub parked: Option<Parked>,
    /// The operations that are not over.
    pub operations: LiveOperations,
}

/// That everything is parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parked {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// How many operations are not over, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveOperations {
    /// Not begun.
    pub queued: u64,
    /// Begun; those that wait for a node are among them.
    pub running: u64,
    /// Being taken back.
    pub unwinding: u64,
    /// Waiting for a person.
    pub stuck: u64,
    /// Driven by a worker at this moment.
    pub at_work: u64,
}

/// Body of `POST /park`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Park {
    /// Why everything has to stop; shown to everybody until it is resumed.
    pub reason: String,
}
