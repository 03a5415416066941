//! Who asks: sessions, tokens, scopes.

use serde_json::json;

use crate::world::{PASSWORD, World};

#[tokio::test]
async fn a_session_opens_reads_and_with_its_csrf_token_writes() {
    let world = World::new().await;
    let admin = world.admin().await;
    assert_eq!(
        admin.get("/api/v1/sessions/current").await.json(),
        json!({"username": "admin", "scopes": ["admin"]})
    );
    let careless = admin.clone().without("x-csrf-token");
    assert_eq!(careless.get("/api/v1/apps").await.status, 200);
    careless
        .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
        .await
        .problem(403, "csrf_token_missing");
    careless
        .delete("/api/v1/sessions/current")
        .await
        .problem(403, "csrf_token_missing");
    let forged = admin.clone().with("x-csrf-token", "0".repeat(64));
    forged
        .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
        .await
        .problem(403, "csrf_token_missing");
    assert_eq!(
        admin
            .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn logging_out_ends_the_session_and_takes_the_cookie_back() {
    let world = World::new().await;
    let admin = world.admin().await;
    let answer = admin.delete("/api/v1/sessions/current").await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("set-cookie")
            .starts_with("proximity_session=; Path=/; Max-Age=0;")
    );
    admin
        .get("/api/v1/apps")
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let world = World::new().await;
    for login in [
        json!({"username": "admin", "password": "hunter2"}),
        json!({"username": "x", "password": PASSWORD}),
    ] {
        let answer = world.stranger().post("/api/v1/sessions", &login).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("set-cookie"), "");
        assert!(!answer.text().contains("hunter2"));
    }
}

#[tokio::test]
async fn the_cookie_is_kept_off_plain_connections_where_the_browser_came_by_https() {
    let world = World::new().await;
    let login = json!({"username": "admin", "password": PASSWORD});
    let plain = world.stranger().post("/api/v1/sessions", &login).await;
    assert!(!plain.header("set-cookie").contains("Secure"));
    let https = world
        .stranger()
        .with("x-forwarded-proto", "https")
        .post("/api/v1/sessions", &login)
        .await;
    assert!(
        https
            .header("set-cookie")
            .ends_with("; HttpOnly; SameSite=Lax; Secure")
    );
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say_until_it_is_revoked() {
    let world = World::new().await;
    let admin = world.admin().await;
    let made = admin
        .post(
            "/api/v1/tokens",
            &json!({"name": "reader", "scopes": ["read"]}),
        )
        .await
        .json();
    let reader = world.stranger().with(
        "authorization",
        format!("Bearer {}", made["token"].as_str().unwrap()),
    );
    assert_eq!(reader.get("/api/v1/apps").await.status, 200);
    reader
        .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
        .await
        .problem(403, "forbidden");
    reader.get("/api/v1/tokens").await.problem(403, "forbidden");
    reader
        .delete("/api/v1/sessions/current")
        .await
        .problem(404, "not_found");

    let listed = admin.get("/api/v1/tokens").await.json();
    assert_eq!(listed["items"][0]["name"], "reader");
    assert!(listed["items"][0].get("token").is_none());
    assert_eq!(
        admin
            .delete(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap()))
            .await
            .status,
        204
    );
    reader
        .get("/api/v1/apps")
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_goes_before_a_cookie_and_needs_no_csrf_token() {
    let world = World::new().await;
    let both = world
        .admin()
        .await
        .without("x-csrf-token")
        .with("authorization", "Bearer prx_nonsense");
    both.get("/api/v1/apps")
        .await
        .problem(401, "unauthenticated");
    // A proxy's own login is not ours.
    let proxied = world.admin().await.with("authorization", "Basic YTpi");
    assert_eq!(proxied.get("/api/v1/apps").await.status, 200);
    let script = world.script(&["write"]).await;
    assert_eq!(
        script
            .post("/api/v1/apps", &json!({"catalog_id": "memos"}))
            .await
            .status,
        202
    );
}
