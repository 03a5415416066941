//! Why a step did not do its work, in words for the person who waits for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Interrupted;

/// The explained failure of a step: what a person is told. Stored in the journal and shown as it
/// is, so it must hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A stable word for programs, such as `no_address` or [`Failure::CANCELLED`].
    pub code: String,
    /// One sentence: what failed and why.
    pub message: String,
    /// What was seen, as lines: the end of a log, an answer of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// One sentence: what the person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// Code of a step that was stopped because a person cancelled the operation.
    pub const CANCELLED: &str = "cancelled";
    /// Code of a step that did not end within its time limit.
    pub const TIMED_OUT: &str = "step_timeout";
    /// Code of a step that panicked.
    pub const INTERNAL: &str = "internal";

    /// A failure without evidence or hint.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            evidence: Vec::new(),
            hint: None,
        }
    }

    /// Adds one line of evidence after those that are there.
    #[must_use]
    pub fn evidence(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Says what the person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The operation was cancelled when `step` was its next or running step.
    pub(crate) fn cancelled(step: &str) -> Self {
        Self::new(
            Self::CANCELLED,
            format!("The operation was cancelled at step `{step}`."),
        )
        .hint("What had been done is taken back; ask for it again whenever you like.")
    }

    /// `step` did not end within `limit`.
    pub(crate) fn timed_out(step: &str, limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        Self::new(
            Self::TIMED_OUT,
            format!("Step `{step}` did not finish within {seconds} seconds."),
        )
        .hint("Its last lines tell how far it came; a busy node or a slow storage are the usual causes.")
    }

    /// `step` panicked. What the panic said stays in the service's own log: nobody has checked it
    /// for secrets.
    pub(crate) fn internal(step: &str) -> Self {
        Self::new(
            Self::INTERNAL,
            format!("Step `{step}` stopped because of a programming error."),
        )
        .hint("Please report this; the service's log holds the details.")
    }
}

/// How a step ends when it does not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The step failed: unwind, or stop as stuck after the pivot.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// This driver must stop; the step has neither failed nor finished, and another driver runs it
    /// again.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form() {
        let bare = Failure::new("no_address", "No address.");
        let full = bare
            .clone()
            .evidence("eth0: no lease")
            .evidence("eth0: timed out")
            .hint("Start a DHCP server.");
        insta::assert_snapshot!(
            serde_json::to_string(&bare).unwrap(),
            @r#"{"code":"no_address","message":"No address."}"#
        );
        insta::assert_snapshot!(serde_json::to_string_pretty(&full).unwrap(), @r#"
        {
          "code": "no_address",
          "message": "No address.",
          "evidence": [
            "eth0: no lease",
            "eth0: timed out"
          ],
          "hint": "Start a DHCP server."
        }
        "#);
        for failure in [bare, full] {
            let text = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
        }
    }

    #[test]
    fn a_time_limit_is_told_in_seconds() {
        let told = |limit| Failure::timed_out("pull", limit).message;
        assert_eq!(
            told(Duration::from_mins(5)),
            "Step `pull` did not finish within 300 seconds."
        );
        assert_eq!(
            told(Duration::from_millis(50)),
            "Step `pull` did not finish within 0.05 seconds."
        );
    }
}
