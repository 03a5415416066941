//! Logging in: a password once, a token from then on.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{delete, get, post},
};
use cli::Exit;
use serde_json::json;

use crate::{
    fixtures::{page, problem, time},
    support::{Person, Service, always},
};

const TOKEN: &str = "tok_0000000000000000000000000000000c";

async fn service() -> Service {
    let session = json!({"username": "admin", "csrf_token": "csrf", "expires_at": time(0)});
    let cookie = [(
        "set-cookie",
        "proximity_session=cookie; HttpOnly; Path=/; SameSite=Lax",
    )];
    let token = json!({"id": TOKEN, "token": "prx_made", "name": "cli@desk", "scopes": ["admin"], "created_at": time(0)});
    let routes = Router::new()
        .route(
            "/sessions",
            post(move || std::future::ready((StatusCode::CREATED, cookie, Json(session.clone())))),
        )
        .route(
            "/sessions/current",
            delete(|| std::future::ready(StatusCode::NO_CONTENT)),
        )
        .route("/tokens", post(always(201, token)))
        .route(
            "/tokens/{id}",
            delete(|| std::future::ready(StatusCode::NO_CONTENT)),
        )
        .route("/apps", get(always(200, page(json!([]), None))));
    Service::play(routes).await
}

fn at_home(folder: &Path, input: &[u8]) -> Person {
    let mut person = Person::nobody();
    person.environment.folder = Some(folder.join("proximity"));
    person.input = input.to_vec();
    person
}

#[tokio::test]
async fn a_password_becomes_a_token() {
    let service = service().await;
    let home = tempfile::tempdir().unwrap();
    let person = at_home(home.path(), b"correct horse\nnot read\n");
    let line = format!(
        "login --url {}/ --username admin --password-stdin",
        service.url
    );
    let left = person.types(&line).await;
    assert_eq!(left.exit, Exit::Done, "{}", left.err);
    assert_eq!(
        left.out,
        format!("Logged in at {} as admin.\n", service.url)
    );
    let told = format!("{}{}", left.out, left.err);
    assert!(
        !told.contains("correct horse") && !told.contains("prx_made"),
        "{told}"
    );

    let seen = service.seen();
    assert_eq!(
        service.lines(),
        [
            "POST /api/v1/sessions",
            "POST /api/v1/tokens",
            "DELETE /api/v1/sessions/current"
        ]
    );
    assert_eq!(
        seen[0].json(),
        json!({"username": "admin", "password": "correct horse"})
    );
    assert_eq!(
        seen[1].json(),
        json!({"name": "cli@desk", "scopes": ["admin"]})
    );
    for written in &seen[1..] {
        assert_eq!(written.header("cookie"), Some("proximity_session=cookie"));
        assert_eq!(written.header("x-csrf-token"), Some("csrf"));
    }

    let file = home.path().join("proximity/config.toml");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        !std::fs::read_to_string(&file)
            .unwrap()
            .contains("correct horse")
    );
    assert_eq!(person.types("apps").await.exit, Exit::Done);
    assert_eq!(
        service.seen().last().unwrap().header("authorization"),
        Some("Bearer prx_made")
    );
}

#[tokio::test]
async fn a_new_login_revokes_the_token_before() {
    let service = service().await;
    let home = tempfile::tempdir().unwrap();
    let person = at_home(home.path(), b"correct horse");
    let line = format!(
        "login --url {} --username admin --password-stdin",
        service.url
    );
    for line in [&line, &format!("{line} --scope write")] {
        assert_eq!(person.types(line).await.exit, Exit::Done);
    }
    let wishes: Vec<_> = { service.seen().into_iter() }
        .filter(|seen| seen.line() == "POST /api/v1/tokens")
        .map(|seen| seen.json()["scopes"].clone())
        .collect();
    assert_eq!(wishes, [json!(["admin"]), json!(["write"])]);
    let revocations: Vec<_> = service
        .lines()
        .into_iter()
        .filter(|line| line.contains("/tokens/"))
        .collect();
    assert_eq!(revocations, [format!("DELETE /api/v1/tokens/{TOKEN}")]);
}

#[tokio::test]
async fn a_wrong_password_keeps_nothing() {
    let refused = problem(
        401,
        "unauthenticated",
        "No such user, or not this password.",
    );
    let service = Service::play(Router::new().route("/sessions", post(always(401, refused)))).await;
    let home = tempfile::tempdir().unwrap();
    let person = at_home(home.path(), b"wrong");
    let left = person
        .types(&format!(
            "login --url {} --username admin --password-stdin",
            service.url
        ))
        .await;
    assert!(
        left.err.contains("not by this password") && !left.err.contains("wrong"),
        "{}",
        left.err
    );
    assert_eq!(left.exit, Exit::NotAllowed);
    assert!(!home.path().join("proximity").exists());
}

#[tokio::test]
async fn a_session_ends_even_where_no_token_is_made() {
    let session = json!({"username": "guest", "csrf_token": "csrf", "expires_at": time(0)});
    let routes = Router::new()
        .route("/sessions", post(always(201, session)))
        .route(
            "/sessions/current",
            delete(|| std::future::ready(StatusCode::NO_CONTENT)),
        )
        .route(
            "/tokens",
            post(always(
                403,
                problem(403, "forbidden", "Only an administrator makes tokens."),
            )),
        );
    let service = Service::play(routes).await;
    let home = tempfile::tempdir().unwrap();
    let left = at_home(home.path(), b"secret")
        .types(&format!(
            "login --url {} --username guest --password-stdin",
            service.url
        ))
        .await;
    assert_eq!(left.exit, Exit::NotAllowed);
    assert_eq!(
        service.lines().last().unwrap(),
        "DELETE /api/v1/sessions/current"
    );
    assert!(!home.path().join("proximity").exists());
}

#[tokio::test]
async fn without_a_terminal_nobody_is_asked() {
    let person = Person::nobody();
    for line in [
        "login --url http://127.0.0.1:1 --username admin",
        "login --url http://127.0.0.1:1",
    ] {
        let left = person.types(line).await;
        assert_eq!(left.exit, Exit::Usage);
        assert!(
            left.err.contains("--password-stdin") || left.err.contains("--username"),
            "{}",
            left.err
        );
    }
    let left = person
        .types("login --url pve.lan:8765 --username admin --password-stdin")
        .await;
    assert_eq!(left.exit, Exit::Usage);
    assert!(left.err.contains("http://pve.lan:8765"), "{}", left.err);
}
