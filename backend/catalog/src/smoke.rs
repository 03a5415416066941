//! `tests/smoke.yaml`: answers to deploy an entry with, and what must then be seen.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Error, Manifest,
    finding::Findings,
    yaml::{self, Fields, Node},
};

/// How an entry is tried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Smoke {
    /// What is given to [`Manifest::resolve`].
    pub params: Map<String, Value>,
    /// Requests, and what must be answered.
    pub http: Vec<Expectation>,
}

/// A request and what must be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Path.
    pub path: String,
    /// Statuses that are right.
    pub expect: Vec<u16>,
    /// Text that the body must hold.
    pub contains: Option<String>,
}

impl Manifest {
    /// The entry's smoke test, where it has one.
    pub fn smoke(&self) -> Result<Option<Smoke>, Error> {
        let Some(bytes) = self.file("tests/smoke.yaml") else {
            return Ok(None);
        };
        let mut findings = Findings::default();
        let smoke = yaml::read("tests/smoke.yaml", bytes)
            .map_err(|finding| findings.push(finding))
            .ok()
            .and_then(|node| read(&node, self, &mut findings));
        match smoke {
            Some(smoke) if !findings.has_errors() => Ok(Some(smoke)),
            _ => Err(Error::Invalid {
                entry: self.id.clone(),
                findings: findings.into_sorted(),
            }),
        }
    }
}

fn read(node: &Node, manifest: &Manifest, findings: &mut Findings) -> Option<Smoke> {
    let mut fields = Fields::of(node, "A smoke test", findings)?;
    let params = fields.node("params").map(Node::json).unwrap_or_default();
    let mut smoke = Smoke {
        params: params.as_object().cloned().unwrap_or_default(),
        http: Vec::new(),
    };
    for node in fields.list("http", findings) {
        let Some(mut fields) = Fields::of(node, "A request", findings) else {
            continue;
        };
        let endpoint = fields
            .text("endpoint", findings)
            .unwrap_or_else(|| "web".to_owned());
        let statuses = fields.texts("expect", findings);
        let expectation = Expectation {
            path: fields
                .text("path", findings)
                .unwrap_or_else(|| "/".to_owned()),
            expect: statuses.iter().filter_map(|s| s.parse().ok()).collect(),
            contains: fields.text("contains", findings),
            endpoint,
        };
        fields.finish(findings);
        if !manifest
            .endpoints
            .iter()
            .any(|e| e.name == expectation.endpoint)
        {
            findings.error(&node.at, "There is no endpoint of that name.");
        }
        if expectation.expect.is_empty() {
            findings.error(&node.at, "`expect` needs at least one HTTP status.");
        }
        smoke.http.push(expectation);
    }
    fields.finish(findings);
    Some(smoke)
}
