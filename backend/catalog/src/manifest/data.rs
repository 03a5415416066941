//! What an app keeps, and where a person's own storage may go.

use serde::Serialize;

use crate::{
    Compose,
    finding::Findings,
    path, text,
    yaml::{Fields, Node},
};

/// Data that an app keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Named volume.
    pub volume: Option<String>,
    /// Path beside the compose file.
    pub path: Option<String>,
    /// Whether it belongs into a backup.
    pub backup: bool,
    /// Bytes that it is expected to take.
    pub size: Option<u64>,
    /// What it is.
    pub description: Option<String>,
    /// How to get a consistent copy.
    pub dump: Option<Dump>,
}

/// Commands that write data out and read it back, run by a shell in a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dump {
    /// Service.
    pub service: String,
    /// `sql`, …
    pub format: Option<String>,
    /// Writes to standard output.
    pub command: String,
    /// Reads from standard input.
    pub restore: Option<String>,
}

/// A folder that a person's own storage may be mounted at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserMount {
    /// Name.
    pub name: String,
    /// Folder in the container.
    pub target: String,
    /// `rw` or `ro`.
    pub mode: String,
    /// Whether the app runs without it.
    pub optional: bool,
}

pub(super) fn read(nodes: &[Node], compose: &Compose, findings: &mut Findings) -> Vec<Data> {
    let mut all = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::of(node, "Data", findings) else {
            continue;
        };
        let data = Data {
            volume: fields.text("volume", findings),
            path: fields.text("path", findings),
            backup: fields.flag("backup", findings).unwrap_or(true),
            size: fields.size("size", findings),
            description: fields.text("description", findings),
            dump: fields
                .node("dump")
                .and_then(|node| dump(node, compose, findings)),
        };
        fields.finish(findings);
        match (&data.volume, &data.path) {
            (Some(volume), None) if !compose.volumes.contains(volume) => {
                findings.error(
                    &node.at,
                    format!("There is no volume `{}`.", text::excerpt(volume)),
                );
            }
            (Some(_), None) => {}
            (None, Some(path)) => {
                if let Err(message) = path::check(path) {
                    findings.error(&node.at, format!("The path {message}."));
                }
            }
            _ => findings.error(&node.at, "Data is either a `volume` or a `path`."),
        }
        all.push(data);
    }
    all
}

fn dump(node: &Node, compose: &Compose, findings: &mut Findings) -> Option<Dump> {
    let mut fields = Fields::of(node, "A dump", findings)?;
    let service = fields.text("service", findings);
    let format = fields.text("format", findings);
    let command = fields.text("command", findings);
    let restore = fields.text("restore", findings);
    fields.finish(findings);
    let (Some(service), Some(command)) = (service, command) else {
        findings.error(&node.at, "A dump needs `service` and `command`.");
        return None;
    };
    if compose.service(&service).is_none() {
        findings.error(
            &node.at,
            format!("There is no service `{}`.", text::excerpt(&service)),
        );
    }
    Some(Dump {
        service,
        format,
        command,
        restore,
    })
}

pub(super) fn mounts(nodes: &[Node], findings: &mut Findings) -> Vec<UserMount> {
    let mut all = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::of(node, "A mount", findings) else {
            continue;
        };
        let name = fields.text("name", findings);
        let target = fields.text("target", findings);
        let mode = fields
            .text("mode", findings)
            .unwrap_or_else(|| "rw".to_owned());
        let optional = fields.flag("optional", findings).unwrap_or(true);
        fields.finish(findings);
        let (Some(name), Some(target)) = (name, target) else {
            findings.error(&node.at, "A mount needs `name` and `target`.");
            continue;
        };
        if !target.starts_with('/') {
            findings.error(&node.at, "The target of a mount is an absolute path.");
        }
        if !matches!(mode.as_str(), "rw" | "ro") {
            findings.error(&node.at, "`mode` is rw or ro.");
        }
        all.push(UserMount {
            name,
            target,
            mode,
            optional,
        });
    }
    all
}
