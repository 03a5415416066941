//! A world for one test: a simulated cluster of its own, the program as a process of its own, a database of
//! its own, all on free ports.
//!
//! ```ignore
//! let world = World::new().nodes(3).start().await;
//! let admin = world.admin().await;
//! world.fault(json!({"on": "start_container", "do": "answer_lost", "times": 1}));
//! let operation = admin.deploy(json!({"catalog_id": "whoami"})).await;
//! assert_eq!(admin.finished(&operation).await["status"], "completed");
//! world.end().await;     // fails the test if anything is left
//! ```

mod actor;
mod builder;
mod cable;
mod postgres;
mod service;
mod simulator;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use sim::Running;
use tempfile::TempDir;

pub(crate) use actor::{Actor, Answer};
pub(crate) use builder::Builder;
pub(crate) use cable::{Cable, Line};
pub(crate) use postgres::Postgres;
pub(crate) use service::Service;
pub(crate) use simulator::Simulator;

use crate::lab::Lab;

/// Password of the administrator in every world.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Longest time that anything in a test may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster and a service, or several replicas of it.
pub(crate) struct World {
    cluster: Option<Running>,
    services: Vec<Service>,
    /// One for each replica, where there is PostgreSQL: between it and the database.
    cables: Vec<Cable>,
    postgres: Option<Postgres>,
    /// Containers and machines of other people, there from the start.
    neighbours: BTreeSet<u64>,
    /// What the containers are made of, where they are real. Taken down last.
    lab: Option<Lab>,
    data: TempDir,
    ended: bool,
}

