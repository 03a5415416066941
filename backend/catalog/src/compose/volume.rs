//! What is mounted into a service.

use serde::Serialize;

use super::port::split;
use crate::{
    finding::{At, Findings},
    yaml::Node,
};

/// A mount of a service.
#[derive(Clone, Debug, Serialize)]
pub struct Mount {
    /// Where it comes from.
    pub source: Source,
    /// Path inside the service.
    pub target: String,
    /// Whether the service cannot write to it.
    pub read_only: bool,
    #[serde(skip)]
    pub(crate) at: At,
}

/// Where a mount comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A named volume.
    Volume(String),
    /// A path beside the compose file, or an absolute one in the container, as written.
    Path(String),
    /// Nothing kept: an anonymous volume or a tmpfs.
    Anonymous,
}

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<Mount> {
    if let Some(text) = node.text() {
        return Some(short(text, &node.at));
    }
    let text = |key: &str| node.get(key).and_then(Node::text);
    let Some(target) = text("target") else {
        findings.error(
            &node.at,
            format!(
                "A volume needs `target` or the form data:/path, and this is {}.",
                node.describe()
            ),
        );
        return None;
    };
    let source = text("source").unwrap_or_default();
    Some(Mount {
        source: match text("type") {
            _ if source.is_empty() => Source::Anonymous,
            Some("bind") => Source::Path(source.to_owned()),
            Some("volume") => Source::Volume(source.to_owned()),
            Some("tmpfs") => Source::Anonymous,
            _ => classify(source),
        },
        target: target.to_owned(),
        read_only: node.get("read_only").and_then(Node::bool).unwrap_or(false),
        at: node.at.clone(),
    })
}

fn short(text: &str, at: &At) -> Mount {
    let parts = split(text);
    let (source, target, mode) = match parts.as_slice() {
        [target] => (Source::Anonymous, target.clone(), ""),
        [source, target] => (classify(source), target.clone(), ""),
        [source, target, mode, ..] => (classify(source), target.clone(), mode.as_str()),
        [] => (Source::Anonymous, String::new(), ""),
    };
    Mount {
        source,
        target,
        read_only: mode.split(',').any(|m| m == "ro"),
        at: at.clone(),
    }
}

fn classify(source: &str) -> Source {
    if source.starts_with(['.', '/', '~', '$']) {
        Source::Path(source.to_owned())
    } else {
        Source::Volume(source.to_owned())
    }
}
