//! The catalog as people browse it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Resources, operation::words};

/// A catalog entry in a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CatalogApp {
    /// Identifier, e.g. `uptime-kuma`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Version that would be deployed.
    pub version: String,
    /// One line.
    pub tagline: String,
    /// Category.
    pub category: String,
    /// Further words it is found by.
    pub tags: Vec<String>,
    /// What its container needs.
    pub resources: Resources,
}

/// A catalog entry with all that a deployment asks for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CatalogDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub app: CatalogApp,
    /// Long description, Markdown.
    pub readme: String,
    /// Links by kind: `website`, `source`, `docs`.
    pub links: BTreeMap<String, String>,
    /// Licence of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Architectures it runs on; all, when empty.
    pub architectures: Vec<String>,
    /// What a deployment may set.
    pub parameters: Vec<CatalogParameter>,
    /// Images it is made of.
    pub images: Vec<String>,
    /// How to get in the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_run: Option<FirstRun>,
}

/// A parameter of a catalog entry.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a wire format: each is a field of the JSON"
)]
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CatalogParameter {
    /// Name, also the environment variable that compose interpolates.
    pub name: String,
    /// Label for people.
    pub label: String,
    /// Help for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Type: `string`, `int`, `bool`, `enum`, `secret`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Value when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether a value must be given.
    pub required: bool,
    /// Whether a value is made up when none is given.
    pub generated: bool,
    /// Choices of an `enum`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ParameterOption>,
    /// Whether it belongs in the folded part of a form.
    pub advanced: bool,
    /// Whether it cannot be changed after the first deployment.
    pub immutable: bool,
    /// Whether a form leaves it out.
    pub hidden: bool,
}

/// A choice of an `enum` parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParameterOption {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// How to get in the first time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FirstRun {
    /// `setup-in-browser`, `credentials`, …
    pub kind: String,
    /// User name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Name of the parameter that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_parameter: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `POST /catalog/check`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// Text of the compose file.
    pub compose: String,
    /// Text of `app.yaml`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

/// Answer of `POST /catalog/check`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Whether it could be deployed: no finding is an error.
    pub ok: bool,
    /// What was found, in the order of the file.
    pub findings: Vec<Finding>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Deploys, and may not do what its author meant.
    Warning,
    /// Cannot be deployed.
    Error,
}

words!(Severity { Note = "note", Warning = "warning", Error = "error" });

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// File, relative to the entry.
    pub file: String,
    /// Line, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What it is, in a sentence.
    pub message: String,
}
