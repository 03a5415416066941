//! The simulated cluster and the service as two processes, by the documented names alone.

use serde_json::json;

use crate::world::{Actor, PASSWORD, Service, Simulator};

#[tokio::test]
async fn the_service_can_be_killed_while_the_cluster_lives_on() {
    let cluster = Simulator::start(2, "127.0.0.30:0");
    let data = tempfile::tempdir().unwrap();
    let mut settings = cluster.settings();
    settings.extend(
        [
            ("PROXIMITY_LISTEN", "127.0.0.1:0".to_owned()),
            ("PROXIMITY_DATA_DIR", data.path().display().to_string()),
            ("PROXIMITY_LEASE", "2s".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let mut service = Service::start(data.path(), settings).await;
    let actor = Actor::new(service.url()).login("admin", PASSWORD).await;
    let (operation, _) = actor.deploy(json!({"catalog_id": "memos"})).await;
    service.kill();
    service.launch().await;
    let actor = actor.at(service.url());
    let done = actor.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
}

#[tokio::test]
async fn the_service_does_not_start_with_another_key_than_its_database_was_begun_with() {
    let cluster = Simulator::start(1, "127.0.0.35:0");
    let data = tempfile::tempdir().unwrap();
    let mut settings = cluster.settings();
    settings.extend(
        [
            ("PROXIMITY_LISTEN", "127.0.0.1:0".to_owned()),
            ("PROXIMITY_DATA_DIR", data.path().display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let mut service = Service::start(data.path(), settings).await;
    service.stop().await;
    let file = data.path().join("secret.key");
    let key = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "00".repeat(32)).unwrap();
    let reason = service.refuses();
    assert!(
        reason.contains("secret.key") && reason.contains("PROXIMITY_SECRET_KEY_FILE"),
        "{reason}"
    );
    std::fs::write(&file, key).unwrap();
    service.launch().await;
    service.stop().await;
}
