//! What an app wants of its host: each wish is a sentence that somebody must agree to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Consent,
    finding::Findings,
    text,
    yaml::{Fields, Node},
};

/// What an app wants of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Features of the container besides nesting: `keyctl`, `fuse`.
    pub features: Vec<String>,
    /// Devices of the node.
    pub devices: Vec<String>,
    /// Whether it can use a graphics card.
    pub gpu: bool,
    /// Kernel settings of the node.
    pub sysctls: BTreeMap<String, String>,
    /// Whether it commands the Docker of its own container.
    pub docker_socket: bool,
    /// Why.
    pub reason: Option<String>,
}

pub(super) fn read(
    node: Option<&Node>,
    consents: &mut Vec<Consent>,
    findings: &mut Findings,
) -> Host {
    let Some(mut fields) = node.and_then(|n| Fields::of(n, "`host`", findings)) else {
        return Host::default();
    };
    if fields.flag("privileged", findings) == Some(true) {
        findings.error(
            fields.at(),
            "Apps run in unprivileged containers only; `privileged` cannot be had.",
        );
    }
    let features = fields.node("features").map(switched_on).unwrap_or_default();
    let sysctls: BTreeMap<_, _> = fields.pairs("sysctls", findings).into_iter().collect();
    let host = Host {
        features,
        devices: fields.texts("devices", findings),
        gpu: fields.flag("gpu", findings).unwrap_or(false),
        sysctls,
        docker_socket: fields.flag("docker_socket", findings).unwrap_or(false),
        reason: fields.text("reason", findings),
    };
    let at = fields.at();
    fields.finish(findings);
    for feature in &host.features {
        if !matches!(feature.as_str(), "nesting" | "keyctl" | "fuse") {
            findings.error(
                at,
                format!("There is no feature `{}`.", text::excerpt(feature)),
            );
        }
    }
    consents.extend(host_consents(&host));
    host
}

/// A list of names, or a mapping from names to true.
fn switched_on(node: &Node) -> Vec<String> {
    match (node.list(), node.map()) {
        (Some(list), _) => list
            .iter()
            .filter_map(Node::text)
            .map(str::to_owned)
            .collect(),
        (_, Some(map)) => map
            .entries()
            .filter(|(_, _, value)| value.bool() == Some(true) || value.int() == Some(1))
            .map(|(name, _, _)| name.to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

fn host_consents(host: &Host) -> Vec<Consent> {
    let because = host
        .reason
        .as_ref()
        .map(|r| format!(" ({r})"))
        .unwrap_or_default();
    let mut all = Vec::new();
    let mut want = |kind: &str, what: String| {
        all.push(Consent {
            service: None,
            kind: kind.to_owned(),
            message: format!("{what}{because}."),
        });
    };
    if host.features.iter().any(|f| f == "fuse") {
        want(
            "feature",
            "The container may mount FUSE file systems".to_owned(),
        );
    }
    for device in &host.devices {
        want("device", format!("The container gets {device} of the node"));
    }
    if host.gpu {
        want(
            "device",
            "The container gets the node's graphics card".to_owned(),
        );
    }
    for (name, value) in &host.sysctls {
        want("sysctl", format!("The node must have {name}={value}"));
    }
    if host.docker_socket {
        want(
            "docker_socket",
            "The app commands the Docker of its own container".to_owned(),
        );
    }
    all
}
