//! The steps of the setup, and which of them is due.

use control::Progress;
use serde::Serialize;

use super::Visit;

/// A page of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Who manages Proximity.
    Administrator,
    /// Where the cluster is.
    Cluster,
    /// Whether it is the right one.
    Certificate,
    /// How it is entered.
    Credentials,
    /// What works.
    Test,
}

/// A step in the list at the top.
#[derive(Debug, Serialize)]
pub(super) struct StepView {
    label: &'static str,
    /// `done`, `current` or `todo`.
    state: &'static str,
    /// Where it is, when it can be gone to.
    to: Option<&'static str>,
}

impl Step {
    const ALL: [Self; 5] = [
        Self::Administrator,
        Self::Cluster,
        Self::Certificate,
        Self::Credentials,
        Self::Test,
    ];

    /// The first that is not done.
    pub(super) fn due(progress: &Progress) -> Self {
        let done = [
            progress.administrator,
            progress.certificate.is_some(),
            progress.confirmed,
            progress.entered,
        ];
        let due = done.iter().position(|done| !done).unwrap_or(done.len());
        Self::ALL[due]
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Administrator => "/setup/administrator",
            Self::Cluster => "/setup/cluster",
            Self::Certificate => "/setup/certificate",
            Self::Credentials => "/setup/credentials",
            Self::Test => "/setup/test",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Cluster => "Cluster",
            Self::Certificate => "Certificate",
            Self::Credentials => "Credentials",
            Self::Test => "Test",
        }
    }

    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Administrator => "setup_administrator.html",
            Self::Cluster => "setup_cluster.html",
            Self::Certificate => "setup_certificate.html",
            Self::Credentials => "setup_credentials.html",
            Self::Test => "setup_test.html",
        }
    }

    /// All steps with this one as the current.
    pub(super) fn among(self, visit: &Visit) -> Vec<StepView> {
        let due = Self::due(&visit.progress);
        let view = |step: Self| StepView {
            label: step.title(),
            state: match step {
                step if step == self => "current",
                step if step < due => "done",
                _ => "todo",
            },
            to: (step != self && step <= due).then(|| step.path()),
        };
        Self::ALL.map(view).into()
    }
}
