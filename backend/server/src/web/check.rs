//! A check of the doctor, as the component `setup.check` shows it.

use api::{Check, CheckState};
use serde::Serialize;

use super::state::{self, Badge};

/// What was looked at, and how it came out.
#[derive(Serialize)]
pub(super) struct CheckRow {
    name: String,
    state: CheckState,
    badge: Badge,
    message: String,
    evidence: Vec<String>,
    hint: Option<String>,
}

impl From<Check> for CheckRow {
    fn from(check: Check) -> Self {
        Self {
            badge: state::check(check.state),
            name: check.name,
            state: check.state,
            message: check.message,
            evidence: check.evidence,
            hint: check.hint,
        }
    }
}
