//! Events: what SSE, histories and metrics see.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AppId, OperationId, operation::words};

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum EventKind {
    /// An operation was asked for.
    #[serde(rename = "operation.queued")]
    OperationQueued,
    /// A person wished it to be cancelled.
    #[serde(rename = "operation.cancel_requested")]
    OperationCancelRequested,
    /// It came to rest; `data.status` tells how.
    #[serde(rename = "operation.finished")]
    OperationFinished,
    /// A person asked for a stuck operation to be tried again.
    #[serde(rename = "operation.retried")]
    OperationRetried,
    /// A person gave a stuck operation up; `data.reason` tells why.
    #[serde(rename = "operation.abandoned")]
    OperationAbandoned,
    /// It was at work when somebody parked everything; `message` tells why.
    #[serde(rename = "operation.parked")]
    OperationParked,
    /// Somebody let everything go on.
    #[serde(rename = "operation.resumed")]
    OperationResumed,
    /// A step begins.
    #[serde(rename = "step.started")]
    StepStarted,
    /// A step wrote down what it is about to do.
    #[serde(rename = "step.checkpoint")]
    StepCheckpoint,
    /// A step is done.
    #[serde(rename = "step.finished")]
    StepFinished,
    /// A step failed; `message` tells why.
    #[serde(rename = "step.failed")]
    StepFailed,
    /// A step's traces are gone.
    #[serde(rename = "step.undone")]
    StepUndone,
    /// A step's traces could not be removed.
    #[serde(rename = "step.undo_failed")]
    StepUndoFailed,
    /// A line of a step's progress.
    #[serde(rename = "step.log")]
    StepLog,
    /// Progress of one image's pull; `data` is an [`ImageProgress`].
    #[serde(rename = "image.progress")]
    ImageProgress,
}

words!(EventKind {
    OperationQueued = "operation.queued",
    OperationCancelRequested = "operation.cancel_requested",
    OperationFinished = "operation.finished",
    OperationRetried = "operation.retried",
    OperationAbandoned = "operation.abandoned",
    OperationParked = "operation.parked",
    OperationResumed = "operation.resumed",
    StepStarted = "step.started",
    StepCheckpoint = "step.checkpoint",
    StepFinished = "step.finished",
    StepFailed = "step.failed",
    StepUndone = "step.undone",
    StepUndoFailed = "step.undo_failed",
    StepLog = "step.log",
    ImageProgress = "image.progress",
});

/// One line of the journal, as people and programs see it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Place in the order of all events; what `Last-Event-ID` names.
    pub id: i64,
    /// When.
    pub time: DateTime<Utc>,
    /// What it tells.
    pub kind: EventKind,
    /// The operation.
    pub operation: OperationId,
    /// The app.
    pub app: AppId,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// A sentence or a line of output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// More, by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
}

/// Progress of one image's pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageProgress {
    /// The image or, where the engine tells only that, the service.
    pub image: String,
    /// Layers that are in place.
    pub layers_done: u32,
    /// Layers seen so far.
    pub layers_total: u32,
    /// Whether the whole image is in place.
    pub complete: bool,
}
