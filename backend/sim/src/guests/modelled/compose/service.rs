//! One service of a project: what of it matters to the engine, read and checked.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::source::Source;
use super::{BAD_FILE, NO_FILE, Refusal, dotenv, ports};
use crate::guests::modelled::docker::container::{Port, Restart};
use crate::guests::modelled::docker::image;
use crate::unix::Call;

/// `condition:` of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Started,
    Healthy,
    Completed,
}

/// A service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) image: Option<String>,
    /// Folder and file of a build.
    pub(super) build: Option<(String, String)>,
    pub(super) container_name: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) ports: Vec<Port>,
    pub(super) host_network: bool,
    pub(super) networks: Vec<String>,
    /// Sources of mounts: names of volumes, or absolute paths.
    pub(super) mounts: Vec<String>,
    pub(super) restart: Restart,
    pub(super) has_health_check: bool,
    pub(super) depends_on: Vec<(String, Condition)>,
    pub(super) replicas: u32,
    /// Changes whenever the container has to be made anew.
    pub(super) hash: String,
}

pub(super) fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Sequence(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// A scalar as text, as an environment variable gets it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads one service out of its mapping.
pub(super) struct Reader<'a> {
    pub(super) call: &'a Call,
    pub(super) source: &'a Source,
    pub(super) name: &'a str,
    pub(super) map: &'a Mapping,
}

/// Volumes or networks: key, name in the engine, and whether somebody else keeps it.
pub(super) type Resources = BTreeMap<String, (String, bool)>;

