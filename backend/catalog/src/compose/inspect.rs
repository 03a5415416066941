//! What an unprivileged container cannot give, or gives only with a person's consent.
//!
//! Each app runs in a container of its own, so most of what troubles foreign compose files is harmless here: fixed
//! ports, `container_name`, absolute paths, `network_mode: host` all stay inside that container.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Compose, Service, Source};
use crate::{
    finding::Findings,
    yaml::{Map, Node},
};

/// Sentences that somebody must agree to before the deployment.
type Consents = Vec<Consent>;

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

/// Looks at everything that the model of [`Service`] does not hold.
pub(crate) fn inspect(
    root: &Node,
    compose: &Compose,
    has_file: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) -> Consents {
    let mut consents = Vec::new();
    if let Some(include) = root.get("include") {
        findings.error(
            &include.at,
            "`include` is not supported: put all services into one file.",
        );
    }
    for service in &compose.services {
        let node = root.get("services").and_then(|s| s.get(&service.name));
        if let Some(node) = node {
            host(service, node, &mut consents);
            limits(service, node, findings);
            references(service, node, root, compose, has_file, findings);
        }
        mounts(service, compose, has_file, &mut consents, findings);
        image(service, findings);
    }
    ports(compose, findings);
    for name in &compose.external_networks {
        findings.error(
            &root.get("networks").map_or_else(|| root.at.clone(), |n| n.at.clone()),
            format!("The network `{name}` is external, and in the app's own container nobody makes it; remove `external`."),
        );
    }
    for consent in &consents {
        let at = consent
            .service
            .as_deref()
            .and_then(|name| compose.service(name))
            .map_or(&root.at, |s| &s.at);
        findings.warning(at, consent.message.clone());
    }
    consents
}

