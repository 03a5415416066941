//! How a finding is put into words.

use api::{Check, CheckState};
use proxmox::NodeName;
use saga::Failure;

fn check(name: &str, state: CheckState, message: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        node: None,
        state,
        message: message.into(),
        evidence: Vec::new(),
        hint: None,
    }
}

/// As it should be.
pub(super) fn ok(name: &str, message: impl Into<String>) -> Check {
    check(name, CheckState::Ok, message)
}

/// Works, with a limitation.
pub(super) fn warning(name: &str, message: impl Into<String>) -> Check {
    check(name, CheckState::Warning, message)
}

/// Does not work.
pub(super) fn failed(name: &str, message: impl Into<String>) -> Check {
    check(name, CheckState::Failed, message)
}

/// Not looked at.
pub(super) fn skipped(name: &str, message: impl Into<String>) -> Check {
    check(name, CheckState::Skipped, message)
}

/// Does not work, as the failure explains.
pub(super) fn explained(name: &str, failure: Failure) -> Check {
    Check {
        evidence: failure.evidence,
        hint: failure.hint,
        ..failed(name, failure.message)
    }
}

/// What a finding may have besides.
pub(super) trait Besides {
    /// It was found on this node.
    #[must_use]
    fn on(self, node: &NodeName) -> Self;
    /// What can be done about it.
    #[must_use]
    fn hint(self, hint: impl Into<String>) -> Self;
    /// A line of what was seen.
    #[must_use]
    fn evidence(self, line: impl Into<String>) -> Self;
}

impl Besides for Check {
    fn on(mut self, node: &NodeName) -> Self {
        self.node = Some(node.to_string());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn evidence(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }
}