impl World {
    /// An administrator with an API token.
    pub(crate) async fn admin(&self) -> Actor {
        let stranger = self.stranger();
        let session = stranger.login("admin", PASSWORD).await;
        let body = json!({"name": "test", "scopes": ["admin"]});
        let answer = session.post("/api/v1/tokens", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        stranger.with_token(answer.body["token"].as_str().expect("a token"))
    }

    /// Somebody who is not logged in, and asks each replica in turn.
    pub(crate) fn stranger(&self) -> Actor {
        Actor::among(
            { self.services.iter() }
                .map(|one| one.url().to_owned())
                .collect(),
        )
    }

    /// The simulated cluster.
    pub(crate) fn cluster(&self) -> &Running {
        self.cluster
            .as_ref()
            .expect("the cluster runs until the end")
    }

    /// The lab, where the containers are real.
    pub(crate) fn lab(&self) -> &Lab {
        self.lab.as_ref().expect("this world has a lab")
    }

    /// The program, where there is one.
    pub(crate) fn service(&mut self) -> &mut Service {
        self.replica(0)
    }

    /// Where the program listens.
    pub(crate) fn url(&self) -> String {
        self.services[0].url().to_owned()
    }

    /// One of the replicas.
    pub(crate) fn replica(&mut self, number: usize) -> &mut Service {
        &mut self.services[number]
    }

    /// Number of replicas.
    pub(crate) fn count(&self) -> usize {
        self.services.len()
    }

    /// What connects one of the replicas with PostgreSQL.
    pub(crate) fn cable(&self, number: usize) -> &Cable {
        &self.cables[number]
    }

    /// Number of the replica that drives an operation which has begun, or drove it last, by what they log.
    pub(crate) fn driver(&self, operation: &str) -> usize {
        let last = |service: &Service| {
            let log = service.log();
            { log.lines() }
                .filter(|line| line.contains(operation) && line.contains(" started "))
                .filter_map(|line| line.split(' ').next().map(str::to_owned))
                .max()
        };
        let times = { self.services.iter().enumerate() }
            .filter_map(|(number, service)| Some((last(service)?, number)));
        times.max().expect("somebody has begun").1
    }

    /// Everything that the program has written to its log, replica by replica.
    pub(crate) fn log(&self) -> String {
        self.services.iter().map(Service::log).collect()
    }

    /// One thing goes wrong from now on; see the simulation's list of places.
    pub(crate) fn fault(&self, rule: Value) {
        self.faults(vec![rule]);
    }

    /// These things go wrong from now on, and nothing else.
    pub(crate) fn faults(&self, rules: Vec<Value>) {
        break_things(self.cluster(), rules);
    }

    /// Runs a command in an app's container, as a person with a root shell there, and answers what it printed.
    pub(crate) async fn inside(&self, app: &Value, argv: &[&str]) -> String {
        let vmid = app["vmid"].as_u64().expect("a number");
        let vmid = u32::try_from(vmid).expect("a number of Proxmox");
        let cluster = self.cluster().cluster();
        let (code, printed) = cluster.exec_by_hand(vmid, argv).await;
        assert_eq!(code, 0, "{argv:?}: {printed}");
        printed
    }

    /// Starts an app's container by hand, or pulls its plug.
    pub(crate) async fn power(&self, app: &Value, running: bool) {
        let vmid = app["vmid"].as_u64().expect("a number");
        let vmid = u32::try_from(vmid).expect("a number of Proxmox");
        let change = sim::ContainerChange {
            running: Some(running),
            ..sim::ContainerChange::default()
        };
        self.cluster()
            .change_container(vmid, &change)
            .await
            .expect("the container is there");
    }

    /// Deletes the database while the program does not run.
    pub(crate) fn lose_database(&self) {
        for entry in std::fs::read_dir(self.data.path().join("replica-0")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if name.starts_with("proximity.db") || name == "secret.key" {
                std::fs::remove_file(&path).expect("a file");
            }
        }
    }

    /// Numbers of all containers that were not there from the start, with their node.
    pub(crate) async fn containers(&self) -> Vec<(u64, String)> {
        let state = self.cluster().state().await;
        let rows = state["containers"].as_array().expect("a list").clone();
        rows.iter()
            .map(|row| {
                (
                    row["vmid"].as_u64().expect("a number"),
                    row["node"].as_str().expect("a node").to_owned(),
                )
            })
            .filter(|(vmid, _)| !self.neighbours.contains(vmid))
            .collect()
    }

    /// Another process of the program on the same data.
    pub(crate) async fn second(&self) -> Service {
        let folder = self.data.path().join("second");
        std::fs::create_dir_all(&folder).expect("a folder");
        Service::start(&folder, self.services[0].settings().to_vec()).await
    }

    /// Stops everything where nothing was set up, and so nothing can be left.
    pub(crate) async fn abandon(mut self) {
        assert_eq!(self.containers().await, []);
        self.services[0].stop().await;
        if let Some(cluster) = self.cluster.take() {
            cluster.shutdown().await;
        }
        self.ended = true;
    }

    /// Proves that nothing is left that should not be: every operation rests, every container belongs to an
    /// app, every app that should have a container has it; then stops everything.
    pub(crate) async fn end(mut self) {
        self.faults(Vec::new());
        let admin = self.admin().await;
        let operations = admin.get("/api/v1/operations?limit=500").await.body;
        for operation in operations["items"].as_array().expect("a page") {
            let status = operation["status"].as_str().expect("a status");
            let abandoned = operation.get("abandoned").is_some();
            assert!(
                matches!(status, "completed" | "unwound") || abandoned,
                "an operation is left: {operation:#}"
            );
        }
        let apps = admin.get("/api/v1/apps?limit=500").await.body;
        let owned: BTreeSet<u64> = apps["items"]
            .as_array()
            .expect("a page")
            .iter()
            .filter_map(|app| app["vmid"].as_u64())
            .collect();
        let there: BTreeSet<u64> = self
            .containers()
            .await
            .into_iter()
            .map(|(vmid, _)| vmid)
            .collect();
        let orphans: Vec<_> = there.difference(&owned).collect();
        assert!(orphans.is_empty(), "containers without an app: {orphans:?}");
        for service in &mut self.services {
            if service.is_running() {
                service.stop().await;
            }
        }
        if let Some(cluster) = self.cluster.take() {
            cluster.shutdown().await;
        }
        self.ended = true;
    }
}

fn break_things(cluster: &Running, rules: Vec<Value>) {
    let rules = rules
        .into_iter()
        .map(|rule| serde_json::from_value(rule).expect("a rule"))
        .collect();
    cluster.set_faults(rules).expect("the place exists");
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the program's log\n{}---", self.log());
        } else {
            assert!(self.ended, "the test did not call `world.end()`");
        }
    }
}
