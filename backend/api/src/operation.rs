//! Operations: one durable run on an app.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AppId, OperationId};

/// A text that is none of the words an enum knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of {known}")]
pub struct UnknownWord {
    pub(crate) text: String,
    pub(crate) known: String,
}

/// An enum whose variants are words: one text in database, API, UI and logs.
macro_rules! words {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as database, API and logs write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    $crate::UnknownWord {
                        text: text.chars().take(80).collect(),
                        known: Self::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }
    };
}
pub(crate) use words;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Install an app.
    Deploy,
    /// Boot a stopped app.
    Start,
    /// Stop a running app and its container.
    Stop,
    /// Stop, then start.
    Restart,
    /// Remove an app with its container and data.
    Delete,
    /// Take an app back that only its container remembers.
    Adopt,
}

words!(OperationKind {
    Deploy = "deploy",
    Start = "start",
    Stop = "stop",
    Restart = "restart",
    Delete = "delete",
    Adopt = "adopt",
});

/// Where an operation is: `queued → running → completed | unwinding → unwound | stuck`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Written down, not yet taken by a worker.
    Queued,
    /// Walking its steps.
    Running,
    /// Done.
    Completed,
    /// A step failed or a person cancelled; what was done is being undone.
    Unwinding,
    /// Everything is undone, nothing is left.
    Unwound,
    /// Neither forward nor back without help: retry or abandon.
    Stuck,
}

words!(OperationStatus {
    Queued = "queued",
    Running = "running",
    Completed = "completed",
    Unwinding = "unwinding",
    Unwound = "unwound",
    Stuck = "stuck",
});

impl OperationStatus {
    /// Whether nothing will happen any more unless a person asks.
    pub const fn is_at_rest(self) -> bool {
        matches!(self, Self::Completed | Self::Unwound | Self::Stuck)
    }

    /// Whether the operation is over for good and its app is free for the next one.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Unwound)
    }
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Being done.
    Running,
    /// Done.
    Done,
    /// Failed; its traces are about to be undone.
    Failed,
    /// Undone.
    Undone,
}

/// One durable run on an app.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Identifier, `op_…`.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// Where it is.
    pub status: OperationStatus,
    /// Why nobody works on it now, in a sentence, when it could be at work: parked, a node at its limit, others before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// The app it works on; kept after the app is deleted.
    pub app: AppReference,
    /// Who asked for it.
    pub requested_by: String,
    /// Whether a cancel would still be heard.
    #[serde(default)]
    pub cancellable: bool,
    /// Whether a person wished it to be cancelled.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// All its steps in order. Empty in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// Why it failed, when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<OperationError>,
    /// Who gave it up, when it was stuck; its status stays `stuck`, for nobody knows what is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<Abandoned>,
}

/// Who gave a stuck operation up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Abandoned {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// The app of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppReference {
    /// Identifier, `app_…`.
    pub id: AppId,
    /// Name at the time of the operation.
    pub name: String,
    /// Catalog entry.
    pub catalog_id: String,
}

/// One step of an operation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepReport {
    /// Name, e.g. `create_container`.
    pub name: String,
    /// Where it is.
    pub status: StepStatus,
    /// When it (last) began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// Why an operation failed: what a person needs to know and to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationError {
    /// For a program, e.g. `image_not_found`.
    pub code: String,
    /// What happened, in a sentence.
    pub message: String,
    /// The step in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The last lines that matter, as the machine said them.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What to do next, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Body of `POST /operations/{id}/abandon`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Abandon {
    /// Why nobody will finish this operation; kept in its history.
    pub reason: String,
}

impl fmt::Display for AppReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_json_and_in_text() {
        for status in OperationStatus::ALL {
            let json = serde_json::to_value(status).unwrap();
            assert_eq!(json, status.as_str());
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        let error = "done".parse::<OperationStatus>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`done` is not one of queued, running, completed, unwinding, unwound, stuck"
        );
    }
}
