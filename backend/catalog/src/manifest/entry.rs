//! The files of one entry, and the manifest that they make.

use std::{collections::BTreeMap, sync::Arc};

use super::{Manifest, read};
use crate::{
    Error, Finding, Severity,
    finding::{At, Findings},
    path, yaml,
};

/// The files of an entry by path relative to its folder.
pub type Files = BTreeMap<String, Vec<u8>>;

const MAX_FILES: usize = 512;
const MAX_BYTES: usize = 8 * 1024 * 1024;

impl Manifest {
    /// Reads an entry from its files; `compose.yaml` is the only one that must be there.
    pub fn from_files(id: &str, files: Files) -> Result<Self, Error> {
        let (manifest, findings) = load(id, files);
        manifest.ok_or_else(|| Error::Invalid {
            entry: id.to_owned(),
            findings,
        })
    }

    /// Reads an entry that is nothing but a compose file.
    pub fn from_compose(id: &str, compose: &[u8]) -> Result<Self, Error> {
        Self::from_files(
            id,
            Files::from([("compose.yaml".to_owned(), compose.to_vec())]),
        )
    }
}

/// `^[a-z0-9][a-z0-9-]{0,62}$`: it becomes a host name and part of paths.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=63).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-')
}

/// Reads an entry: the manifest where it can be deployed, and everything that was found.
pub(crate) fn load(id: &str, files: Files) -> (Option<Manifest>, Vec<Finding>) {
    let mut findings = Findings::default();
    let manifest = parse(id, files, &mut findings);
    let usable = !findings.has_errors();
    let findings = findings.into_sorted();
    let manifest = manifest.filter(|_| usable).map(|manifest| Manifest {
        findings: findings.clone(),
        ..manifest
    });
    debug_assert!(manifest.is_some() || findings.iter().any(|f| f.severity == Severity::Error));
    (manifest, findings)
}

fn parse(id: &str, files: Files, findings: &mut Findings) -> Option<Manifest> {
    let top = At::file("compose.yaml");
    if !is_id(id) {
        let id = crate::text::excerpt(id);
        findings.error(
            &top,
            format!("`{id}` is no identifier: lower-case letters, digits and `-`, at most 63."),
        );
    }
    for file in files.keys() {
        if let Err(message) = path::check(file) {
            findings.error(
                &top,
                format!("A file of the entry has a bad path: {message}."),
            );
        }
    }
    let size: usize = files.values().map(Vec::len).sum();
    if files.len() > MAX_FILES || size > MAX_BYTES {
        findings.error(
            &top,
            format!("An entry has at most {MAX_FILES} files and {MAX_BYTES} bytes."),
        );
        return None;
    }
    let Some(compose) = files.get("compose.yaml") else {
        findings.error(&top, "An entry needs a compose.yaml.");
        return None;
    };
    let compose = yaml::read("compose.yaml", compose).map_err(|finding| findings.push(finding));
    let app = files
        .get("app.yaml")
        .map(|app| yaml::read("app.yaml", app).map_err(|finding| findings.push(finding)));
    let (compose, app) = (compose.ok()?, app.transpose().ok()?);
    let files = Arc::new(files);
    Some(read::manifest(id, &compose, app.as_ref(), &files, findings))
}
