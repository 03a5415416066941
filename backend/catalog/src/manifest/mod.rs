//! One version of one catalog app.

mod data;
mod entry;
mod host;
mod icon;
mod image;
mod infer;
mod read;
mod recover;
mod resolve;
mod templates;
mod upgrade;

pub use data::{Data, Dump, UserMount};
pub use entry::Files;
pub use host::Host;
pub use icon::Icon;
pub use image::Image;
pub use recover::Recovered;
pub use templates::TemplateFile;
pub use upgrade::{FirstRun, Upgrade, UpgradeRule};

pub(crate) use entry::{is_id, load};

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use crate::{
    Answers, Compose, Consent, Endpoint, Finding, Health, HealthRule, Param, ResolvedEndpoint,
    Resources, Service, interpolation::Interpolated,
};

/// One version of one catalog app: all that a deployment must know, and the files that it is made of.
///
/// It is made from the files of its entry alone; see [`Manifest::bundle`] for keeping exactly this version.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Identifier, `^[a-z0-9][a-z0-9-]{0,62}$`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Version of the app.
    pub version: String,
    /// Version of its packaging.
    pub revision: u64,
    /// One line.
    pub tagline: String,
    /// Category.
    pub category: String,
    /// Further words it is found by.
    pub tags: Vec<String>,
    /// Where its picture is.
    pub icon: Option<Icon>,
    /// Links by kind: `website`, `source`, `docs`.
    pub links: BTreeMap<String, String>,
    /// Licence of the app.
    pub licence: Option<String>,
    /// Architectures it runs on; all, when empty.
    pub architectures: Vec<String>,
    /// What a deployment may set.
    pub params: Vec<Param>,
    /// Size of its container.
    pub resources: Resources,
    /// What people open.
    pub endpoints: Vec<Endpoint>,
    /// How it is proven that it works; all must pass. [`Manifest::health_for`] makes them ready.
    pub health: Vec<HealthRule>,
    /// Images that are pinned, by service.
    pub images: BTreeMap<String, Image>,
    /// The compose file, read.
    pub compose: Compose,
    /// Where its data is.
    pub data: Vec<Data>,
    /// Folders that a person's own storage may be mounted at.
    pub mounts: Vec<UserMount>,
    /// Files that are rendered.
    pub templates: Vec<TemplateFile>,
    /// What it wants of its host.
    pub host: Host,
    /// How to get in the first time.
    pub first_run: Option<FirstRun>,
    /// How it is upgraded.
    pub upgrade: Upgrade,
    /// Where an imported entry comes from.
    pub provenance: Option<Value>,
    /// What somebody must agree to before it is deployed.
    pub consents: Vec<Consent>,
    /// Long description, Markdown.
    pub readme: String,
    /// What was found in its files that does not keep it from being deployed.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    pub(crate) files: Arc<Files>,
}

impl Manifest {
    /// Its services in the order of the compose file.
    pub fn services(&self) -> &[Service] {
        &self.compose.services
    }

    /// A parameter by name.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.name == name)
    }

    /// The images of a deployment with default answers, pinned where the entry pins them.
    pub fn image_references(&self) -> Vec<String> {
        let defaults = self.defaults();
        self.images_for(&defaults)
    }

    /// The images of a deployment with these answers, each once.
    pub fn images_for(&self, answers: &Answers) -> Vec<String> {
        let mut images = Vec::new();
        for service in self.active_services(answers) {
            let pinned = self.images.get(&service.name).map(Image::pinned);
            let image = pinned.or_else(|| service.image_for(&|name| self.variable(answers, name)));
            if let Some(image) = image.filter(|image| !images.contains(image)) {
                images.push(image);
            }
        }
        images
    }

    /// The services that run with these answers: compose leaves out those whose profile is not wanted.
    pub fn active_services(&self, answers: &Answers) -> impl Iterator<Item = &Service> {
        let profiles = self
            .variable(answers, "COMPOSE_PROFILES")
            .unwrap_or_default();
        self.compose
            .services
            .iter()
            .filter(move |s| s.is_active(&profiles))
    }

    /// What people open in an app with these answers; the address is that of its container. No secret is in it.
    pub fn endpoints_for(
        &self,
        answers: &Answers,
        address: Option<IpAddr>,
    ) -> Vec<ResolvedEndpoint> {
        self.endpoints
            .iter()
            .filter_map(|endpoint| endpoint.resolve(answers, address))
            .collect()
    }

    /// The health checks of an app with these answers; all must pass.
    pub fn health_for(&self, answers: &Answers) -> Vec<Health> {
        self.health
            .iter()
            .filter_map(|rule| rule.resolve(&self.endpoints, answers))
            .collect()
    }

    /// How to get in for the first time with these answers. The password stays the name of its parameter.
    pub fn first_run_for(&self, answers: &Answers) -> Option<FirstRun> {
        let mut first_run = self.first_run.clone()?;
        let visible = answers.redacted();
        first_run.username = first_run.username.and_then(|name| {
            Interpolated::parse(&name)
                .ok()?
                .fill(&|variable| visible.text(variable))
        });
        Some(first_run)
    }

    /// The picture that the entry holds: media type and bytes.
    pub fn icon_bytes(&self) -> Option<(&'static str, &[u8])> {
        let Some(Icon::File(path)) = &self.icon else {
            return None;
        };
        self.files
            .get(path)
            .map(|bytes| (icon::media_type(path), bytes.as_slice()))
    }

    /// A file of the entry, as it is in the catalog.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// What compose sees of a variable: only what goes to `.env`.
    pub(crate) fn variable(&self, answers: &Answers, name: &str) -> Option<String> {
        let param = self.param(name)?;
        param.env.then(|| answers.text(name)).flatten()
    }

    /// The default of each parameter that has one; nothing is made up.
    pub fn defaults(&self) -> Answers {
        let with_default = self
            .params
            .iter()
            .filter_map(|p| Some((p, p.default.clone()?)));
        Answers {
            values: with_default
                .map(|(param, value)| {
                    let secret = param.is_secret();
                    (param.name.clone(), crate::Answer { value, secret })
                })
                .collect(),
        }
    }
}
