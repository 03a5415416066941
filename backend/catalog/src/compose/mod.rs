//! A compose file, read to be inspected.
//!
//! The file itself is shipped byte for byte and compose alone interprets it; this model holds what Proximity must
//! know about it: services, images, published ports, mounts, variables, and what a container cannot give.

mod consent;
mod inspect;
mod port;
mod read;
mod reference;
mod service;
mod variable;
mod volume;

pub use consent::Consent;
pub use port::Port;
pub use service::Service;
pub use volume::{Mount, Source};

pub(crate) use inspect::inspect;
pub(crate) use read::read;
pub(crate) use variable::Declared;

use serde::Serialize;

/// What is known of a compose file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Compose {
    /// Services in the order of the file.
    pub services: Vec<Service>,
    /// Named volumes, declared at the top.
    pub volumes: Vec<String>,
    /// Networks, declared at the top, that somebody else must have made.
    pub external_networks: Vec<String>,
    /// Variables that the file interpolates.
    #[serde(skip)]
    pub(crate) variables: Vec<Declared>,
}

impl Compose {
    /// A service by name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }
}
