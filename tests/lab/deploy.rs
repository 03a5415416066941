//! Deploying for real.

use std::time::Duration;

use serde_json::{Value, json};

use super::is_possible;
use crate::world::{Actor, World};

/// What the app's primary address answers to this machine.
async fn opened(app: &Value) -> (u16, String) {
    let url = app["endpoints"][0]["url"].as_str().expect("an address");
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client");
    let answer = client.get(url).send().await.expect("the app answers");
    (
        answer.status().as_u16(),
        answer.text().await.expect("a whole answer"),
    )
}

/// Runs a deployment that must fail, and answers its operation.
async fn failed(admin: &Actor, catalog_id: &str) -> Value {
    let (operation, _) = admin.deploy(json!({"catalog_id": catalog_id})).await;
    let operation = admin.finished(&operation).await;
    assert_eq!(operation["status"], "unwound", "{operation:#}");
    operation
}

#[tokio::test]
async fn an_app_of_two_services_is_deployed_used_restarted_and_deleted() {
    if !is_possible() {
        return;
    }
    let world = World::new().lab().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "lab-duo"})).await;
    let (status, first) = opened(&app).await;
    assert_eq!(status, 200);
    let logs = admin.get("/api/v1/apps/lab-duo/logs?tail=50").await;
    assert!(logs.status == 200 && logs.text.contains("web"), "{logs:?}");

    admin.done("lab-duo", "stop").await;
    admin.done("lab-duo", "start").await;
    let app = admin.get("/api/v1/apps/lab-duo").await.body;
    let (status, second) = opened(&app).await;
    assert_eq!(status, 200);
    assert_ne!(
        first, second,
        "the page counts its visits, also across a restart"
    );

    admin.done("lab-duo", "delete").await;
    assert_eq!(world.containers().await, []);
    assert_eq!(world.lab().leftovers(), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn odd_values_and_names_arrive_unchanged_in_the_container() {
    if !is_possible() {
        return;
    }
    let world = World::new().lab().start().await;
    let admin = world.admin().await;
    let value = "it's \"quoted\" $HOME ${X:-y} `id` \\n \\ # = 日本 ü\nsecond line\t $$ end";
    let name = "Bob's \"Café\" $HOME `id`\nsecond line";
    let app = admin
        .deployed(json!({"catalog_id": "lab-echo", "name": name, "parameters": {"VALUE": value}}))
        .await;
    assert_eq!(app["name"], name);
    let (status, body) = opened(&app).await;
    assert_eq!((status, body.as_str()), (200, value));
    admin.done(app["id"].as_str().unwrap(), "delete").await;
    assert_eq!(world.lab().leftovers(), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn a_missing_image_a_sick_app_and_a_crashing_one_leave_nothing_and_are_explained() {
    if !is_possible() {
        return;
    }
    let world = World::new()
        .lab()
        .set("TIMEOUT_SERVICE_START", "25s")
        .start()
        .await;
    let admin = world.admin().await;
    for (catalog_id, step, code) in [
        ("lab-missing", "pull_images", "image_not_found"),
        ("lab-sick", "check_health", "health_check_failed"),
        ("lab-crash", "check_health", "service_crashing"),
    ] {
        let error = failed(&admin, catalog_id).await["error"].clone();
        assert_eq!(
            (error["step"].as_str(), error["code"].as_str()),
            (Some(step), Some(code)),
            "{error:#}"
        );
        assert!(
            error["hint"].is_string() && !error["evidence"].as_array().unwrap().is_empty(),
            "{error:#}"
        );
        assert_eq!(world.containers().await, []);
        assert_eq!(
            world.lab().leftovers(),
            Vec::<String>::new(),
            "after {catalog_id}"
        );
    }
    world.end().await;
}
