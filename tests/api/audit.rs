//! The audit log: who did what, told to administrators.

use serde_json::{Value, json};

use crate::world::{Actor, PASSWORD, World};

/// Entries as `who action target outcome`, the oldest first.
async fn told(admin: &Actor, query: &str) -> Vec<String> {
    let answer = admin.get(&format!("/api/v1/audit?limit=500&{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let entries = answer.body["items"].as_array().expect("a page").iter();
    let line = |entry: &Value| {
        ["principal", "action", "target", "outcome"]
            .map(|field| entry[field].as_str().expect("a text"))
            .join(" ")
    };
    entries.rev().map(line).collect()
}

#[tokio::test]
async fn whoever_did_something_is_found_and_so_is_who_was_refused() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let app = admin
        .deployed(json!({"catalog_id": "uptime-kuma", "name": "watch"}))
        .await;
    admin.done("watch", "stop").await;
    admin.done(app["id"].as_str().unwrap(), "delete").await;
    let reason = json!({"reason": "new disks"});
    assert_eq!(admin.post("/api/v1/park", reason).await.status, 200);
    assert_eq!(admin.post("/api/v1/resume", json!({})).await.status, 200);
    let session = world.stranger().login("admin", PASSWORD).await;
    session.delete("/api/v1/sessions/current").await;
    for (username, password) in [("admin", "wrong"), ("Tr0ub4dor-in-the-wrong-field", "x")] {
        let login = json!({"username": username, "password": password});
        let refused = world.stranger().post("/api/v1/sessions", login).await;
        assert_eq!(refused.status, 401);
    }

    assert_eq!(
        told(&admin, "").await,
        [
            "proximity user.create admin accepted",
            "admin session.create  accepted",
            "admin token.create test accepted",
            "admin app.deploy watch accepted",
            "admin app.stop watch accepted",
            "admin app.delete watch accepted",
            "admin operations.park all accepted",
            "admin operations.resume all accepted",
            "admin session.create  accepted",
            "admin session.end  accepted",
            "admin session.create  denied",
            " session.create  denied",
        ]
    );
    let all = admin.get("/api/v1/audit").await;
    assert!(!all.text.contains("Tr0ub4dor"), "{}", all.text);
    assert!(all.text.contains("From 127.0.0.1."), "{}", all.text);
    assert!(
        all.text.contains("new disks (with the token “test”)"),
        "{}",
        all.text
    );
    let requests = all.body["items"].as_array().unwrap().iter();
    let stop = { requests }.find(|entry| entry["action"] == "app.stop");
    let stop = stop.unwrap();
    assert!(stop["request_id"].is_string(), "{stop}");
    assert_eq!(stop["detail"], "With the token “test”.");

    for (query, count) in [
        ("action=app", 3),
        ("action=app.stop", 1),
        ("target=watch", 3),
        ("principal=proximity", 1),
        ("outcome=denied", 2),
        ("action=session&outcome=denied", 2),
        ("since=2099-01-01T00:00:00Z", 0),
        ("until=2099-01-01T00:00:00Z", 12),
    ] {
        assert_eq!(told(&admin, query).await.len(), count, "{query}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_audit_log_is_read_by_administrators_in_pages() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    for number in 0..5 {
        let token = json!({"name": format!("token-{number}"), "scopes": ["write"]});
        assert_eq!(admin.post("/api/v1/tokens", token).await.status, 201);
    }
    let (mut path, mut targets) = ("/api/v1/audit?action=token&limit=2".to_owned(), Vec::new());
    loop {
        let page = admin.get(&path).await;
        for entry in page.body["items"].as_array().unwrap() {
            targets.push(entry["target"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/audit?action=token&limit=2&cursor={next}");
    }
    let newest_first: Vec<_> = (0..5)
        .rev()
        .map(|number| format!("token-{number}"))
        .collect();
    assert_eq!(targets[..5], newest_first);

    let token = json!({"name": "writer", "scopes": ["write"]});
    let made = admin.post("/api/v1/tokens", token).await;
    let writer = world
        .stranger()
        .with_token(made.body["token"].as_str().unwrap());
    assert_eq!(writer.get("/api/v1/audit").await.status, 403);
    assert_eq!(world.stranger().get("/api/v1/audit").await.status, 401);
    for nonsense in ["outcome=maybe", "since=yesterday", "limit=many", "cursor=x"] {
        let answer = admin.get(&format!("/api/v1/audit?{nonsense}")).await;
        assert!(matches!(answer.status, 400 | 422), "{nonsense}: {answer:?}");
        assert!(answer.body["detail"].is_string(), "{nonsense}: {answer:?}");
    }
    world.end().await;
}
