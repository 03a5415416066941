//! The program dies or is stopped in the middle, and goes on afterwards.

use serde_json::json;

use super::world;

#[tokio::test]
async fn a_deployment_goes_on_after_the_program_was_killed() {
    let mut world = world().set("PROXIMITY_LEASE", "2s").start().await;
    let admin = world.admin().await;
    // Hangs until the fault is taken away: a moment to be killed in.
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| running(now, "pull_images"))
        .await;
    let driver = world.driver(&operation);
    world.replica(driver).kill();
    world.faults(Vec::new());
    world.replica(driver).launch().await;
    let admin = admin.at(world.replica(driver).url());
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(world.containers().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_deployment_is_parked_when_the_program_is_stopped_and_cancelled_afterwards() {
    let mut world = world().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| running(now, "pull_images"))
        .await;
    let driver = world.driver(&operation);
    world.replica(driver).stop().await;
    assert_eq!(world.containers().await.len(), 1, "parked, not undone");
    world.replica(driver).launch().await;
    let admin = admin.at(world.replica(driver).url());
    admin
        .until(&operation, |now| running(now, "pull_images"))
        .await;
    let cancelled = admin
        .post(&format!("/api/v1/operations/{operation}/cancel"), json!({}))
        .await;
    assert_eq!(cancelled.status, 202, "{cancelled:?}");
    let done = admin.finished(&operation).await;
    assert_eq!(
        (done["status"].as_str(), done["error"]["code"].as_str()),
        (Some("unwound"), Some("cancelled"))
    );
    assert_eq!(world.containers().await, []);
    world.end().await;
}

fn running(operation: &serde_json::Value, step: &str) -> bool {
    let steps = operation["steps"].as_array().expect("steps");
    steps
        .iter()
        .any(|row| row["name"] == step && row["status"] == "running")
}
