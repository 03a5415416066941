//! What is wrong with a request is told so that it can be put right.

use axum::{body::Body, http::Method};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_by_its_kind() {
    let world = World::new().await;
    let admin = world.admin().await;
    let send = async |kind: &'static str, body: Body| {
        admin
            .clone()
            .with("content-type", kind)
            .send(Method::POST, "/api/v1/apps", body)
            .await
    };
    let form = send(
        "application/x-www-form-urlencoded",
        Body::from("catalog_id=memos"),
    )
    .await;
    form.problem(415, "unsupported_media_type");
    send("application/json", Body::from("{\"catalog_id\": "))
        .await
        .problem(400, "malformed_json");
    let large = format!("{{\"catalog_id\": \"{}\"}}", "x".repeat(1 << 20));
    send("application/json", Body::from(large))
        .await
        .problem(413, "too_large");
    assert_eq!(
        send(
            "application/json; charset=utf-8",
            Body::from(r#"{"catalog_id": "memos"}"#)
        )
        .await
        .status,
        202
    );
}

#[tokio::test]
async fn wrong_fields_are_pointed_at() {
    let world = World::new().await;
    let admin = world.admin().await;
    let errors = async |body: serde_json::Value| {
        admin
            .post("/api/v1/apps", &body)
            .await
            .problem(422, "invalid")["errors"]
            .clone()
    };
    assert_eq!(
        errors(json!({})).await,
        json!([{"pointer": "/catalog_id", "message": "is missing"}])
    );
    assert_eq!(
        errors(json!({"catalog_id": 7})).await,
        json!([{"pointer": "/catalog_id", "message": "must be a string"}])
    );
    let unknown = errors(json!({"catalog_id": "memos", "resources": {"ram": 1}})).await;
    assert_eq!(
        unknown,
        json!([{"pointer": "/resources/ram", "message": "is not known here"}])
    );
    // The same form for what only the application can find out.
    let parameter = errors(json!({"catalog_id": "memos", "parameters": {"TZ": 5}})).await;
    assert_eq!(parameter[0]["pointer"], "/parameters/TZ");
}

#[tokio::test]
async fn names_that_nothing_can_have_are_the_names_of_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    for path in [
        "/api/v1/operations/7",
        "/api/v1/operations/op_00000000000000000000000000000007",
        "/api/v1/operations/app_00000000000000000000000000000007/events",
        "/api/v1/apps/none",
        "/api/v1/apps/%ff",
        "/api/v1/apps/%2e%2e%2fetc",
        "/api/v1/catalog/none",
        "/api/v1/apps/none/logs",
        "/api/v1/operations?app=none",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.problem(404, "not_found");
    }
    admin
        .delete("/api/v1/tokens/none")
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_malformed_query_or_header_is_told_by_its_name() {
    let world = World::new().await;
    let admin = world.admin().await;
    for (query, name) in [
        ("operations?status=done", "status"),
        ("operations?kind=explode", "kind"),
        ("apps?limit=many", "limit"),
        ("events?format=xml", "format"),
        ("events?after=x", "after"),
    ] {
        let problem = admin
            .get(&format!("/api/v1/{query}"))
            .await
            .problem(400, "malformed_query");
        assert!(
            problem["detail"].as_str().unwrap().contains(name),
            "{problem}"
        );
    }
    admin
        .clone()
        .with("last-event-id", "x")
        .get("/api/v1/events")
        .await
        .problem(400, "malformed_header");
    let endless = admin.clone().with("idempotency-key", "k".repeat(201));
    endless
        .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
        .await
        .problem(400, "malformed_header");
    assert_eq!(
        admin
            .get("/api/v1/operations?status=&cursor=&theme=dark")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_cursor_that_was_made_up_is_refused_and_does_no_harm() {
    let world = World::new().await;
    let admin = world.admin().await;
    for path in [
        "/api/v1/apps?cursor=%27%20OR%201",
        "/api/v1/operations?cursor=zzz",
    ] {
        let status = admin.get(path).await.status.as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
}
