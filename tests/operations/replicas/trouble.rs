//! One of two replicas dies, is cut off, or is frozen in the middle of a step: the other goes on, and only it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::drivers::one_at_a_time;
use crate::world::{Actor, Builder, Line, PATIENCE, Postgres, World};

/// Two replicas whose leases are short; `None` where there is no PostgreSQL.
fn two() -> Option<Builder> {
    Postgres::is_installed().then(|| World::new().replicas(2).set("PROXIMITY_LEASE", "2s"))
}

/// A deployment in the middle of a step that does not end, its driver's number, and somebody at the other replica.
async fn in_the_middle(world: &mut World) -> (String, usize, Actor) {
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| is_running(now, "pull_images"))
        .await;
    let driver = world.driver(&operation);
    let other = admin.at(world.replica(1 - driver).url());
    (operation, driver, other)
}

fn is_running(operation: &Value, step: &str) -> bool {
    let steps = operation["steps"].as_array().expect("steps");
    { steps.iter() }.any(|row| row["name"] == step && row["status"] == "running")
}

/// Waits until a replica's log says so.
async fn says(world: &mut World, number: usize, words: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !world.replica(number).log().contains(words) {
        assert!(
            Instant::now() < deadline,
            "replica {number} never says: {words}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the other replica drives.
async fn taken_over(world: &mut World, operation: &str, from: usize) {
    let deadline = Instant::now() + PATIENCE;
    while world.driver(operation) == from {
        assert!(Instant::now() < deadline, "nobody takes it over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Heals the cluster, and expects the other replica alone to finish.
async fn is_finished_by_the_other(world: &mut World, operation: &str, first: usize, at: &Actor) {
    world.faults(Vec::new());
    let done = at.finished(operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(world.containers().await.len(), 1);
    let drivers = one_at_a_time(world, at, operation).await;
    assert_eq!(drivers, [first, 1 - first]);
}

#[tokio::test]
async fn what_a_dead_replica_drove_is_finished_by_the_other() {
    let Some(builder) = two() else { return };
    let mut world = builder.start().await;
    let (operation, driver, other) = in_the_middle(&mut world).await;
    world.replica(driver).kill();
    taken_over(&mut world, &operation, driver).await;
    is_finished_by_the_other(&mut world, &operation, driver, &other).await;
    world.replica(driver).launch().await;
    world.end().await;
}

#[tokio::test]
async fn a_replica_that_is_cut_off_from_the_database_lets_go_and_comes_back() {
    cut_off(Line::Cut).await;
}

#[tokio::test]
async fn a_replica_whose_database_falls_silent_lets_go_and_comes_back() {
    cut_off(Line::Silent).await;
}

async fn cut_off(line: Line) {
    let Some(builder) = two() else { return };
    let mut world = builder.start().await;
    let (operation, driver, other) = in_the_middle(&mut world).await;
    world.cable(driver).set(line);
    // By its own clock, before anybody else may begin: it cannot know what the other does.
    says(&mut world, driver, "could not be renewed in time").await;
    taken_over(&mut world, &operation, driver).await;
    is_finished_by_the_other(&mut world, &operation, driver, &other).await;

    world.cable(driver).set(Line::Whole);
    let healed = other.at(world.replica(driver).url());
    let deadline = Instant::now() + PATIENCE;
    while healed.get("/readyz").await.status != 200 {
        assert!(Instant::now() < deadline, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = healed.get(&format!("/api/v1/operations/{operation}")).await;
    assert_eq!(again.body["status"], "completed", "{again:?}");
    world.end().await;
}

#[tokio::test]
async fn a_replica_that_was_frozen_past_its_lease_is_refused_when_it_thaws() {
    let Some(builder) = two() else { return };
    let mut world = builder.start().await;
    let (operation, driver, other) = in_the_middle(&mut world).await;
    world.replica(driver).freeze();
    taken_over(&mut world, &operation, driver).await;
    // Both are in the same step now, and one of them does not know it.
    other
        .until(&operation, |now| is_running(now, "pull_images"))
        .await;
    world.replica(driver).thaw();
    says(&mut world, driver, "another driver has taken").await;
    is_finished_by_the_other(&mut world, &operation, driver, &other).await;
    world.end().await;
}

#[tokio::test]
async fn a_replica_that_was_frozen_until_the_end_changes_nothing_when_it_thaws() {
    let Some(builder) = two() else { return };
    let mut world = builder.start().await;
    let (operation, driver, other) = in_the_middle(&mut world).await;
    world.replica(driver).freeze();
    taken_over(&mut world, &operation, driver).await;
    is_finished_by_the_other(&mut world, &operation, driver, &other).await;
    let path = format!("/api/v1/operations/{operation}/events?format=json&limit=1000");
    let before = other.get(&path).await.body;
    world.replica(driver).thaw();
    says(&mut world, driver, "another driver has taken").await;
    assert_eq!(other.get(&path).await.body, before);
    one_at_a_time(&mut world, &other, &operation).await;
    world.end().await;
}

#[tokio::test]
async fn a_cancel_that_one_replica_hears_reaches_the_other_that_drives() {
    let Some(builder) = two() else { return };
    let mut world = builder.start().await;
    let (operation, _, other) = in_the_middle(&mut world).await;
    let path = format!("/api/v1/operations/{operation}/cancel");
    assert_eq!(other.post(&path, json!({})).await.status, 202);
    let done = other.finished(&operation).await;
    assert_eq!(done["status"], "unwound", "{done:#}");
    assert_eq!(world.containers().await, []);
    world.end().await;
}
