//! What the doctor finds: everything that a deployment needs, looked at one by one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operation::words;

/// How a check came out, from good to bad.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Not looked at, because something that it needs is not there.
    Skipped,
    /// Deployments work, with a limitation.
    Warning,
    /// Deployments that meet this will fail.
    Failed,
}

words!(CheckState { Ok = "ok", Skipped = "skipped", Warning = "warning", Failed = "failed" });

/// One thing that a deployment needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// A stable word for programs, e.g. `ssh_login`.
    pub name: String,
    /// The node that it was looked at on; absent for the cluster as a whole and for Proximity itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How it came out.
    pub state: CheckState,
    /// What was found, in a sentence.
    pub message: String,
    /// What was seen, as lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What can be done about it, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Answer of `GET /doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkup {
    /// The worst of them; `ok` when none is a warning or failed.
    pub state: CheckState,
    /// The checks, in the order in which a deployment would meet them.
    pub checks: Vec<Check>,
}

impl Checkup {
    /// The checks with the worst of them told.
    pub fn of(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| check.state).max();
        // What was not looked at is explained by what failed before it.
        let state = worst
            .filter(|state| *state > CheckState::Skipped)
            .unwrap_or(CheckState::Ok);
        Self { state, checks }
    }
}
