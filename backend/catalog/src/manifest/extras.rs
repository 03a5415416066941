//! The smaller parts of a manifest: images, data, host, first run, upgrades, templates.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Compose, Consent, Param,
    finding::Findings,
    path, text,
    yaml::{Fields, Node},
};

/// A pinned image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Name and tag.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `sha256:…`, where it is known.
    pub digest: Option<String>,
}

impl Image {
    /// Name, tag and digest as Docker takes them.
    pub fn pinned(&self) -> String {
        match &self.digest {
            Some(digest) if !self.reference.contains('@') => format!("{}@{digest}", self.reference),
            _ => self.reference.clone(),
        }
    }
}

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

/// How to get in the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstRun {
    /// `setup-in-browser`, `credentials`, …
    pub kind: String,
    /// User name.
    pub username: Option<String>,
    /// Name of the parameter that holds the password.
    pub password: Option<String>,
    /// What to do.
    pub note: Option<String>,
}

/// How an app is upgraded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// `snapshot-then-recreate`, …
    pub strategy: Option<String>,
    /// What to mind between versions.
    pub rules: Vec<UpgradeRule>,
}

/// What to mind between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpgradeRule {
    /// The service whose image tag is meant; the app's version where there is none.
    pub image: Option<String>,
    /// Installed versions it speaks of, `<2.0.0`, `17.*`.
    pub from: String,
    /// Offered versions it speaks of.
    pub to: String,
    /// `patch`, `major`, `breaking` or `blocked`.
    pub level: String,
    /// `required` where a snapshot must be taken.
    pub snapshot: Option<String>,
    /// How data is brought over.
    pub migrate: Option<String>,
    /// What to tell people.
    pub note: Option<String>,
}

pub(super) fn images(
    node: Option<&Node>,
    compose: &Compose,
    findings: &mut Findings,
) -> BTreeMap<String, Image> {
    let mut images = BTreeMap::new();
    let Some(map) = node.and_then(|n| n.map()) else {
        if let Some(node) = node {
            findings.error(
                &node.at,
                "`images` must be a mapping from services to images.",
            );
        }
        return images;
    };
    for (service, at, node) in map.entries() {
        let Some(mut fields) = Fields::of(node, "An image", findings) else {
            continue;
        };
        let reference = fields.text("ref", findings);
        let digest = fields.text("digest", findings);
        fields.finish(findings);
        let known = compose.service(service);
        if known.is_none() {
            findings.error(
                at,
                format!("There is no service `{}`.", text::excerpt(service)),
            );
        }
        let written = known.and_then(|s| s.image.clone());
        let Some(reference) = reference.or_else(|| written.clone()) else {
            findings.error(&node.at, "An image needs `ref`.");
            continue;
        };
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "._-/:@".contains(c));
        if reference.is_empty() || reference.contains(odd) {
            findings.error(&node.at, "`ref` must be a name and tag like nginx:1.29.");
        }
        if written
            .as_ref()
            .is_some_and(|w| *w != reference && !w.contains('$'))
        {
            findings.warning(
                &node.at,
                format!("compose.yaml names another image for `{service}`; this one is used."),
            );
        }
        if digest.as_deref().is_some_and(|d| !is_digest(d)) {
            findings.error(
                &node.at,
                "`digest` must be sha256: and 64 hexadecimal digits.",
            );
        }
        images.insert(service.to_owned(), Image { reference, digest });
    }
    images
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

pub(super) fn data(nodes: &[Node], compose: &Compose, findings: &mut Findings) -> Vec<Data> {
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

pub(super) fn host(
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

pub(super) fn first_run(
    node: Option<&Node>,
    params: &[Param],
    findings: &mut Findings,
) -> Option<FirstRun> {
    let node = node?;
    let mut fields = Fields::of(node, "`first_run`", findings)?;
    let first_run = FirstRun {
        kind: fields
            .text("kind", findings)
            .unwrap_or_else(|| "setup-in-browser".to_owned()),
        username: fields.text("username", findings),
        password: fields.text("password", findings),
        note: fields.text("note", findings),
    };
    fields.finish(findings);
    if let Some(name) = &first_run.password
        && !params
            .iter()
            .any(|p| p.name == *name && p.show_after_deploy)
    {
        findings.error(
            &node.at,
            "`password` names a parameter, and that one must say `show_after_deploy: true`.",
        );
    }
    Some(first_run)
}

pub(super) fn upgrade(node: Option<&Node>, compose: &Compose, findings: &mut Findings) -> Upgrade {
    let Some(mut fields) = node.and_then(|n| Fields::of(n, "`upgrade`", findings)) else {
        return Upgrade::default();
    };
    let strategy = fields.text("strategy", findings);
    let mut rules = Vec::new();
    for node in fields.list("rules", findings) {
        let Some(mut fields) = Fields::of(node, "A rule", findings) else {
            continue;
        };
        let any = || "*".to_owned();
        let rule = UpgradeRule {
            image: fields.text("image", findings),
            from: fields.text("from", findings).unwrap_or_else(any),
            to: fields.text("to", findings).unwrap_or_else(any),
            level: fields
                .text("level", findings)
                .unwrap_or_else(|| "patch".to_owned()),
            snapshot: fields.text("snapshot", findings),
            migrate: fields.text("migrate", findings),
            note: fields.text("note", findings),
        };
        fields.finish(findings);
        if !matches!(
            rule.level.as_str(),
            "patch" | "major" | "breaking" | "blocked"
        ) {
            findings.error(
                &node.at,
                "`level` is one of patch, major, breaking and blocked.",
            );
        }
        if rule
            .image
            .as_deref()
            .is_some_and(|name| compose.service(name).is_none())
        {
            findings.error(
                &node.at,
                "`image` names a service, and there is none of that name.",
            );
        }
        rules.push(rule);
    }
    fields.finish(findings);
    Upgrade { strategy, rules }
}

pub(super) fn templates(
    nodes: &[Node],
    files: &super::Files,
    findings: &mut Findings,
) -> Vec<TemplateFile> {
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
        .filter(|p| p.starts_with("templates/") && p.ends_with(".tera"))
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
