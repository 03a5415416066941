//! The main job: deploy an app, use it, remove it.

use serde_json::json;

use super::world;

#[tokio::test]
async fn an_app_is_deployed_stopped_started_restarted_and_deleted() {
    let world = world().nodes(3).start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    assert_eq!(app["state"], "running");
    assert_eq!(app["name"], "uptime-kuma");
    let url = app["endpoints"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("http://") && url.contains(":3001"), "{url}");
    assert_eq!(world.containers().await.len(), 1);

    for (kind, state) in [
        ("stop", "stopped"),
        ("start", "running"),
        ("restart", "running"),
    ] {
        admin.done("uptime-kuma", kind).await;
        assert_eq!(
            admin.get("/api/v1/apps/uptime-kuma").await.body["state"],
            state,
            "after {kind}"
        );
    }
    admin.done("uptime-kuma", "delete").await;
    assert_eq!(admin.get("/api/v1/apps/uptime-kuma").await.status, 404);
    assert_eq!(world.containers().await, []);
    world.end().await;
}
