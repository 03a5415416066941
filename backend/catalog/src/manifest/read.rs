//! From `app.yaml`, or `x-proximity` in the compose file, or neither, to a manifest.

use std::sync::Arc;

use super::{
    Files, Manifest, TemplateFile, data, host, icon, image, infer,
    templates::{self, is_template},
    upgrade,
};
use crate::{
    Compose, Consent, HealthRule, Param, compose, endpoint,
    finding::{At, Findings},
    health, param, resources, template, text,
    yaml::{Fields, Node},
};

/// The schema that this version reads.
const SCHEMA: u64 = 1;
const ARCHITECTURES: &[&str] = &["amd64", "arm64", "armhf", "i386", "riscv64"];

/// Reads an entry whose YAML is already a tree; wrong things become findings and are left out.
pub(super) fn manifest(
    id: &str,
    compose_node: &Node,
    app_node: Option<&Node>,
    files: &Arc<Files>,
    findings: &mut Findings,
) -> Manifest {
    let empty = crate::yaml::read("app.yaml", b"").expect("nothing is an empty mapping");
    let mut fields = app_node
        .and_then(|node| Fields::of(node, "app.yaml", findings))
        .or_else(|| Fields::of(&empty, "app.yaml", findings))
        .expect("the empty mapping is a mapping");
    if let Some(inside) = compose_node.get("x-proximity")
        && let Some(inside) = Fields::of(inside, "x-proximity", findings)
    {
        fields.extend(inside);
    }
    identity(&mut fields, id, findings);
    let compose = compose::read(compose_node, findings);
    let templates = templates::read(fields.list("templates", findings), files, findings);
    let has_file = |path: &str| holds(files, &templates, path);
    let mut consents = compose::inspect(compose_node, &compose, &has_file, findings);
    let params = params(&mut fields, &compose, files, findings);
    let declared = fields.node("endpoints").and_then(Node::list);
    let endpoints = match declared {
        Some(nodes) => endpoint::read(nodes, findings),
        None => infer::endpoints(&compose),
    };
    let health = fields.node("health").map_or_else(
        || HealthRule::defaults(&endpoints),
        |node| {
            health::read(node, &endpoints, findings)
                .into_iter()
                .collect()
        },
    );
    let manifest = Manifest {
        id: id.to_owned(),
        name: fields
            .text("name", findings)
            .unwrap_or_else(|| infer::name(id)),
        version: fields
            .text("version", findings)
            .unwrap_or_else(|| infer::version(&compose)),
        revision: fields.number("revision", findings).unwrap_or(1),
        tagline: fields.text("tagline", findings).unwrap_or_default(),
        category: fields
            .text("category", findings)
            .unwrap_or_else(|| "other".to_owned()),
        tags: fields.texts("tags", findings),
        icon: icon::read(fields.text("icon", findings), files, fields.at(), findings),
        links: links(&mut fields, findings),
        licence: fields.text("licence", findings),
        architectures: architectures(&mut fields, findings),
        resources: resources::read(&mut fields, &compose, findings),
        images: image::read(fields.node("images"), &compose, findings),
        data: data::read(fields.list("data", findings), &compose, findings),
        mounts: data::mounts(fields.list("mounts", findings), findings),
        host: host::read(fields.node("host"), &mut consents, findings),
        first_run: upgrade::first_run(fields.node("first_run"), &params, findings),
        upgrade: upgrade::upgrade(fields.node("upgrade"), &compose, findings),
        provenance: fields.node("provenance").map(Node::json),
        readme: files
            .get("README.md")
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default(),
        findings: Vec::new(),
        files: Arc::clone(files),
        params,
        endpoints,
        health,
        compose,
        templates,
        consents: dedup(consents),
    };
    if let Some(hooks) = fields.node("hooks") {
        findings.error(
            &hooks.at,
            "`hooks` are not supported yet, and the app may not work without them.",
        );
    }
    let at = fields.at().clone();
    fields.finish(findings);
    agree(&manifest, &at, findings);
    manifest
}

fn identity(fields: &mut Fields<'_>, id: &str, findings: &mut Findings) {
    if let Some(schema) = fields.number("schema", findings)
        && schema != SCHEMA
    {
        findings.error(
            fields.at(),
            format!("This entry is written for schema {schema}; this version reads {SCHEMA}."),
        );
    }
    if let Some(written) = fields.text("id", findings)
        && written != id
    {
        findings.error(
            fields.at(),
            format!(
                "`id` is {} and the folder is {id}; they must be the same.",
                text::excerpt(&written)
            ),
        );
    }
}

