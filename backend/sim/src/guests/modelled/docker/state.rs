//! What the engine keeps: on the disk images, containers, volumes, networks; in memory whether it runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::container::{Container, Plan, Status};
use super::image::Image;
use super::known::Role;

/// dockerd and containerd without containers.
const DAEMON_MEMORY: u64 = 92 << 20;
/// A container of middling size.
const CONTAINER_MEMORY: u64 = 48 << 20;

#[derive(Clone, Copy, Debug, Default)]
enum Daemon {
    #[default]
    Off,
    /// Answers from this moment on.
    On(Instant),
    /// Runs, but never answers.
    Mute,
}

/// What a connection to a port of the guest finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::guests::modelled) enum Answer {
    /// Something that does not speak HTTP.
    Silent,
    Http {
        status: u16,
        body: String,
    },
}

/// The engine's state.
#[derive(Debug)]
pub(in crate::guests::modelled) struct DockerState {
    daemon: Daemon,
    pub(in crate::guests::modelled) images: Vec<Image>,
    pub(in crate::guests::modelled) containers: Vec<Container>,
    /// Networks by name, with the project that they belong to.
    pub(in crate::guests::modelled) networks: BTreeMap<String, String>,
    pub(in crate::guests::modelled) volumes: BTreeSet<String>,
    /// Layers that were fetched, with their sizes; one may be here before its image is complete.
    pub(in crate::guests::modelled) layers: BTreeMap<String, u64>,
    /// Counts changes, for those who follow logs or wait for states.
    changes: watch::Sender<u64>,
}

impl Default for DockerState {
    fn default() -> Self {
        Self {
            daemon: Daemon::Off,
            images: Vec::new(),
            containers: Vec::new(),
            networks: BTreeMap::new(),
            volumes: BTreeSet::new(),
            layers: BTreeMap::new(),
            changes: watch::Sender::new(0),
        }
    }
}

impl DockerState {
    /// The service was started; containers that are to come back do so when it is ready.
    pub(in crate::guests::modelled) fn daemon_started(&mut self, ready: Instant, works: bool) {
        self.daemon = if works {
            Daemon::On(ready)
        } else {
            Daemon::Mute
        };
        if works {
            let realistic = ready > Instant::now();
            for container in &mut self.containers {
                if container.comes_back() {
                    container.start(None, realistic);
                }
            }
        }
        self.changed();
    }

    /// The service or the guest stopped: so do all containers, by nobody's hand.
    pub(in crate::guests::modelled) fn daemon_stopped(&mut self) {
        self.daemon = Daemon::Off;
        for container in &mut self.containers {
            container.stop(false);
        }
        self.changed();
    }

    pub(in crate::guests::modelled) fn is_ready(&self) -> bool {
        matches!(self.daemon, Daemon::On(ready) if ready <= Instant::now())
    }

    pub(in crate::guests::modelled) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Says when something has changed.
    pub(in crate::guests::modelled) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(in crate::guests::modelled) fn memory_used(&self) -> u64 {
        let daemon = if matches!(self.daemon, Daemon::Off) {
            0
        } else {
            DAEMON_MEMORY
        };
        let running = self
            .containers
            .iter()
            .filter(|container| container.status == Status::Running)
            .count();
        daemon + running as u64 * CONTAINER_MEMORY
    }

    pub(in crate::guests::modelled) fn image(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.is_called(name))
    }

    pub(in crate::guests::modelled) fn container(&self, name: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| container.is_called(name))
    }

    pub(in crate::guests::modelled) fn container_mut(
        &mut self,
        name: &str,
    ) -> Option<&mut Container> {
        self.containers
            .iter_mut()
            .find(|container| container.is_called(name))
    }

    /// Makes a container; the error is the daemon's.
    pub(in crate::guests::modelled) fn create(&mut self, plan: Plan) -> Result<String, String> {
        if let Some(other) = self
            .containers
            .iter()
            .find(|other| other.plan.name == plan.name)
        {
            return Err(format!(
                "Conflict. The container name \"/{}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                plan.name, other.id
            ));
        }
        let id = hex::encode(rand::random::<[u8; 32]>());
        self.containers.push(Container::new(id.clone(), plan));
        self.changed();
        Ok(id)
    }

    /// The published port of a container that somebody else has already; the error is the daemon's.
    pub(in crate::guests::modelled) fn ports_free(&self, id: &str) -> Result<(), String> {
        let Some(container) = self.container(id) else {
            return Ok(());
        };
        for port in container
            .plan
            .ports
            .iter()
            .filter(|port| port.published > 0)
        {
            let taken = self.containers.iter().any(|other| {
                other.id != container.id
                    && other.is_up()
                    && other.plan.ports.iter().any(|theirs| {
                        theirs.published == port.published && theirs.protocol == port.protocol
                    })
            });
            if taken {
                return Err(format!(
                    "driver failed programming external connectivity on endpoint {} ({}): Bind for {}:{} failed: port is already allocated",
                    container.plan.name, container.id, port.address, port.published
                ));
            }
        }
        Ok(())
    }

    /// What a connection to a port of the guest finds; a request for a path goes into the container's log.
    pub(in crate::guests::modelled) fn answer(
        &mut self,
        port: u16,
        path: Option<&str>,
    ) -> Option<Answer> {
        if !self.is_ready() {
            return None;
        }
        let (container, role) = self
            .containers
            .iter_mut()
            .find_map(|container| container.role_at(port).map(|role| (container, role)))?;
        let answer = match role {
            Role::Server => Answer::Silent,
            Role::Echo => Answer::Http {
                status: 200,
                body: container
                    .plan
                    .environment
                    .get("VALUE")
                    .cloned()
                    .unwrap_or_default(),
            },
            _ => Answer::Http {
                status: 200,
                body: format!(
                    "<!doctype html><title>{0}</title><h1>{0} works</h1>\n",
                    container.plan.name
                ),
            },
        };
        if let (Answer::Http { status, .. }, Some(path)) = (&answer, path) {
            container.write(format!("172.17.0.1 - \"GET {path} HTTP/1.1\" {status}"));
        }
        self.changed();
        Some(answer)
    }

    pub(in crate::guests::modelled) fn state(&self) -> Value {
        json!({
            "ready": self.is_ready(),
            "images": self.images.iter().map(|image| image.reference.as_str()).collect::<Vec<_>>(),
            "containers": self.containers.iter().map(|container| json!({
                "name": container.plan.name,
                "image": container.plan.image,
                "state": container.status.as_str(),
                "exit_code": container.exit_code,
            })).collect::<Vec<_>>(),
            "volumes": self.volumes.iter().collect::<Vec<_>>(),
        })
    }
}
