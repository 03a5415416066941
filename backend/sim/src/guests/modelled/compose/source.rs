//! Finding and reading a project's files.

use serde_yaml::Value;

use super::interpolate::{Environment, document};
use super::{BAD_FILE, NO_FILE, Refusal, dotenv, merge};
use crate::guests::modelled::docker::arguments::Arguments;
use crate::unix::Call;

const NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// A project's documents, read, filled in and merged.
pub(super) struct Source {
    pub(super) document: Value,
    /// The folder that relative paths start from.
    pub(super) folder: String,
    pub(super) environment: Environment,
    /// Variables without a value, in the order they were met.
    pub(super) unset: Vec<String>,
}

fn folder_of(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

/// The files that are meant, and the project's folder.
fn files(call: &Call, global: &Arguments) -> Result<(Vec<String>, String), Refusal> {
    let named: Vec<String> = global.values("file").map(|name| call.path(name)).collect();
    let directory = global
        .value("project-directory")
        .map(|folder| call.path(folder));
    if let Some(first) = named.first() {
        let folder = directory.unwrap_or_else(|| folder_of(first));
        return Ok((named, folder));
    }
    let folder = directory.unwrap_or_else(|| call.cwd.clone());
    let files = call.machine.base().files();
    let find = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("{}/{name}", folder.trim_end_matches('/')))
            .find(|path| files.exists(path))
    };
    let Some(main) = find(&NAMES) else {
        return Err(Refusal::new(
            NO_FILE,
            "no configuration file provided: not found",
        ));
    };
    Ok((
        std::iter::once(main).chain(find(&OVERRIDES)).collect(),
        folder,
    ))
}

/// `.env`, or the files named; what the process itself was given wins.
fn environment(call: &Call, global: &Arguments, folder: &str) -> Result<Environment, Refusal> {
    let mut environment = Environment::new();
    let named: Vec<String> = global
        .values("env-file")
        .map(|name| call.path(name))
        .collect();
    let usual = format!("{}/.env", folder.trim_end_matches('/'));
    let list = if named.is_empty() {
        vec![usual]
    } else {
        named.clone()
    };
    for path in list {
        let text = call.machine.base().files().text(&path);
        let Some(text) = text else {
            if named.is_empty() {
                continue;
            }
            return Err(Refusal::general(format!("couldn't find env file: {path}")));
        };
        let mut known = environment.clone();
        known.extend(call.env.clone());
        let found = dotenv::parse(&text, &known)
            .map_err(|reason| Refusal::general(format!("failed to read {path}: {reason}")))?;
        environment.extend(found);
    }
    environment.extend(call.env.clone());
    Ok(environment)
}

pub(super) fn read(call: &Call, global: &Arguments) -> Result<Source, Refusal> {
    let (paths, folder) = files(call, global)?;
    let environment = environment(call, global, &folder)?;
    let mut whole = Value::Null;
    let mut unset = Vec::new();
    for path in paths {
        let text = call.machine.base().files().read(&path);
        let text = text.map_err(|errno| {
            Refusal::new(
                NO_FILE,
                format!("open {path}: {}", errno.to_string().to_lowercase()),
            )
        })?;
        let mut value: Value = serde_yaml::from_slice(&text)
            .map_err(|error| Refusal::new(BAD_FILE, format!("yaml: {error}")))?;
        value
            .apply_merge()
            .map_err(|error| Refusal::new(BAD_FILE, format!("yaml: {error}")))?;
        if !value.is_mapping() {
            let what = if value.is_null() {
                "empty compose file".to_owned()
            } else {
                "top-level object must be a mapping".to_owned()
            };
            return Err(Refusal::new(BAD_FILE, what));
        }
        document(&mut value, &environment, &mut unset)?;
        merge::merge(&mut whole, value);
    }
    merge::strip_tags(&mut whole);
    Ok(Source {
        document: whole,
        folder,
        environment,
        unset,
    })
}
