//! What a backup says of itself, in its first file.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Name of the manifest in the archive.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the rows of the database.
pub(super) const DATABASE: &str = "database.jsonl";
/// Name of the key that seals secrets.
pub(super) const KEY: &str = "secret.key";
/// In front of the names of the catalog's files.
pub(super) const CATALOG: &str = "catalog/";
/// The form of archives that this version writes. It reads this one and no newer one.
pub(super) const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The form of the archive.
    pub(super) format: u32,
    /// Version of the program that made it.
    pub(super) program: String,
    /// Which moment it shows.
    pub(super) made_at: DateTime<Utc>,
    /// What the rows were in: `sqlite` or `postgresql`. They go back into either.
    pub(super) database: String,
    /// Rows of all tables.
    pub(super) rows: u64,
    /// The steps of the schema that the database had.
    pub(super) migrations: Vec<String>,
    /// Every other file of the archive, in its order.
    pub(super) files: Vec<Member>,
}

/// One file of the archive.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Its length, bytes.
    pub(super) size: u64,
    /// SHA-256 of what is in it, hexadecimal.
    pub(super) sha256: String,
}

impl Member {
    /// Where it goes below a folder: the name itself, if it is one that a backup can have. A name out of an archive is
    /// hostile: it must not lead out of the folder.
    pub(super) fn path(&self) -> Option<&str> {
        let inner = match self.name.strip_prefix(CATALOG) {
            Some(inner) => inner,
            None if [DATABASE, KEY].contains(&self.name.as_str()) => return Some(&self.name),
            None => return None,
        };
        let is_plain = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0'])
        };
        inner.split('/').all(is_plain).then_some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let path = |name: &str| {
            let member = Member {
                name: name.to_owned(),
                size: 0,
                sha256: String::new(),
            };
            member.path().is_some()
        };
        assert!(path("secret.key") && path("catalog/apps/memos/app.yaml"));
        for wrong in [
            "",
            "/etc/passwd",
            "../x",
            "catalog/../x",
            "catalog/",
            "catalog//x",
            "catalog/./x",
            "catalog",
            "catalog/a\\b",
            "secret.key/x",
            "manifest.json",
            "other",
        ] {
            assert!(!path(wrong), "{wrong}");
        }
    }
}
