//! A project after reading: services with what matters to the engine, checked as compose checks them.

use serde_yaml::{Mapping, Value};

use super::service::{Reader, Resources, Service, strings};
use super::source::{self, Source};
use super::{BAD_FILE, NO_FILE, Refusal};
use crate::guests::modelled::docker::arguments::Arguments;
use crate::unix::Call;

/// A project.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    /// Services in use, in the order in which they can be started.
    pub(super) services: Vec<Service>,
    /// Volumes: name of the engine's volume, and whether somebody else keeps it.
    pub(super) volumes: Vec<(String, bool)>,
    pub(super) networks: Vec<(String, bool)>,
    /// Names of all services, of all profiles.
    pub(super) all: Vec<String>,
    pub(super) document: Value,
}

impl Project {
    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }
}

const TOP_LEVEL: &[&str] = &[
    "version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models",
];

/// Reads a project; with it the warnings that compose prints.
pub(super) fn load(call: &Call, global: &Arguments) -> Result<(Project, Vec<String>), Refusal> {
    let source = source::read(call, global)?;
    let top = source.document.as_mapping().cloned().unwrap_or_default();
    for key in top.keys().filter_map(Value::as_str) {
        if !TOP_LEVEL.contains(&key) && !key.starts_with("x-") {
            return Err(Refusal::new(
                BAD_FILE,
                format!(
                    "validating {}/compose.yaml: (root) Additional property {key} is not allowed",
                    source.folder
                ),
            ));
        }
    }
    let name = name(global, &source, &top)?;
    let mut warnings: Vec<String> = source
        .unset
        .iter()
        .map(|variable| {
            format!("The \"{variable}\" variable is not set. Defaulting to a blank string.")
        })
        .collect();
    if top.contains_key("version") {
        warnings.push(format!(
            "{}/compose.yaml: `version` is obsolete",
            source.folder
        ));
    }
    let (volumes, networks) = (
        resources(&top, "volumes", &name),
        resources(&top, "networks", &name),
    );
    let table = top
        .get("services")
        .and_then(Value::as_mapping)
        .cloned()
        .unwrap_or_default();
    let mut services = Vec::new();
    let mut all = Vec::new();
    for (key, value) in &table {
        let service_name = key.as_str().unwrap_or_default().to_owned();
        let Some(map) = value.as_mapping() else {
            return Err(Refusal::new(
                BAD_FILE,
                format!("services.{service_name} must be a mapping"),
            ));
        };
        all.push(service_name.clone());
        if is_active(map, global, &source) {
            let reader = Reader {
                call,
                source: &source,
                name: &service_name,
                map,
            };
            services.push(reader.service(&name, &volumes, &networks)?);
        }
    }
    if table.is_empty() {
        return Err(Refusal::new(NO_FILE, "no service selected"));
    }
    let project = Project {
        services: in_order(services, &all)?,
        volumes: volumes.into_values().collect(),
        networks: networks.into_values().collect(),
        name,
        all,
        document: source.document,
    };
    Ok((project, warnings))
}

fn name(global: &Arguments, source: &Source, top: &Mapping) -> Result<String, Refusal> {
    let given = global
        .value("project-name")
        .map(str::to_owned)
        .or_else(|| source.environment.get("COMPOSE_PROJECT_NAME").cloned())
        .or_else(|| top.get("name").and_then(Value::as_str).map(str::to_owned));
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match given.filter(|name| !name.is_empty()) {
        Some(name)
            if name.chars().all(usual) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) =>
        {
            Ok(name)
        }
        Some(name) => Err(Refusal::general(format!(
            "invalid project name {name:?}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"
        ))),
        None => {
            let folder = source
                .folder
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            let name: String = folder.chars().filter(|c| usual(*c)).collect();
            let name = name.trim_start_matches(['-', '_']).to_owned();
            if name.is_empty() {
                return Err(Refusal::general("project name must not be empty"));
            }
            Ok(name)
        }
    }
}

/// Top-level volumes or networks: key → name in the engine, and whether it is external.
fn resources(top: &Mapping, kind: &str, project: &str) -> Resources {
    let table = top.get(kind).and_then(Value::as_mapping);
    let mut found: Resources = table
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
        .map(|(key, value)| {
            let external = value
                .get("external")
                .is_some_and(|external| external.as_bool() != Some(false));
            let usual = if external {
                key.clone()
            } else {
                format!("{project}_{key}")
            };
            let name = value
                .get("name")
                .and_then(Value::as_str)
                .map_or(usual, str::to_owned);
            (key, (name, external))
        })
        .collect();
    if kind == "networks" {
        found
            .entry("default".to_owned())
            .or_insert_with(|| (format!("{project}_default"), false));
    }
    found
}

fn is_active(map: &Mapping, global: &Arguments, source: &Source) -> bool {
    let profiles: Vec<&str> = strings(map.get("profiles"));
    let mut chosen: Vec<&str> = global.values("profile").collect();
    chosen.extend(
        source
            .environment
            .get("COMPOSE_PROFILES")
            .into_iter()
            .flat_map(|text| text.split(',')),
    );
    profiles.is_empty()
        || profiles
            .iter()
            .any(|profile| chosen.contains(profile) || chosen.contains(&"*"))
}

/// Sorts services so that each comes after those it depends on.
fn in_order(services: Vec<Service>, all: &[String]) -> Result<Vec<Service>, Refusal> {
    let mut waiting = services;
    let mut sorted: Vec<Service> = Vec::new();
    let active: Vec<String> = waiting.iter().map(|service| service.name.clone()).collect();
    for service in &waiting {
        for (dependency, _) in &service.depends_on {
            if !all.contains(dependency) {
                return Err(Refusal::general(format!(
                    "service {:?} depends on undefined service {dependency}: invalid compose project",
                    service.name
                )));
            }
        }
    }
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|service| {
            service.depends_on.iter().all(|(name, _)| {
                !active.contains(name) || sorted.iter().any(|other| other.name == *name)
            })
        });
        if let Some(place) = ready {
            sorted.push(waiting.remove(place));
        } else {
            let names: Vec<&str> = waiting
                .iter()
                .map(|service| service.name.as_str())
                .collect();
            return Err(Refusal::general(format!(
                "dependency cycle detected: {}",
                names.join(" -> ")
            )));
        }
    }
    Ok(sorted)
}
