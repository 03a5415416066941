//! One line of the journal. Its JSON is a stored format: a journal written by one version is read
//! by the next.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Failure;

/// What happened to a step. Everything that the engine must know after a crash, and all that people
/// follow.
///
/// There is no event for the beginning of an undo: undo covers a step whether or not its undo had
/// begun, so nothing would ever be decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The step is about to run. Written again by each driver that runs it again.
    Started {
        /// Name of the step.
        step: String,
    },
    /// The running step, or its undo, saved the state in the middle of its work.
    Checkpoint {
        /// Name of the step.
        step: String,
    },
    /// The step has done its work.
    Finished {
        /// Name of the step.
        step: String,
    },
    /// The step failed, ran out of time, panicked or was cancelled. Before the pivot has finished
    /// the saga unwinds from here, after it the saga is stuck.
    Failed {
        /// Name of the step.
        step: String,
        /// Why.
        failure: Failure,
    },
    /// Nothing of the step is left.
    Undone {
        /// Name of the step.
        step: String,
    },
    /// The step could not be undone: the saga is stuck, and something may be left behind.
    UndoFailed {
        /// Name of the step.
        step: String,
        /// Why.
        failure: Failure,
    },
    /// A person asked a stuck saga to try its step, or the undo of its step, again.
    Retried {
        /// Name of the step.
        step: String,
    },
}

impl Event {
    /// Name of the step that this is about.
    pub fn step(&self) -> &str {
        match self {
            Self::Started { step }
            | Self::Checkpoint { step }
            | Self::Finished { step }
            | Self::Failed { step, .. }
            | Self::Undone { step }
            | Self::UndoFailed { step, .. }
            | Self::Retried { step } => step,
        }
    }

    /// Why it failed, where this is a failure.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } | Self::UndoFailed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// The same word that the stored form carries in `event`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Finished { .. } => "finished",
            Self::Failed { .. } => "failed",
            Self::Undone { .. } => "undone",
            Self::UndoFailed { .. } => "undo_failed",
            Self::Retried { .. } => "retried",
        }
    }
}

/// An event together with the saga's state as it was saved with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// The whole state after it.
    pub state: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form() {
        let step = || "pull".to_owned();
        let failure = || Failure::new("rate_limit", "Too many pulls.");
        let events = [
            Event::Started { step: step() },
            Event::Checkpoint { step: step() },
            Event::Finished { step: step() },
            Event::Failed {
                step: step(),
                failure: failure(),
            },
            Event::Undone { step: step() },
            Event::UndoFailed {
                step: step(),
                failure: failure(),
            },
            Event::Retried { step: step() },
        ];
        let lines: Vec<String> = events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"event":"started","step":"pull"}
        {"event":"checkpoint","step":"pull"}
        {"event":"finished","step":"pull"}
        {"event":"failed","step":"pull","failure":{"code":"rate_limit","message":"Too many pulls."}}
        {"event":"undone","step":"pull"}
        {"event":"undo_failed","step":"pull","failure":{"code":"rate_limit","message":"Too many pulls."}}
        {"event":"retried","step":"pull"}
        "#);
        for (event, line) in events.iter().zip(&lines) {
            assert_eq!(&serde_json::from_str::<Event>(line).unwrap(), event);
            assert!(line.contains(&format!(r#""event":"{}""#, event.kind())));
            assert_eq!(event.step(), "pull");
            assert_eq!(event.failure().is_some(), line.contains("rate_limit"));
        }
    }
}
