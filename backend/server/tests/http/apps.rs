//! Apps and operations, as far as they go without a cluster.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_deployment_is_accepted_and_can_be_looked_at() {
    let world = World::new().await;
    let admin = world.admin().await;
    let answer = admin
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": "My notes"}),
        )
        .await;
    assert_eq!(answer.status, 202);
    let deployed = answer.json();
    let id = deployed["operation"]["id"].as_str().unwrap();
    assert_eq!(
        answer.header("location"),
        format!("/api/v1/operations/{id}")
    );
    assert_eq!(
        admin.get(answer.header("location")).await.json()["status"],
        "queued"
    );
    assert_eq!(
        admin.get("/api/v1/apps/My%20notes").await.json()["id"],
        deployed["app"]["id"]
    );
    assert_eq!(
        admin.get("/api/v1/apps").await.json()["items"][0]["name"],
        "My notes"
    );
    let listed = admin
        .get("/api/v1/operations?app=My%20notes&status=queued&kind=deploy")
        .await
        .json();
    assert_eq!(listed["items"][0]["id"], id);

    let twice = json!({"catalog_id": "memos", "name": "My notes"});
    admin
        .post("/api/v1/apps", &twice)
        .await
        .problem(409, "name_taken");
    let busy = admin
        .post("/api/v1/apps/My%20notes/restart", &Value::Null)
        .await
        .problem(409, "app_busy");
    assert!(busy["detail"].as_str().unwrap().contains(id), "{busy}");
}

#[tokio::test]
async fn a_repeated_request_is_recognised_by_its_key() {
    let world = World::new().await;
    let script = world
        .script(&["write"])
        .await
        .with("idempotency-key", "deploy 7");
    let wish = json!({"catalog_id": "memos"});
    let first = script.post("/api/v1/apps", &wish).await;
    let second = script.post("/api/v1/apps", &wish).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (202, 202));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(
        script.get("/api/v1/apps").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    script
        .post("/api/v1/apps", &json!({"catalog_id": "ntfy"}))
        .await
        .problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_explained() {
    let world = World::new().await;
    let reader = world.script(&["read"]).await;
    for answer in [
        reader.get("/api/v1/nodes").await,
        reader.get("/api/v1/storages").await,
        reader
            .post("/api/v1/apps?plan=true", &json!({"catalog_id": "memos"}))
            .await,
    ] {
        let code = answer.json()["code"].as_str().unwrap().to_owned();
        let problem = answer.problem(503, &code);
        assert_eq!(problem["type"], "about:blank");
    }
    assert_eq!(reader.get("/api/v1/apps").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_queued_operation_can_be_cancelled_and_one_that_is_not_stuck_not_retried() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    let deployed = script
        .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
        .await
        .json();
    let operation = format!(
        "/api/v1/operations/{}",
        deployed["operation"]["id"].as_str().unwrap()
    );
    script
        .post(&format!("{operation}/retry"), &Value::Null)
        .await
        .problem(409, "not_stuck");
    let wish = json!({"reason": "nobody needs it"});
    script
        .post(&format!("{operation}/abandon"), &wish)
        .await
        .problem(409, "not_stuck");
    let cancelled = script
        .post(&format!("{operation}/cancel"), &Value::Null)
        .await;
    assert_eq!(
        (cancelled.status.as_u16(), cancelled.header("location")),
        (202, operation.as_str())
    );
    assert_eq!(cancelled.json()["operation"]["cancel_requested"], true);
}

#[tokio::test]
async fn the_catalog_is_browsed_and_a_compose_file_checked() {
    let world = World::new().await;
    let reader = world.script(&["read"]).await;
    let found = reader.get("/api/v1/catalog?q=memos").await.json();
    assert_eq!(found["items"][0]["id"], "memos");
    let detail = reader.get("/api/v1/catalog/memos").await.json();
    assert_eq!(detail["parameters"][0]["name"], "TZ");
    let checked = reader
        .post("/api/v1/catalog/check", &json!({"compose": "services: ["}))
        .await
        .json();
    assert_eq!(checked["ok"], false);
}

#[tokio::test]
async fn logs_of_an_app_that_does_not_run_are_a_conflict() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    script
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": "notes"}),
        )
        .await;
    for query in ["", "?follow=true"] {
        script
            .get(&format!("/api/v1/apps/notes/logs{query}"))
            .await
            .problem(409, "app_not_running");
    }
    let follower = script.with("accept", "text/event-stream");
    follower
        .get("/api/v1/apps/notes/logs")
        .await
        .problem(409, "app_not_running");
}
