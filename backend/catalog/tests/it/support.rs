//! Worlds to test in.

use std::path::PathBuf;

use catalog::{Answers, Catalog, FieldError, Files, Finding, Manifest, RenderContext, Severity};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value};

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The catalog that the project ships.
pub(crate) fn first_party() -> Catalog {
    Catalog::from_dir(&workspace().join("catalog")).unwrap()
}

/// Randomness that is the same in every run.
pub(crate) fn rng() -> StdRng {
    StdRng::seed_from_u64(42)
}

/// Files of an entry.
pub(crate) fn files<const N: usize>(all: [(&str, &str); N]) -> Files {
    all.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
}

/// A good little compose file.
pub(crate) const COMPOSE: &str = "\
services:
  web:
    image: nginx:1.29
    ports:
      - \"8080:80\"
";

/// An entry called `app` with that compose file and this `app.yaml`.
pub(crate) fn entry(app: &str) -> Result<Manifest, Vec<Finding>> {
    entry_with(COMPOSE, app)
}

/// An entry called `app`.
pub(crate) fn entry_with(compose: &str, app: &str) -> Result<Manifest, Vec<Finding>> {
    Manifest::from_files("app", files([("compose.yaml", compose), ("app.yaml", app)])).map_err(
        |error| match error {
            catalog::Error::Invalid { findings, .. } => findings,
            other => panic!("{other}"),
        },
    )
}

/// The errors of an entry, each as it is printed.
pub(crate) fn errors(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(ToString::to_string)
        .collect()
}

/// What a person gives.
pub(crate) fn given(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// [`Manifest::resolve`] with the same randomness in every run.
pub(crate) fn resolve(manifest: &Manifest, value: Value) -> Result<Answers, Vec<FieldError>> {
    manifest.resolve(&given(value), &mut rng())
}

/// A container of 2 GiB.
pub(crate) fn container() -> RenderContext {
    RenderContext {
        app: "my-app".to_owned(),
        hostname: "my-app".to_owned(),
        ip: Some("192.0.2.7".parse().unwrap()),
        cores: 2,
        memory_mib: 2048,
        vmid: 104,
    }
}
