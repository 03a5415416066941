//! Files of an entry that are rendered.

use std::path::Path;

use serde::Serialize;

use super::Files;
use crate::{
    finding::Findings,
    path,
    yaml::{Fields, Node},
};

/// A file that is rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateFile {
    /// Template in the entry.
    pub src: String,
    /// File in the project.
    pub dest: String,
    /// Permissions.
    pub mode: u32,
}

pub(super) fn read(nodes: &[Node], files: &Files, findings: &mut Findings) -> Vec<TemplateFile> {
    let mut all: Vec<TemplateFile> = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::of(node, "A template", findings) else {
            continue;
        };
        let src = fields.text("src", findings);
        let dest = fields.text("dest", findings);
        let mode = fields.text("mode", findings);
        fields.finish(findings);
        let Some(src) = src.filter(|src| files.contains_key(src)) else {
            findings.error(&node.at, "`src` of a template must be a file of the entry.");
            continue;
        };
        let mode = mode
            .as_deref()
            .map_or(Some(0o644), |m| u32::from_str_radix(m, 8).ok());
        let Some(mode) = mode.filter(|m| *m <= 0o777) else {
            findings.error(&node.at, "`mode` must be permissions like \"0644\".");
            continue;
        };
        let dest = dest.unwrap_or_else(|| default_dest(&src));
        if let Err(message) = path::check_free(&dest) {
            findings.error(&node.at, format!("`dest`: {message}."));
            continue;
        }
        if all.iter().any(|t| t.dest == dest) || files.contains_key(&dest) {
            findings.error(&node.at, format!("Two files would become {dest}."));
        }
        all.push(TemplateFile { src, dest, mode });
    }
    for src in files
        .keys()
        .filter(|p| p.starts_with("templates/") && is_template(p))
    {
        let dest = default_dest(src);
        let taken = all.iter().any(|t| t.src == *src || t.dest == dest);
        if !taken && path::check_free(&dest).is_ok() {
            all.push(TemplateFile {
                src: src.clone(),
                dest,
                mode: 0o644,
            });
        }
    }
    all
}

fn default_dest(src: &str) -> String {
    let path = src.strip_prefix("templates/").unwrap_or(src);
    path.strip_suffix(".tera").unwrap_or(path).to_owned()
}

/// Whether a file is one that Tera renders.
pub(super) fn is_template(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "tera")
}
