//! What goes wrong, and the exit code that tells it.

use std::io::{self, Write};

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use cli::Exit;
use serde_json::json;

use crate::{
    fixtures::{page, problem},
    support::{Person, Service, always},
};

#[tokio::test]
async fn exit_codes_tell_what_the_service_said() {
    for (status, exit) in [
        (400, Exit::Usage),
        (401, Exit::NotAllowed),
        (403, Exit::NotAllowed),
        (404, Exit::NotFound),
        (409, Exit::Conflict),
        (422, Exit::Usage),
        (429, Exit::Failed),
        (500, Exit::Failed),
        (503, Exit::Failed),
    ] {
        let routes = Router::new().route(
            "/apps/{name}",
            get(always(status, problem(status, "code", "No."))),
        );
        let service = Service::play(routes).await;
        let left = Person::at(&service).types("show whoami").await;
        assert_eq!(left.exit, exit, "{status}");
        assert!(
            left.err.starts_with("error: No.\n") && left.err.contains("req_1"),
            "{}",
            left.err
        );
        assert_eq!(left.out, "");
    }
}

#[tokio::test]
async fn fields_are_named_by_their_pointers() {
    let mut refused = problem(422, "invalid_parameters", "2 fields are wrong.");
    refused["errors"] = json!([
        {"pointer": "/parameters/PORT", "message": "must be below 65536"},
        {"pointer": "/name", "message": "must not be \u{1b}[2Jempty"},
    ]);
    let service = Service::play(Router::new().route("/apps", post(always(422, refused)))).await;
    let left = Person::at(&service).types("deploy whoami").await;
    insta::assert_snapshot!(left.told(&service));
}

#[tokio::test]
async fn who_does_not_answer_is_unreachable() {
    // A port that was free a moment ago and belongs to this test until the listener is dropped.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut person = Person::nobody();
    person.environment.url = Some(url.clone());
    person.environment.token = Some("prx_token".to_owned());
    let left = person.types("apps").await;
    assert_eq!(left.exit, Exit::Unreachable);
    assert!(
        left.err.contains(&url) && !left.err.contains("prx_token"),
        "{}",
        left.err
    );
}

#[tokio::test]
async fn a_proxy_without_its_service_is_unreachable_too() {
    let routes = Router::new()
        .route(
            "/apps",
            get(|| std::future::ready((axum::http::StatusCode::BAD_GATEWAY, "<html>"))),
        )
        .route("/nodes", get(|| std::future::ready("<html>hello")));
    let service = Service::play(routes).await;
    let person = Person::at(&service);
    assert_eq!(person.types("apps").await.exit, Exit::Unreachable);
    let left = person.types("nodes").await;
    assert_eq!(left.exit, Exit::Failed);
    assert!(left.err.contains("not as Proximity does"), "{}", left.err);
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect() {
    let routes = Router::new()
        .route(
            "/apps",
            get(|| std::future::ready(Redirect::temporary("/api/v1/elsewhere"))),
        )
        .route("/elsewhere", get(always(200, page(json!([]), None))));
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("apps").await;
    assert_eq!(left.exit, Exit::Failed);
    assert_eq!(service.lines(), ["GET /api/v1/apps"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let service = Service::play(Router::new()).await;
    let mut person = Person::at(&service);
    person.environment.token = None;
    let left = person.types("apps").await;
    assert_eq!(left.exit, Exit::NotAllowed);
    assert!(left.err.contains("proximity login"), "{}", left.err);
    assert!(service.seen().is_empty());
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_error() {
    let routes = Router::new().route(
        "/nodes",
        get(always(
            200,
            page([crate::fixtures::node("pve1", None)], None),
        )),
    );
    let service = Service::play(routes).await;
    let exit = Person::at(&service)
        .writes(&["nodes"], Box::new(Closed), Box::new(Closed))
        .await;
    assert_eq!(exit, Exit::Done);
}

#[tokio::test]
async fn whoever_lacks_a_right_learns_how_to_get_it() {
    let refused = problem(403, "forbidden", "This needs the scope `admin`.");
    let routes = Router::new().route("/audit", get(always(403, refused)));
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("audit").await;
    assert_eq!(left.exit, Exit::NotAllowed);
    assert!(left.err.contains("`proximity login`"), "{}", left.err);
}