/// Whether a project has a file or folder of that path.
fn holds(files: &Files, templates: &[TemplateFile], path: &str) -> bool {
    let inside = |file: &str| {
        file == path
            || file
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    files.keys().any(|f| f.starts_with("files/") && inside(f))
        || templates.iter().any(|t| inside(&t.dest))
}

/// The declared parameters; where the key is absent, one for each variable of the compose file.
fn params(
    fields: &mut Fields<'_>,
    compose: &Compose,
    files: &Files,
    findings: &mut Findings,
) -> Vec<Param> {
    let Some(node) = fields.node("params") else {
        return infer::params(&compose.variables);
    };
    let Some(nodes) = node.list() else {
        findings.error(
            &node.at,
            format!("`params` must be a list, and this is {}.", node.describe()),
        );
        return Vec::new();
    };
    let params = param::read(nodes, findings);
    for variable in &compose.variables {
        let declared = params.iter().any(|(p, _)| p.name == variable.name && p.env);
        if declared || matches!(variable.name.as_str(), "PWD" | "HOME") {
            continue;
        }
        if variable.required || (variable.vital && variable.default.is_none()) {
            findings.error(
                &variable.at,
                format!(
                    "`{}` is required, and no parameter gives it.",
                    variable.name
                ),
            );
        } else if variable.bare {
            findings.warning(
                &variable.at,
                format!(
                    "`{}` is given by no parameter and will be empty.",
                    variable.name
                ),
            );
        }
    }
    for (param, at) in &params {
        let used = compose.variables.iter().any(|v| v.name == param.name);
        let special = param.name.starts_with("COMPOSE_") || !param.env;
        let in_template = files
            .iter()
            .any(|(path, bytes)| is_template(path) && mentions(bytes, &param.name));
        let reads_env_file = files
            .get("compose.yaml")
            .is_some_and(|b| mentions(b, "env_file"));
        if !used && !special && !in_template && !reads_env_file {
            findings.warning(
                at,
                format!("`{}` is used by no service and no template.", param.name),
            );
        }
    }
    params.into_iter().map(|(param, _)| param).collect()
}

fn mentions(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

fn links(
    fields: &mut Fields<'_>,
    findings: &mut Findings,
) -> std::collections::BTreeMap<String, String> {
    let links: std::collections::BTreeMap<_, _> =
        fields.pairs("links", findings).into_iter().collect();
    for (kind, link) in &links {
        let web = url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !web {
            findings.error(
                fields.at(),
                format!("The link `{}` is no web address.", text::excerpt(kind)),
            );
        }
    }
    links
}

fn architectures(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<String> {
    let all = fields.texts("architectures", findings);
    for architecture in &all {
        if !ARCHITECTURES.contains(&architecture.as_str()) {
            let shown = text::excerpt(architecture);
            findings.error(
                fields.at(),
                format!(
                    "There is no architecture `{shown}`; there are {}.",
                    ARCHITECTURES.join(", ")
                ),
            );
        }
    }
    all
}

fn dedup(consents: Vec<Consent>) -> Vec<Consent> {
    let mut all: Vec<Consent> = Vec::new();
    for consent in consents {
        if !all.contains(&consent) {
            all.push(consent);
        }
    }
    all
}

/// What the parts of an entry must agree on.
fn agree(manifest: &Manifest, at: &At, findings: &mut Findings) {
    let services = |name: &str| manifest.compose.service(name).is_some();
    for endpoint in &manifest.endpoints {
        if endpoint
            .service
            .as_deref()
            .is_some_and(|name| !services(name))
        {
            findings.error(
                at,
                format!(
                    "The endpoint `{}` names a service that does not exist.",
                    endpoint.name
                ),
            );
        }
        published(manifest, endpoint, at, findings);
    }
    for rule in &manifest.health {
        if let HealthRule::Exec { service, .. } = rule
            && !services(service)
        {
            findings.error(
                at,
                format!(
                    "The health check names the service `{}`, which does not exist.",
                    text::excerpt(service)
                ),
            );
        }
    }
    for file in &manifest.templates {
        let source = String::from_utf8_lossy(&manifest.files[&file.src]);
        if let Err(message) = template::check(&file.src, &source) {
            findings.error(
                &At::file(&file.src),
                format!("This is no template: {message}."),
            );
        }
    }
}

/// An endpoint that nothing publishes would never answer.
fn published(manifest: &Manifest, endpoint: &crate::Endpoint, at: &At, findings: &mut Findings) {
    let host_network = manifest
        .services()
        .iter()
        .any(|s| s.network_mode.as_deref() == Some("host"));
    let defaults = manifest.defaults();
    let Some(wanted) = endpoint.port_for(&defaults) else {
        return;
    };
    let lookup = |name: &str| manifest.variable(&defaults, name);
    let mut ports = manifest.services().iter().flat_map(|s| &s.ports);
    if !host_network
        && !ports.any(|port| {
            port.numbers(&lookup)
                .is_some_and(|range| range.contains(&wanted))
        })
    {
        findings.error(
            at,
            format!(
                "The endpoint `{}` is port {wanted}, and no service publishes it.",
                endpoint.name
            ),
        );
    }
}
