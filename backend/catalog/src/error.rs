//! The errors of this crate, named by what the caller can do.

use std::path::PathBuf;

use crate::{Finding, Severity};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder of the catalog cannot be read: name another one.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An entry cannot be deployed as it is written: its author must mend it.
    #[error("the entry {entry:?} cannot be used: {}", first(findings))]
    Invalid {
        /// Identifier of the entry.
        entry: String,
        /// All that was found, errors and lesser things.
        findings: Vec<Finding>,
    },
    /// A template of the entry cannot be rendered with these answers.
    #[error("the template {file} cannot be rendered: {message}")]
    Template {
        /// The template, relative to the entry.
        file: String,
        /// The template engine's words; never a value.
        message: String,
    },
    /// The answers do not fit the entry: ask for them again.
    #[error("the parameter {parameter} cannot be used: {message}")]
    Answer {
        /// Name of the parameter.
        parameter: String,
        /// Why not; never the value.
        message: String,
    },
}

fn first(findings: &[Finding]) -> String {
    findings
        .iter()
        .find(|f| f.severity == Severity::Error)
        .map_or_else(|| "it has errors".to_owned(), ToString::to_string)
}
