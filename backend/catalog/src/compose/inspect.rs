//! What an unprivileged container cannot give, or gives only with a person's consent.
//!
//! Each app runs in a container of its own, so most of what troubles foreign compose files is harmless here: fixed
//! ports, `container_name`, absolute paths, `network_mode: host` all stay inside that container.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Compose, Service,
    consent::{self, Consent},
    reference,
};
use crate::{
    finding::Findings,
    yaml::{Map, Node},
};

/// Looks at everything that the model of [`Service`] does not hold.
pub(crate) fn inspect(
    root: &Node,
    compose: &Compose,
    has_file: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) -> Vec<Consent> {
    let mut consents = Vec::new();
    if let Some(include) = root.get("include") {
        findings.error(
            &include.at,
            "`include` is not supported: put all services into one file.",
        );
    }
    for service in &compose.services {
        if let Some(node) = root.get("services").and_then(|s| s.get(&service.name)) {
            consents.extend(consent::wanted(service, node));
            limits(service, node, findings);
            reference::check(service, node, root, compose, has_file, findings);
        }
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
