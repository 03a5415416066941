//! States for people: a word, a picture and a colour for each. The only place that knows them.

use api::{
    App, AppState, CheckState, DiscrepancyKind, NodeState, OperationKind, OperationStatus,
    StepStatus,
};
use serde::Serialize;

/// How a state is shown. The word says it all; picture and colour only help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Badge {
    /// The word.
    pub(crate) word: &'static str,
    /// `ok`, `busy`, `quiet`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    /// Name of the picture.
    pub(crate) icon: &'static str,
}

const fn badge(word: &'static str, tone: &'static str, icon: &'static str) -> Badge {
    Badge { word, tone, icon }
}

/// What somebody asked for and was refused.
pub(crate) const DENIED: Badge = badge("Denied", "warn", "attention");

/// An app. What needs a person comes first, then what is under way.
pub(crate) fn app(app: &App) -> Badge {
    match app.state {
        AppState::Deploying => badge("Deploying", "busy", "working"),
        AppState::Deleting => badge("Deleting", "busy", "working"),
        AppState::Deleted => badge("Deleted", "quiet", "deleted"),
        _ if app.attention.is_some() => badge("Needs attention", "warn", "attention"),
        _ if app.operation.is_some() => badge("Working", "busy", "working"),
        AppState::Running => badge("Running", "ok", "running"),
        AppState::Stopped => badge("Stopped", "quiet", "stopped"),
    }
}

/// Where an app opens in a browser, while it runs.
pub(crate) fn opens_at(app: &App) -> Option<String> {
    let primary = app.endpoints.iter().find(|endpoint| endpoint.primary);
    let endpoint = primary.or(app.endpoints.first())?;
    let opens = app.state == AppState::Running && endpoint.scheme.starts_with("http");
    opens.then(|| endpoint.url.clone())
}

/// An operation.
pub(crate) fn operation(status: OperationStatus) -> Badge {
    match status {
        OperationStatus::Queued => badge("Queued", "quiet", "waiting"),
        OperationStatus::Running => badge("Running", "busy", "working"),
        OperationStatus::Completed => badge("Completed", "ok", "done"),
        OperationStatus::Unwinding => badge("Undoing", "warn", "undo"),
        OperationStatus::Unwound => badge("Undone", "quiet", "undo"),
        OperationStatus::Stuck => badge("Stuck", "bad", "attention"),
    }
}

/// A step.
pub(crate) fn step(status: StepStatus) -> Badge {
    match status {
        StepStatus::Pending => badge("To do", "quiet", "pending"),
        StepStatus::Running => badge("Running", "busy", "working"),
        StepStatus::Done => badge("Done", "ok", "done"),
        StepStatus::Failed => badge("Failed", "bad", "failed"),
        StepStatus::Undone => badge("Undone", "quiet", "undo"),
    }
}

/// What the doctor found.
pub(crate) fn check(state: CheckState) -> Badge {
    match state {
        CheckState::Ok => badge("Well", "ok", "done"),
        CheckState::Skipped => badge("Not looked at", "quiet", "pending"),
        CheckState::Warning => badge("Warning", "warn", "attention"),
        CheckState::Failed => badge("Failed", "bad", "failed"),
    }
}

/// A node.
pub(crate) fn node(state: NodeState) -> Badge {
    match state {
        NodeState::Online => badge("Online", "ok", "running"),
        NodeState::Maintenance => badge("Maintenance", "warn", "maintenance"),
        NodeState::Offline => badge("Offline", "bad", "failed"),
    }
}

/// How database and cluster differ.
pub(crate) fn discrepancy(kind: DiscrepancyKind) -> Badge {
    match kind {
        DiscrepancyKind::ContainerGone => badge("Container gone", "bad", "failed"),
        DiscrepancyKind::ContainerMoved => badge("Moved", "quiet", "info"),
        DiscrepancyKind::ContainerUnseen => badge("Not seen", "quiet", "pending"),
        DiscrepancyKind::PowerDiffers => badge("Power differs", "warn", "attention"),
        DiscrepancyKind::NumberTaken => badge("Number taken", "bad", "attention"),
        DiscrepancyKind::ProofMissing => badge("Proof missing", "warn", "attention"),
        DiscrepancyKind::ProofCopied => badge("Proof copied", "warn", "copy"),
        DiscrepancyKind::Unclaimed => badge("Unclaimed", "warn", "attention"),
    }
}

/// What an operation does, as the beginning of a sentence: `Deploy memos`.
pub(crate) fn verb(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Deploy => "Deploy",
        OperationKind::Start => "Start",
        OperationKind::Stop => "Stop",
        OperationKind::Restart => "Restart",
        OperationKind::Delete => "Delete",
        OperationKind::Adopt => "Adopt",
    }
}

/// What an operation does while it does it: `Deploying`.
pub(crate) fn doing(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Deploy => "Deploying",
        OperationKind::Start => "Starting",
        OperationKind::Stop => "Stopping",
        OperationKind::Restart => "Restarting",
        OperationKind::Delete => "Deleting",
        OperationKind::Adopt => "Adopting",
    }
}
