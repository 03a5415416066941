//! Who may ask: sessions, tokens, scopes.

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::world::{Actor, PASSWORD, PATIENCE, World};

#[tokio::test]
async fn strangers_see_health_and_nothing_else() {
    let world = World::new().start().await;
    let stranger = world.stranger();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(stranger.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/api/v1/apps",
        "/api/v1/operations",
        "/api/v1/catalog",
        "/api/v1/nodes",
        "/api/v1/openapi.json",
        "/metrics",
        "/docs",
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (401, Some("unauthenticated")),
            "{path}"
        );
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{path}"
        );
    }
    let wrong = json!({"username": "admin", "password": "wrong"});
    assert_eq!(stranger.post("/api/v1/sessions", wrong).await.status, 401);
    let unknown = json!({"username": "nobody", "password": PASSWORD});
    assert_eq!(stranger.post("/api/v1/sessions", unknown).await.status, 401);
    world.end().await;
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say_until_it_is_revoked() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let made = admin
        .post(
            "/api/v1/tokens",
            json!({"name": "reader", "scopes": ["read"]}),
        )
        .await;
    assert_eq!(made.status, 201);
    let reader = world
        .stranger()
        .with_token(made.body["token"].as_str().unwrap());
    assert_eq!(reader.get("/api/v1/apps").await.status, 200);
    let refused = reader
        .post("/api/v1/apps", json!({"catalog_id": "uptime-kuma"}))
        .await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (403, Some("forbidden"))
    );
    let listed = admin.get("/api/v1/tokens").await;
    assert!(
        !listed.text.contains(made.body["token"].as_str().unwrap()),
        "a token is shown once"
    );
    let path = format!("/api/v1/tokens/{}", made.body["id"].as_str().unwrap());
    assert_eq!(reader.delete(&path).await.status, 403);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(reader.get("/api/v1/apps").await.status, 401);
    world.end().await;
}

#[tokio::test]
async fn a_cookie_writes_only_with_its_csrf_token() {
    let world = World::new().start().await;
    let session = world.stranger().login("admin", PASSWORD).await;
    assert_eq!(session.get("/api/v1/apps").await.status, 200);
    let forged = session
        .forged()
        .post("/api/v1/tokens", json!({"name": "x", "scopes": ["read"]}))
        .await;
    assert_eq!(
        (forged.status, forged.body["code"].as_str()),
        (403, Some("csrf_token_missing"))
    );
    assert_eq!(session.delete("/api/v1/sessions/current").await.status, 204);
    assert_eq!(session.get("/api/v1/apps").await.status, 401);
    world.end().await;
}

/// Passwords, tokens and generated secrets: in no log, whatever was done.
#[tokio::test]
async fn no_secret_reaches_the_log_or_an_answer() {
    let world = World::new().set("PROXIMITY_LOG", "trace").start().await;
    let admin = world.admin().await;
    let secret = "s3cret-of-a-person-$`\"'";
    let app = admin
        .deployed(json!({"catalog_id": "postgresql", "parameters": {"POSTGRES_PASSWORD": secret}}))
        .await;
    for path in [
        "/api/v1/apps",
        "/api/v1/operations",
        "/api/v1/events?format=json",
    ] {
        let answer = admin.get(path).await;
        assert!(
            !answer.text.contains("s3cret-of-a-person"),
            "{path}: {}",
            answer.text
        );
    }
    admin.done(app["id"].as_str().unwrap(), "delete").await;
    let log = world.log();
    assert!(log.len() > 10_000, "the log was read");
    for hidden in [
        "s3cret-of-a-person",
        PASSWORD,
        admin.token(),
        &world.cluster().password,
    ] {
        assert!(!log.contains(hidden), "the log holds a secret");
    }
    world.end().await;
}

/// Reads a stream to its end; it must end soon.
async fn ends(answer: reqwest::Response, what: &str) {
    let mut body = answer.bytes_stream();
    let end = async { while let Some(Ok(_)) = body.next().await {} };
    let ended = tokio::time::timeout(PATIENCE, end).await;
    assert!(ended.is_ok(), "{what} goes on");
}

#[tokio::test]
async fn whoever_listens_hears_nothing_more_once_they_may_not() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    admin
        .deployed(json!({"catalog_id": "memos", "name": "notes"}))
        .await;
    let token = json!({"name": "listener", "scopes": ["read"]});
    let made = admin.post("/api/v1/tokens", token).await.body;
    let listener = world.stranger().with_token(made["token"].as_str().unwrap());
    let session = world.stranger().login("admin", PASSWORD).await;
    let open = async |actor: &Actor, path: &str| {
        let answer = actor.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer
    };
    let paths = ["/api/v1/events", "/api/v1/apps/notes/logs?follow=true"];
    let mut of_token = Vec::new();
    for path in paths {
        of_token.push((open(&listener, path).await, path));
    }
    let mut of_session = Vec::new();
    for path in ["/live/home", "/live/apps/notes", "/api/v1/events"] {
        of_session.push((open(&session, path).await, path));
    }

    // A proxy in front may have a token of its own, which is nothing to a page.
    let proxied = session.request(Method::GET, "/live/home");
    let proxied = proxied.header("authorization", "Bearer of-the-proxy");
    let mut proxied = proxied.send().await.unwrap().bytes_stream();

    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    for (stream, path) in of_token {
        ends(stream, path).await;
    }
    // The session's go on, and tell what happens.
    let (stream, _) = of_session.pop().unwrap();
    let mut stream = stream.bytes_stream();
    admin.done("notes", "stop").await;
    let piece = stream.next().await.unwrap().unwrap();
    assert!(!piece.is_empty());
    assert!(proxied.next().await.is_some(), "it goes on, too");
    assert_eq!(session.delete("/api/v1/sessions/current").await.status, 204);
    let end = async { while let Some(Ok(_)) = stream.next().await {} };
    assert!(tokio::time::timeout(PATIENCE, end).await.is_ok());
    for (stream, path) in of_session {
        ends(stream, path).await;
    }
    world.end().await;
}
