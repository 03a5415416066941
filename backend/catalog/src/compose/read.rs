//! From the YAML tree to the model.

use super::{Compose, Service, port, variable, volume};
use crate::{
    finding::{At, Findings},
    text,
    yaml::{Kind, Map, Node},
};

/// Top-level keys of the Compose Specification.
const KEYS: &[&str] = &[
    "version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models",
];

/// Keys of a service in the Compose Specification.
const SERVICE_KEYS: &[&str] = &[
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
];

/// Reads a compose file; what it cannot understand becomes a finding.
pub(crate) fn read(root: &Node, findings: &mut Findings) -> Compose {
    let Some(top) = root.map() else {
        findings.error(
            &root.at,
            format!(
                "A compose file is a mapping, and this is {}.",
                root.describe()
            ),
        );
        return Compose::default();
    };
    for (key, at, _) in top.entries() {
        if !KEYS.contains(&key) && !key.starts_with("x-") {
            unknown(key, at, KEYS, findings);
        }
    }
    Compose {
        services: services(root, findings),
        volumes: names(root, "volumes", findings),
        external_networks: external(root),
        variables: variable::collect(root, findings),
    }
}

fn unknown(key: &str, at: &At, known: &[&str], findings: &mut Findings) {
    let hint = text::nearest(key, known)
        .map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
    let key = text::excerpt(key);
    findings.error(at, format!("A compose file has no key `{key}`.{hint}"));
}

fn services(root: &Node, findings: &mut Findings) -> Vec<Service> {
    let Some(services) = root.get("services") else {
        if root.get("include").is_none() {
            findings.error(
                &root.at,
                "There are no `services` here, so nothing would run.",
            );
        }
        return Vec::new();
    };
    let Some(map) = services.map() else {
        findings.error(
            &services.at,
            format!(
                "`services` must be a mapping, and this is {}.",
                services.describe()
            ),
        );
        return Vec::new();
    };
    map.entries()
        .filter(|(name, _, _)| !name.starts_with("x-"))
        .filter_map(|(name, at, node)| service(name, at, node, findings))
        .collect()
}

fn service(name: &str, at: &At, node: &Node, findings: &mut Findings) -> Option<Service> {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if name.is_empty() || !name.bytes().all(valid) {
        findings.error(
            at,
            "The name of a service has only letters, digits, `.`, `_` and `-`.",
        );
        return None;
    }
    if node.map().is_none() {
        findings.error(
            &node.at,
            format!(
                "The service `{name}` must be a mapping, and this is {}.",
                node.describe()
            ),
        );
        return None;
    }
    for (key, at, _) in node.map().into_iter().flat_map(Map::entries) {
        if !key.starts_with("x-") && !SERVICE_KEYS.contains(&key) {
            let hint = text::nearest(key, SERVICE_KEYS)
                .map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
            let key = text::excerpt(key);
            findings.warning(
                at,
                format!("Compose may refuse the key `{key}` of a service.{hint}"),
            );
        }
    }
    let service = Service {
        name: name.to_owned(),
        image: scalar(node, "image", findings),
        build: node.get("build").is_some(),
        ports: list(node, "ports", findings, port::read),
        mounts: list(node, "volumes", findings, volume::read),
        depends_on: names(node, "depends_on", findings),
        profiles: names(node, "profiles", findings),
        restart: scalar(node, "restart", findings),
        healthcheck: node
            .get("healthcheck")
            .is_some_and(|h| h.get("disable").and_then(Node::bool) != Some(true)),
        logging: node.get("logging").is_some(),
        network_mode: scalar(node, "network_mode", findings),
        at: at.clone(),
    };
    if node.get("image").is_none() && !service.build && node.get("extends").is_none() {
        findings.error(
            at,
            format!("The service `{name}` has neither `image` nor `build`."),
        );
    }
    Some(service)
}

fn scalar(node: &Node, key: &str, findings: &mut Findings) -> Option<String> {
    let value = node.get(key)?;
    if value.text().is_none() {
        findings.error(
            &value.at,
            format!("`{key}` must be text, and this is {}.", value.describe()),
        );
    }
    value.text().map(str::to_owned)
}

fn list<T>(
    node: &Node,
    key: &str,
    findings: &mut Findings,
    read: impl Fn(&Node, &mut Findings) -> Option<T>,
) -> Vec<T> {
    let Some(value) = node.get(key) else {
        return Vec::new();
    };
    let Some(items) = value.list() else {
        findings.error(
            &value.at,
            format!("`{key}` must be a list, and this is {}.", value.describe()),
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| read(item, findings))
        .collect()
}

/// The names in a list, or the keys of a mapping: compose allows both in several places.
fn names(node: &Node, key: &str, findings: &mut Findings) -> Vec<String> {
    let Some(value) = node.get(key) else {
        return Vec::new();
    };
    match &value.kind {
        Kind::Map(map) => map.entries().map(|(name, _, _)| name.to_owned()).collect(),
        Kind::List(list) => list
            .iter()
            .filter_map(Node::text)
            .map(str::to_owned)
            .collect(),
        Kind::Scalar(_) => {
            findings.error(
                &value.at,
                format!(
                    "`{key}` must be a list or a mapping, and this is {}.",
                    value.describe()
                ),
            );
            Vec::new()
        }
    }
}

/// [`names`] for somebody who has no use for findings.
pub(super) fn plain_names(node: &Node, key: &str) -> Vec<String> {
    names(node, key, &mut Findings::default())
}

fn external(root: &Node) -> Vec<String> {
    root.get("networks")
        .and_then(Node::map)
        .into_iter()
        .flat_map(Map::entries)
        .filter(|(_, _, node)| {
            node.get("external")
                .is_some_and(|e| e.bool() == Some(true) || e.map().is_some())
        })
        .map(|(name, _, _)| name.to_owned())
        .collect()
}
