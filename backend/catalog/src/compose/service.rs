//! One service of a compose file.

use serde::Serialize;

use super::{Mount, Port};
use crate::finding::At;

/// A service, as far as it concerns a deployment.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Name.
    pub name: String,
    /// Image, as written: may hold variables.
    pub image: Option<String>,
    /// Whether the image is built from files.
    pub build: bool,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Mounts.
    pub mounts: Vec<Mount>,
    /// Services that it waits for.
    pub depends_on: Vec<String>,
    /// Profiles that it belongs to; it always runs when there are none.
    pub profiles: Vec<String>,
    /// Restart policy, as written.
    pub restart: Option<String>,
    /// Whether the file itself defines a health check.
    pub healthcheck: bool,
    /// Whether the file itself says where logs go.
    pub logging: bool,
    /// `host`, `none`, `service:…`, as written.
    pub network_mode: Option<String>,
    #[serde(skip)]
    pub(crate) at: At,
}

impl Service {
    /// Whether it runs under the given profiles (the comma-separated value of `COMPOSE_PROFILES`).
    pub fn is_active(&self, profiles: &str) -> bool {
        let mut active = profiles.split(',').map(str::trim);
        self.profiles.is_empty()
            || active.any(|p| p == "*" || self.profiles.iter().any(|own| own == p))
    }

    /// Whether it runs once and ends, which is no failure: it must not be awaited as "running".
    pub fn runs_once(&self) -> bool {
        // compose's default is `no` too, but a file without any policy says nothing about intent.
        self.restart.as_deref() == Some("no")
    }

    /// The image for given variables.
    pub fn image_for(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        crate::interpolation::Interpolated::parse(self.image.as_deref()?)
            .ok()?
            .fill(lookup)
            .filter(|image| !image.is_empty())
    }
}
