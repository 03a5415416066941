//! What gives an app more than an ordinary container has: each is a sentence that somebody must agree to.

use serde::Serialize;

use super::{Service, Source};
use crate::yaml::Node;

/// Something that an app wants beyond an ordinary container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// The service, or nothing where the whole app wants it.
    pub service: Option<String>,
    /// What it wants, one word: `privileged`, `device`, `docker_socket`, `capability`, `system_path`, …
    pub kind: String,
    /// What that means, in a sentence.
    pub message: String,
}

/// Paths whose mounting looks into the system of the container.
const SYSTEM: &[&str] = &[
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/lib/modules",
    "/etc/passwd",
    "/etc/shadow",
    "/run",
    "/var/run",
    "/var/lib/docker",
];
/// Capabilities that an unprivileged container does not have to give.
const POWERS: &[&str] = &[
    "ALL",
    "SYS_ADMIN",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_TIME",
    "SYS_BOOT",
    "MAC_ADMIN",
    "PERFMON",
    "BPF",
];

/// What a service wants.
pub(super) fn wanted(service: &Service, node: &Node) -> Vec<Consent> {
    let mut consents = Vec::new();
    host(service, node, &mut consents);
    mounts(service, &mut consents);
    consents
}

fn host(service: &Service, node: &Node, consents: &mut Vec<Consent>) {
    let name = &service.name;
    let mut want = |kind: &str, message: String| {
        consents.push(Consent {
            service: Some(name.clone()),
            kind: kind.to_owned(),
            message,
        });
    };
    if node.get("privileged").and_then(Node::bool) == Some(true) {
        want(
            "privileged",
            format!(
                "`{name}` runs privileged: in an unprivileged container it owns that container, and devices stay out of reach."
            ),
        );
    }
    for device in node
        .get("devices")
        .and_then(Node::list)
        .into_iter()
        .flatten()
    {
        let device = device
            .text()
            .or_else(|| device.get("source").and_then(Node::text));
        let device = device.unwrap_or("a device");
        want(
            "device",
            format!("`{name}` uses {device}: the node must pass it to the container."),
        );
    }
    if node.get("gpus").is_some() || node.get("runtime").and_then(Node::text) == Some("nvidia") {
        want(
            "device",
            format!("`{name}` uses a graphics card: the node must pass it to the container."),
        );
    }
    for power in node
        .get("cap_add")
        .and_then(Node::list)
        .into_iter()
        .flatten()
    {
        let power = power.text().unwrap_or_default().to_uppercase();
        let power = power.strip_prefix("CAP_").unwrap_or(&power);
        if POWERS.contains(&power) {
            want(
                "capability",
                format!(
                    "`{name}` asks for the capability {power}: it holds inside the container only, and much of it does nothing there."
                ),
            );
        }
    }
    for key in ["pid", "ipc", "userns_mode", "uts", "cgroup"] {
        if node.get(key).and_then(Node::text) == Some("host") {
            want(
                "namespace",
                format!("`{name}` shares `{key}` with its host, which is the app's own container."),
            );
        }
    }
}

fn mounts(service: &Service, consents: &mut Vec<Consent>) {
    let name = &service.name;
    for mount in &service.mounts {
        let Source::Path(path) = &mount.source else {
            continue;
        };
        let (kind, message) = if path.ends_with("docker.sock") {
            let message =
                format!("`{name}` commands the Docker of its own container; it sees no other app.");
            ("docker_socket", message)
        } else if is_system(path) {
            let message = format!("`{name}` mounts {path} of its own container, not of the node.");
            ("system_path", message)
        } else {
            continue;
        };
        consents.push(Consent {
            service: Some(name.clone()),
            kind: kind.to_owned(),
            message,
        });
    }
}

fn is_system(path: &str) -> bool {
    path == "/"
        || path == "/etc"
        || SYSTEM.iter().any(|system| {
            path.strip_prefix(system)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}
