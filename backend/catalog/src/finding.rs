//! What was found in a file: where, how bad, and what to do about it, in one sentence.
//!
//! Every reader of this crate collects findings instead of stopping at the first one, so that the author of an
//! entry sees them all at once.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Deploys, and may not do what its author meant.
    Warning,
    /// Cannot be deployed.
    Error,
}

impl Severity {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// File, relative to the entry.
    pub file: String,
    /// Line, from 1; 0 where the finding is about the whole file.
    pub line: u32,
    /// Column, from 1; 0 where the finding is about the whole file.
    pub column: u32,
    /// What it is, in a sentence.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}: {}", self.severity.as_str(), self.message)
    }
}

/// A place in a file of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    /// The file as a whole.
    pub(crate) fn file(file: &str) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
        }
    }

    pub(crate) fn finding(&self, severity: Severity, message: impl Into<String>) -> Finding {
        Finding {
            severity,
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// Findings in the making.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn error(&mut self, at: &At, message: impl Into<String>) {
        self.0.push(at.finding(Severity::Error, message));
    }

    pub(crate) fn warning(&mut self, at: &At, message: impl Into<String>) {
        self.0.push(at.finding(Severity::Warning, message));
    }

    pub(crate) fn note(&mut self, at: &At, message: impl Into<String>) {
        self.0.push(at.finding(Severity::Note, message));
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(|f| f.severity == Severity::Error)
    }

    /// The findings in the order of the files.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        self.0
            .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self.0.dedup();
        self.0
    }
}
