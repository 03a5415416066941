//! Visitors from outside: which ports they can come by, and what they find there.

use std::time::Duration;

use super::chatter;
use super::known::Role;
use super::state::DockerState;

/// A request that came in by a published port.
#[derive(Clone, Copy, Debug)]
pub(in crate::guests::modelled) struct Visitor<'a> {
    pub(in crate::guests::modelled) port: u16,
    pub(in crate::guests::modelled) method: &'a str,
    pub(in crate::guests::modelled) path: &'a str,
    /// What the visitor calls its program.
    pub(in crate::guests::modelled) agent: &'a str,
}

/// What was found behind a port.
#[derive(Clone, Debug)]
pub(in crate::guests::modelled) struct Found {
    pub(in crate::guests::modelled) service: String,
    pub(in crate::guests::modelled) container: String,
    pub(in crate::guests::modelled) image: String,
    /// How long its program has run.
    pub(in crate::guests::modelled) up: Duration,
    /// The whole answer, of a container that is there to give this one.
    pub(in crate::guests::modelled) value: Option<String>,
}

/// Label under which compose keeps a service's name.
const SERVICE: &str = "com.docker.compose.service";

impl DockerState {
    /// Published ports that speak HTTP now.
    pub(in crate::guests::modelled) fn open_ports(&self) -> Vec<u16> {
        if !self.is_ready() {
            return Vec::new();
        }
        let published = self.containers.iter().flat_map(|container| {
            container
                .plan
                .ports
                .iter()
                .map(|port| port.published)
                .filter(|port| *port > 0)
                .filter(|port| matches!(container.role_at(*port), Some(Role::Web | Role::Echo)))
        });
        published.collect()
    }

    /// What a visitor finds; `None` when nothing listens. The visit goes into the container's log.
    pub(in crate::guests::modelled) fn receive(&mut self, visitor: &Visitor<'_>) -> Option<Found> {
        if !self.is_ready() {
            return None;
        }
        let (container, role) = self.containers.iter_mut().find_map(|container| {
            container
                .role_at(visitor.port)
                .map(|role| (container, role))
        })?;
        let value = (role == Role::Echo)
            .then(|| container.plan.environment.get("VALUE").cloned())
            .map(Option::unwrap_or_default);
        let seen = Found {
            service: container.label(SERVICE).to_owned(),
            container: container.plan.name.clone(),
            image: container.plan.image.clone(),
            up: container
                .started
                .and_then(|started| started.elapsed().ok())
                .unwrap_or_default(),
            value,
        };
        let line = chatter::access(&container.plan.image, visitor);
        container.write(line);
        self.changed();
        Some(seen)
    }
}
