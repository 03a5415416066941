//! Replicas are restarted one after the other under load, and people follow events at whichever they are.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{Actor, PATIENCE, Postgres, World};

const DEPLOYMENTS: usize = 30;

#[tokio::test]
async fn a_rolling_restart_under_load_loses_nothing_and_is_not_noticed() {
    if !Postgres::is_installed() {
        return;
    }
    let mut world = World::new().nodes(5).replicas(2).start().await;
    let admin = world.admin().await;
    // None of them ends before both were restarted.
    world.fault(json!({"on": "pull", "do": "hang"}));
    let mut operations = Vec::new();
    for number in 0..DEPLOYMENTS {
        let app = json!({"catalog_id": "memos", "name": format!("notes-{number}")});
        operations.push(admin.deploy(app).await.0);
    }
    for number in 0..2 {
        drives(&mut world, number).await;
        let other = admin.at(world.replica(1 - number).url());
        let mut asking = JoinSet::new();
        asking.spawn(is_always_answered(other));
        world.replica(number).stop().await;
        world.replica(number).launch().await;
        drives(&mut world, number).await;
        assert!(asking.try_join_next().is_none(), "a request failed");
        asking.abort_all();
    }
    world.faults(Vec::new());
    let admin = world.admin().await;
    for operation in &operations {
        let done = admin.finished(operation).await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
    assert_eq!(world.containers().await.len(), DEPLOYMENTS);
    world.end().await;
}

/// Waits until a replica has begun a step since its last start.
async fn drives(world: &mut World, number: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let log = world.replica(number).log();
        let begun = log.rfind("Listening on").unwrap_or_default();
        if log[begun..].contains(" started ") {
            return;
        }
        assert!(Instant::now() < deadline, "replica {number} drives nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_always_answered(actor: Actor) {
    loop {
        for path in ["/readyz", "/api/v1/apps", "/api/v1/operations"] {
            let answer = actor.get(path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn events_that_one_replica_writes_are_followed_at_both() {
    if !Postgres::is_installed() {
        return;
    }
    let mut world = World::new().replicas(2).start().await;
    let admin = world.admin().await;
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    let path = format!("/api/v1/operations/{operation}/events");
    let (one, two) = (
        admin.at(world.replica(0).url()),
        admin.at(world.replica(1).url()),
    );
    let (one, two) = tokio::join!(followed(&one, &path), followed(&two, &path));
    assert_eq!(one, two);
    let listed = admin.get(&format!("{path}?format=json&limit=1000")).await;
    assert_eq!(one, *listed.body["items"].as_array().unwrap());
    assert_eq!(one.last().unwrap()["kind"], "operation.finished");
    world.end().await;
}

/// All events of a stream that ends.
async fn followed(actor: &Actor, path: &str) -> Vec<Value> {
    let request = actor
        .request(Method::GET, path)
        .header("accept", "text/event-stream");
    let mut body = request.send().await.unwrap().bytes_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    { text.lines() }
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}
