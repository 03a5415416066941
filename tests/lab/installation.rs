//! An installation of Docker that is cut off in its middle, as the service's end or a broken connection does it.

use serde_json::{Value, json};

use super::is_possible;
use crate::world::{Actor, World};

/// What the service sends into a container.
const SCRIPT: &str = include_str!("../../backend/control/src/guest/install_docker.sh");

/// An app with Docker in its container, for a script to meet there.
struct Guest {
    world: World,
    admin: Actor,
    app: Value,
}

impl Guest {
    async fn new() -> Self {
        let world = World::new().lab().start().await;
        let admin = world.admin().await;
        let app = admin.deployed(json!({"catalog_id": "lab-echo"})).await;
        Self { world, admin, app }
    }

    async fn sh(&self, script: &str) -> String {
        self.world.inside(&self.app, &["sh", "-c", script]).await
    }

    /// Installs Docker; whoever reads what is said of it goes away at a line like `last`.
    async fn install(&self, last: &str) -> String {
        let pipe = "printf %s \"$1\" | sh -s 2>&1 | sed \"/$2/q\"";
        let argv = ["sh", "-c", pipe, "sh", SCRIPT, last];
        self.world.inside(&self.app, &argv).await
    }

    async fn end(self) {
        self.admin.done("lab-echo", "delete").await;
        assert_eq!(self.world.lab().leftovers(), Vec::<String>::new());
        self.world.end().await;
    }
}

/// Whoever asked for it goes away in its middle; it comes to its end even so, and who asks again finds it done.
#[tokio::test]
async fn an_installation_goes_on_without_its_reader() {
    if !is_possible() {
        return;
    }
    let guest = Guest::new().await;
    guest.sh("rc-service docker stop").await;
    guest.install("starting the docker service").await;
    let said = guest.install("docker works").await;
    assert!(said.contains("docker works"), "{said}");
    assert!(!said.contains("anew"), "nothing was broken: {said}");
    guest.end().await;
}

/// A start that was cut off leaves this behind: the service counts as started, and nothing of it runs.
#[tokio::test]
async fn a_docker_that_only_counts_as_started_is_started_anew() {
    if !is_possible() {
        return;
    }
    let guest = Guest::new().await;
    guest
        .sh("rc-service docker stop; ln -s /etc/init.d/docker /run/openrc/started/docker")
        .await;
    let state = guest.sh("rc-service docker status; pidof dockerd || echo nothing runs");
    let state = state.await;
    assert!(
        state.contains("started") && state.contains("nothing runs"),
        "{state}"
    );
    let said = guest.install("docker works").await;
    assert!(
        said.contains("starting it anew") && said.contains("docker works"),
        "{said}"
    );
    guest.end().await;
}