fn host(service: &Service, node: &Node, consents: &mut Consents) {
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

fn limits(service: &Service, node: &Node, findings: &mut Findings) {
    let name = &service.name;
    if let Some(sysctls) = node.get("sysctls") {
        let keys: Vec<&str> = match sysctls.list() {
            Some(list) => list
                .iter()
                .filter_map(Node::text)
                .map(|t| t.split('=').next().unwrap_or(t))
                .collect(),
            None => sysctls
                .map()
                .into_iter()
                .flat_map(Map::entries)
                .map(|(k, _, _)| k)
                .collect(),
        };
        for key in keys.iter().filter(|k| !k.starts_with("net.")) {
            findings.error(
                &sysctls.at,
                format!(
                    "`{name}` sets {key}, and in an unprivileged container only net.* can be set."
                ),
            );
        }
    }
    for key in ["mem_limit", "cpus", "pids_limit"] {
        if let Some(limit) = node.get(key) {
            findings.note(
                &limit.at,
                format!(
                    "`{key}` may have no effect: the limits of the app's own container always hold."
                ),
            );
        }
    }
}

fn references(
    service: &Service,
    node: &Node,
    root: &Node,
    compose: &Compose,
    has_file: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) {
    let name = &service.name;
    for other in &service.depends_on {
        if !other.contains('$') && compose.service(other).is_none() {
            findings.error(
                &service.at,
                format!("`{name}` depends on `{other}`, and there is no such service."),
            );
        }
    }
    if let Some(extends) = node.get("extends") {
        findings.error(
            &extends.at,
            "`extends` is not supported: write the service out.",
        );
    }
    if let Some(build) = node.get("build") {
        let context = build
            .text()
            .or_else(|| build.get("context").and_then(Node::text));
        let inline = build.get("dockerfile_inline").is_some();
        let dockerfile = context.and_then(relative).map(|c| {
            join(
                &c,
                build
                    .get("dockerfile")
                    .and_then(Node::text)
                    .unwrap_or("Dockerfile"),
            )
        });
        if !inline && !dockerfile.is_some_and(|path| has_file(&path)) {
            findings.error(
                &build.at,
                format!("`{name}` is built from a Dockerfile that the entry does not hold."),
            );
        }
    }
    for file in env_files(node) {
        if let Some(path) = file.text().and_then(relative)
            && path != ".env"
            && !has_file(&path)
        {
            findings.error(
                &file.at,
                format!("`{name}` reads {path}, and the entry does not hold it."),
            );
        }
    }
    let declared = root.get("networks").and_then(Node::map);
    for network in super::read::plain_names(node, "networks") {
        if network != "default"
            && !network.contains('$')
            && declared.is_none_or(|map| map.get(&network).is_none())
        {
            findings.error(
                &service.at,
                format!("`{name}` uses the network `{network}`, which is not declared."),
            );
        }
    }
}

/// The files of `env_file` that must exist.
fn env_files(node: &Node) -> Vec<&Node> {
    let Some(value) = node.get("env_file") else {
        return Vec::new();
    };
    let items = value
        .list()
        .map_or_else(|| vec![value], |list| list.iter().collect());
    items
        .into_iter()
        .filter(|item| item.get("required").and_then(Node::bool) != Some(false))
        .map(|item| item.get("path").unwrap_or(item))
        .collect()
}

fn mounts(
    service: &Service,
    compose: &Compose,
    has_file: &dyn Fn(&str) -> bool,
    consents: &mut Consents,
    findings: &mut Findings,
) {
    let name = &service.name;
    for mount in &service.mounts {
        match &mount.source {
            Source::Volume(volume) if !compose.volumes.contains(volume) => {
                findings.error(
                    &mount.at,
                    format!("`{name}` uses the volume `{volume}`, which is not declared."),
                );
            }
            Source::Path(path) if path.ends_with("docker.sock") => consents.push(Consent {
                service: Some(name.clone()),
                kind: "docker_socket".to_owned(),
                message: format!(
                    "`{name}` commands the Docker of its own container; it sees no other app."
                ),
            }),
            Source::Path(path) if is_system(path) => consents.push(Consent {
                service: Some(name.clone()),
                kind: "system_path".to_owned(),
                message: format!("`{name}` mounts {path} of its own container, not of the node."),
            }),
            Source::Path(path) => {
                if let Some(relative) = relative(path)
                    && looks_like_a_file(&relative)
                    && !has_file(&relative)
                {
                    findings.warning(
                        &mount.at,
                        format!("The entry does not hold {relative}; Docker will make an empty folder of that name."),
                    );
                }
            }
            Source::Volume(_) | Source::Anonymous => {}
        }
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

/// `./a/b` as `a/b`; nothing for absolute paths and those with variables.
fn relative(path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) || path.contains('$') || path.split('/').any(|p| p == "..") {
        return None;
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    Some(parts.join("/"))
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

fn looks_like_a_file(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.is_empty() && ending.len() <= 5 && ending != "d")
}

fn image(service: &Service, findings: &mut Findings) {
    let Some(image) = service.image.as_deref() else {
        return;
    };
    if image.contains('$') || image.contains('@') {
        return;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    if !last.contains(':') || last.ends_with(":latest") {
        findings.note(
            &service.at,
            format!("The image {image} names no version, so two deployments may differ."),
        );
    }
}

fn ports(compose: &Compose, findings: &mut Findings) {
    let mut taken: BTreeMap<(String, u16), BTreeSet<&str>> = BTreeMap::new();
    for service in compose.services.iter().filter(|s| s.profiles.is_empty()) {
        for port in &service.ports {
            if !port.is_reachable() {
                findings.warning(
                    &port.at,
                    format!("`{}` publishes this port for its own container only; nobody else reaches it.", service.name),
                );
            }
            for number in port.numbers(&|_| None).into_iter().flatten().take(1024) {
                let users = taken.entry((port.protocol.clone(), number)).or_default();
                if users.insert(&service.name) && users.len() > 1 && port.host.is_none() {
                    let users: Vec<&str> = users.iter().copied().collect();
                    findings.error(
                        &port.at,
                        format!("{} publish the same port {number}.", users.join(" and ")),
                    );
                }
            }
        }
    }
}
