//! The catalog: apps as plain files, read, checked and turned into compose projects.
//!
//! ```text
//! folder ─► Catalog ─► Manifest ─ resolve(given) ─► Answers ─ render ─► Project (files, images, services)
//!              │           │
//!           Problem     bundle / from_bundle: exactly this version, kept with what was deployed from it
//! ```
//!
//! * An entry is a folder; `compose.yaml` in it is enough. It is shipped byte for byte and interpreted by compose
//!   alone; values reach it through `.env`, changes through `compose.override.yaml`.
//! * Every file is hostile until it was read: sizes, depth and aliases are bounded, and what is wrong is said with
//!   file, line and column ([`Finding`]).
//! * What a person answers becomes [`Answers`]; secrets in them are made up once.
//!
//! This crate knows files and text. It must not know the network, SQL or Proxmox.

mod answers;
mod bundle;
mod catalog;
mod check;
mod compose;
mod dotenv;
mod endpoint;
mod error;
mod finding;
mod folder;
mod health;
mod interpolation;
mod manifest;
mod param;
mod path;
mod project;
mod resources;
mod search;
mod smoke;
mod template;
mod text;
mod unit;
mod yaml;

pub use answers::{Answer, Answers, FieldError};
pub use bundle::Bundle;
pub use catalog::{Catalog, Category, Problem};
pub use check::{check, check_compose, check_files};
pub use compose::{Compose, Consent, Mount, Port, Service, Source};
pub use endpoint::{Endpoint, ResolvedEndpoint};
pub use error::Error;
pub use finding::{Finding, Severity};
pub use health::{Health, HealthRule, Pace};
pub use manifest::{
    Data, Dump, Files, FirstRun, Host, Icon, Image, Manifest, Recovered, TemplateFile, Upgrade,
    UpgradeRule, UserMount,
};
pub use param::{Choice, Generate, Kind as ParamKind, Param, Validate};
pub use project::{Project, ProjectFile, RenderContext};
pub use resources::{Amounts, Resources};
pub use smoke::{Expectation, Smoke};
