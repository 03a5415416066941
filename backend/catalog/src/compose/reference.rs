//! What a service refers to must be there: services, volumes, networks, files.

use super::{Compose, Service, Source, read::plain_names};
use crate::{
    finding::Findings,
    yaml::{Map, Node},
};

/// Checks everything that a service refers to.
pub(super) fn check(
    service: &Service,
    node: &Node,
    root: &Node,
    compose: &Compose,
    has_file: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) {
    services(service, node, compose, findings);
    networks(service, node, root, findings);
    files(service, node, has_file, findings);
    mounts(service, compose, has_file, findings);
}

fn services(service: &Service, node: &Node, compose: &Compose, findings: &mut Findings) {
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
}

fn networks(service: &Service, node: &Node, root: &Node, findings: &mut Findings) {
    let name = &service.name;
    let declared = root.get("networks").and_then(Node::map);
    let known = |network: &str| declared.is_some_and(|map: &Map| map.get(network).is_some());
    for network in plain_names(node, "networks") {
        if network != "default" && !network.contains('$') && !known(&network) {
            findings.error(
                &service.at,
                format!("`{name}` uses the network `{network}`, which is not declared."),
            );
        }
    }
}

fn files(service: &Service, node: &Node, has_file: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    let name = &service.name;
    if let Some(build) = node.get("build") {
        let context = build
            .text()
            .or_else(|| build.get("context").and_then(Node::text));
        let dockerfile = build
            .get("dockerfile")
            .and_then(Node::text)
            .unwrap_or("Dockerfile");
        let dockerfile = context
            .and_then(relative)
            .map(|folder| join(&folder, dockerfile));
        let inline = build.get("dockerfile_inline").is_some();
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
            Source::Path(path) => {
                if let Some(relative) = relative(path)
                    && looks_like_a_file(&relative)
                    && !has_file(&relative)
                {
                    findings.warning(
                        &mount.at,
                        format!(
                            "The entry does not hold {relative}; Docker will make an empty folder of that name."
                        ),
                    );
                }
            }
            Source::Volume(_) | Source::Anonymous => {}
        }
    }
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
