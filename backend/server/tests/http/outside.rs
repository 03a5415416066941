//! What every request meets, whatever it asks for.

use axum::{body::Body, http::Method};

use crate::world::World;

#[tokio::test]
async fn nothing_but_health_and_login_is_open_to_strangers() {
    let world = World::new().await;
    let document = serde_json::to_value(server::document()).unwrap();
    let mut closed = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("security").is_some() {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            // Ids, bodies and queries that are good for nothing: a stranger is not even told that.
            let path = format!(
                "{}?limit=x&follow=x&plan=x&status=x",
                path.replace("{id}", "nothing")
            );
            let answer = world.stranger().send(method, &path, Body::from("{")).await;
            answer.problem(401, "unauthenticated");
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer realm=\"proximity\"",
                "{path}"
            );
            closed += 1;
        }
    }
    assert!(closed > 20);
}

#[tokio::test]
async fn health_is_open_and_says_nothing_else() {
    let world = World::new().await;
    assert_eq!(
        world.stranger().get("/healthz").await.text(),
        r#"{"status":"ok"}"#
    );
    assert_eq!(
        world.stranger().get("/readyz").await.text(),
        r#"{"status":"ready"}"#
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let world = World::new().await;
    for path in [
        "/nothing",
        "/api/v1/nothing",
        "/api/v1/apps/x/y/z",
        "/api/v2/apps",
    ] {
        world
            .stranger()
            .get(path)
            .await
            .problem(404, "no_such_path");
    }
    let answer = world.stranger().delete("/api/v1/apps").await;
    answer.problem(405, "method_not_allowed");
    let allow = answer.header("allow");
    assert!(
        allow.contains("GET") && allow.contains("POST") && !allow.contains("DELETE"),
        "{allow}"
    );
}

#[tokio::test]
async fn a_request_keeps_the_name_that_its_sender_gave() {
    let world = World::new().await;
    let answer = world
        .stranger()
        .with("x-request-id", "trace-7")
        .get("/api/v1/apps")
        .await;
    assert_eq!(
        answer.problem(401, "unauthenticated")["request_id"],
        "trace-7"
    );
    let answer = world
        .stranger()
        .with("x-request-id", "<script>")
        .get("/api/v1/apps")
        .await;
    assert!(answer.header("x-request-id").starts_with("req_"));
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_careful() {
    let world = World::new().await;
    let script = world.script(&["read"]).await;
    for path in [
        "/api/v1/apps",
        "/healthz",
        "/nothing",
        "/docs",
        "/metrics",
        "/api/v1/openapi.json",
    ] {
        let answer = script.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_description_is_there_for_programs_and_for_people() {
    let world = World::new().await;
    let script = world.script(&["read"]).await;
    let document = script.get("/api/v1/openapi.json").await;
    assert_eq!(
        document.json(),
        serde_json::to_value(server::document()).unwrap()
    );
    let page = script.get("/docs").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.text().contains("/api/v1/operations/{id}/events"));
    assert!(
        page.header("content-security-policy")
            .contains("style-src 'sha256-")
    );
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_can_read_it() {
    let world = World::new().await;
    let script = world.script(&["read"]).await;
    let plain = script.get("/api/v1/openapi.json").await;
    let packed = script
        .with("accept-encoding", "gzip")
        .get("/api/v1/openapi.json")
        .await;
    assert_eq!(
        (
            plain.header("content-encoding"),
            packed.header("content-encoding")
        ),
        ("", "gzip")
    );
    assert!(packed.bytes.len() * 3 < plain.bytes.len());
}

#[tokio::test]
async fn measures_tell_of_requests_and_operations() {
    let world = World::new().await;
    let admin = world.admin().await;
    let deploy = serde_json::json!({"catalog_id": "memos"});
    assert_eq!(admin.post("/api/v1/apps", &deploy).await.status, 202);
    admin.get("/nothing/of/this/name").await;
    world.script(&["write"]).await.get("/metrics").await;
    let answer = world.script(&["read"]).await.get("/metrics").await;
    let text = answer.text();
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let has = |line: &str| {
        assert!(
            text.lines().any(|there| there == line),
            "{line} is not in\n{text}"
        );
    };
    has(r#"proximity_operations{kind="deploy",status="queued"} 1"#);
    has(r#"proximity_operations{kind="delete",status="stuck"} 0"#);
    has(r#"proximity_http_requests_total{method="POST",route="/api/v1/apps",status="202"} 1"#);
    has(r#"proximity_http_requests_total{method="GET",route="unmatched",status="404"} 1"#);
    has(r#"proximity_http_request_duration_seconds_count{method="POST",route="/api/v1/apps"} 1"#);
    has("# TYPE proximity_http_request_duration_seconds histogram");
    has("# TYPE proximity_uptime_seconds gauge");
    assert!(!text.contains("/nothing/of"));
}