impl Reader<'_> {
    fn invalid(&self, message: &str) -> Refusal {
        Refusal::general(format!(
            "service {:?} {message}: invalid compose project",
            self.name
        ))
    }

    pub(super) fn service(
        &self,
        project: &str,
        volumes: &Resources,
        networks: &Resources,
    ) -> Result<Service, Refusal> {
        let text = |key: &str| self.map.get(key).and_then(scalar);
        let image = text("image").filter(|image| !image.is_empty());
        let build = self.build();
        if image.is_none() && build.is_none() {
            return Err(self.invalid("has neither an image nor a build context specified"));
        }
        let mode = text("network_mode").unwrap_or_default();
        let restart = text("restart").unwrap_or_default();
        let health = self.map.get("healthcheck");
        let disabled = health
            .is_some_and(|health| health.get("disable").and_then(Value::as_bool) == Some(true));
        let test = health.and_then(|health| health.get("test"));
        let none = strings(test).first() == Some(&"NONE");
        let mut hashed = serde_yaml::to_string(self.map).unwrap_or_default();
        hashed.push_str(project);
        Ok(Service {
            name: self.name.to_owned(),
            image,
            build,
            container_name: text("container_name"),
            command: self.command(),
            environment: self.environment()?,
            labels: self.pairs("labels"),
            ports: self.ports()?,
            host_network: mode == "host",
            networks: if mode.is_empty() {
                self.networks(networks)?
            } else {
                Vec::new()
            },
            mounts: self.mounts(volumes)?,
            restart: Restart::of(&restart)
                .ok_or_else(|| Refusal::general(format!("invalid restart policy: {restart}")))?,
            has_health_check: test.is_some() && !disabled && !none,
            depends_on: self.depends_on()?,
            replicas: self.replicas(),
            hash: image::hash(&hashed),
        })
    }

    fn path(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let path = path.trim_start_matches("./");
        format!("{}/{path}", self.source.folder.trim_end_matches('/'))
    }

    fn build(&self) -> Option<(String, String)> {
        let (folder, file) = match self.map.get("build")? {
            Value::String(folder) => (folder.clone(), None),
            value => (
                value
                    .get("context")
                    .and_then(Value::as_str)
                    .unwrap_or(".")
                    .to_owned(),
                value
                    .get("dockerfile")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            ),
        };
        let folder = self.path(if folder == "." { "" } else { &folder });
        Some((
            folder.trim_end_matches('/').to_owned(),
            file.unwrap_or_else(|| "Dockerfile".to_owned()),
        ))
    }

    fn command(&self) -> Vec<String> {
        let words = |key: &str| match self.map.get(key) {
            Some(Value::Sequence(items)) => items.iter().filter_map(scalar).collect(),
            Some(value) => scalar(value)
                .map(|text| text.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            None => Vec::<String>::new(),
        };
        let mut command = words("entrypoint");
        command.extend(words("command"));
        command
    }

    fn pairs(&self, key: &str) -> BTreeMap<String, String> {
        let map = self.map.get(key).and_then(Value::as_mapping);
        map.into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                Some((name.as_str()?.to_owned(), scalar(value).unwrap_or_default()))
            })
            .collect()
    }

    fn environment(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut environment = BTreeMap::new();
        let files: Vec<(String, bool)> = match self.map.get("env_file") {
            Some(Value::Sequence(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Value::String(path) => Some((path.clone(), true)),
                    other => {
                        let required =
                            other.get("required").and_then(Value::as_bool) != Some(false);
                        Some((other.get("path")?.as_str()?.to_owned(), required))
                    }
                })
                .collect(),
            Some(Value::String(path)) => vec![(path.clone(), true)],
            _ => Vec::new(),
        };
        for (path, required) in files {
            let path = self.path(&path);
            let text = self.call.machine.base().files().text(&path);
            match text {
                Some(text) => {
                    let found =
                        dotenv::parse(&text, &self.source.environment).map_err(|reason| {
                            Refusal::general(format!("failed to read {path}: {reason}"))
                        })?;
                    environment.extend(found);
                }
                None if required => {
                    return Err(Refusal::new(
                        NO_FILE,
                        format!(
                            "env file {path} not found: stat {path}: no such file or directory"
                        ),
                    ));
                }
                None => {}
            }
        }
        let map = self.map.get("environment").and_then(Value::as_mapping);
        for (name, value) in map.into_iter().flatten() {
            let Some(name) = name.as_str() else { continue };
            // A name without a value takes it from outside, or is not set at all.
            let value = if value.is_null() {
                self.source.environment.get(name).cloned()
            } else {
                scalar(value)
            };
            if let Some(value) = value {
                environment.insert(name.to_owned(), value);
            }
        }
        Ok(environment)
    }

    fn ports(&self) -> Result<Vec<Port>, Refusal> {
        let mut all = Vec::new();
        for value in self
            .map
            .get("ports")
            .and_then(Value::as_sequence)
            .into_iter()
            .flatten()
        {
            let parsed = ports::parse(value).map_err(|reason| {
                Refusal::new(
                    BAD_FILE,
                    format!("services.{}.ports.[]: {reason}", self.name),
                )
            })?;
            all.extend(parsed);
        }
        Ok(all)
    }

    fn networks(&self, known: &Resources) -> Result<Vec<String>, Refusal> {
        let named: Vec<&str> = match self.map.get("networks") {
            Some(Value::Mapping(map)) => map.keys().filter_map(Value::as_str).collect(),
            other => strings(other),
        };
        let named = if named.is_empty() {
            vec!["default"]
        } else {
            named
        };
        named
            .into_iter()
            .map(|name| match known.get(name) {
                Some((engine, _)) => Ok(engine.clone()),
                None => Err(self.invalid(&format!("refers to undefined network {name}"))),
            })
            .collect()
    }

    fn mounts(&self, known: &Resources) -> Result<Vec<String>, Refusal> {
        let mut mounts = Vec::new();
        for value in self
            .map
            .get("volumes")
            .and_then(Value::as_sequence)
            .into_iter()
            .flatten()
        {
            let source = match value {
                Value::String(text) if text.contains(':') => {
                    text.split(':').next().map(str::to_owned)
                }
                Value::Mapping(map) if map.get("type").and_then(Value::as_str) != Some("tmpfs") => {
                    map.get("source").and_then(Value::as_str).map(str::to_owned)
                }
                _ => None,
            };
            let Some(source) = source else { continue };
            if source.starts_with(['/', '.', '~']) {
                mounts.push(self.path(&source.replace('~', "/root")));
            } else if let Some((engine, _)) = known.get(&source) {
                mounts.push(engine.clone());
            } else {
                return Err(self.invalid(&format!("refers to undefined volume {source}")));
            }
        }
        Ok(mounts)
    }

    fn depends_on(&self) -> Result<Vec<(String, Condition)>, Refusal> {
        let map = match self.map.get("depends_on") {
            Some(Value::Mapping(map)) => map.clone(),
            other => strings(other)
                .into_iter()
                .map(|name| (Value::from(name), Value::Null))
                .collect(),
        };
        map.iter()
            .filter_map(|(name, value)| Some((name.as_str()?, value)))
            .map(|(name, value)| {
                let condition = match value.get("condition").and_then(Value::as_str) {
                    None | Some("service_started") => Condition::Started,
                    Some("service_healthy") => Condition::Healthy,
                    Some("service_completed_successfully") => Condition::Completed,
                    Some(other) => return Err(Refusal::new(BAD_FILE, format!("services.{}.depends_on.{name}.condition must be one of the following: \"service_started\", \"service_healthy\", \"service_completed_successfully\" (not {other:?})", self.name))),
                };
                Ok((name.to_owned(), condition))
            })
            .collect()
    }

    fn replicas(&self) -> u32 {
        let deploy = self
            .map
            .get("deploy")
            .and_then(|deploy| deploy.get("replicas"));
        let count = deploy.or(self.map.get("scale")).and_then(Value::as_u64);
        count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1)
    }
}
