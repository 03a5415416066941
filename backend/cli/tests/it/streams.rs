//! Waiting and following: events over a connection that breaks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Body,
    http::HeaderMap,
    response::IntoResponse as _,
    routing::{delete, get, post},
};
use cli::Exit;

use crate::{
    fixtures::{self, OPERATION, event, page, problem, sse},
    support::{Left, Person, Service, always, stream},
};

/// A service whose stream breaks after two events, and whose operation then ends as `end` tells.
async fn breaking(end: api::Operation) -> Service {
    let deployed = api::Deployed {
        app: fixtures::app("whoami"),
        operation: fixtures::operation("deploy", "queued"),
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let finished = calls.clone();
    let events = move |headers: HeaderMap| {
        let answer = match calls.fetch_add(1, Ordering::SeqCst) {
            0 => stream(
                vec![
                    sse(&event(1, "operation.queued", None, None)),
                    format!(
                        ": a comment\n\n{}",
                        sse(&event(2, "step.started", Some("choose_node"), None))
                    ),
                ],
                true,
            ),
            1 => always(503, problem(503, "restarting", "The service is starting."))().into_inner(),
            _ => {
                assert_eq!(headers["last-event-id"], "2");
                let future =
                    "event: step.dreamt\nid: 5\ndata: {\"kind\":\"step.dreamt\"}\n\n".to_owned();
                let pieces = [
                    sse(&event(3, "step.finished", Some("choose_node"), None)),
                    sse(&event(
                        4,
                        "step.log",
                        Some("pull_images"),
                        Some("Pulling \u{1b}[2Jweb"),
                    )),
                    future,
                    sse(&event(6, "operation.finished", None, None)),
                ];
                stream(pieces.into(), false)
            }
        };
        std::future::ready(answer)
    };
    let operation = move || {
        let done = finished.load(Ordering::SeqCst) > 2;
        let operation = if done {
            end.clone()
        } else {
            fixtures::operation("deploy", "running")
        };
        std::future::ready(Json(operation))
    };
    let routes = Router::new()
        .route("/apps", post(always(202, deployed)))
        .route("/apps/{id}", get(always(200, fixtures::app("whoami"))))
        .route("/operations/{id}", get(operation))
        .route("/operations/{id}/events", get(events));
    Service::play(routes).await
}

fn connections(service: &Service) -> Vec<Option<String>> {
    let seen = service.seen();
    let streams = seen.iter().filter(|seen| seen.target.ends_with("/events"));
    streams
        .map(|seen| seen.header("last-event-id").map(ToOwned::to_owned))
        .collect()
}

#[tokio::test]
async fn a_wait_survives_a_lost_connection() {
    let service = breaking(fixtures::operation("deploy", "completed")).await;
    let left = Person::at(&service).types("deploy whoami --wait").await;
    insta::assert_snapshot!(steady(&left, &service));
    assert_eq!(
        connections(&service),
        [None, Some("2".to_owned()), Some("2".to_owned())]
    );
}

#[tokio::test]
async fn a_terminal_sees_steps_tick_off() {
    let service = breaking(fixtures::operation("deploy", "completed")).await;
    let mut person = Person::at(&service);
    person.is_live = true;
    let left = person.types("deploy whoami --wait").await;
    assert!(
        left.err
            .contains("\u{1b}[32m✓\u{1b}[0m choose node (1.0s)\n"),
        "{:?}",
        left.err
    );
    assert!(!left.err.contains("\u{1b}[2J"), "{:?}", left.err);
    assert!(
        left.err.ends_with("\r\u{1b}[K"),
        "nothing passing stays: {:?}",
        left.err
    );
    assert!(!left.out.contains('\u{1b}'), "{:?}", left.out);
}

#[tokio::test]
async fn a_failed_deployment_is_explained() {
    for status in ["unwound", "stuck"] {
        let service = breaking(fixtures::failed(status)).await;
        let left = Person::at(&service).types("deploy whoami --wait").await;
        assert_eq!(left.exit, Exit::Failed);
        insta::assert_snapshot!(format!("failed_{status}"), steady(&left, &service));
    }
}

#[tokio::test]
async fn a_program_gets_the_end_as_a_value() {
    let service = breaking(fixtures::failed("unwound")).await;
    let left = Person::at(&service)
        .types("deploy whoami --wait --output json")
        .await;
    assert_eq!(left.exit, Exit::Failed);
    let told: api::Deployed = serde_json::from_str(&left.out).unwrap();
    assert_eq!(told.operation.status, api::OperationStatus::Unwound);
}

/// Without the words that another library chooses for a broken connection.
fn steady(left: &Left, service: &Service) -> String {
    let told = left.told(service);
    let lines = told
        .lines()
        .map(|line| match line.split_once(" does not answer: ") {
            Some((before, _)) if line.ends_with("; trying again") => {
                format!("{before} does not answer: …; trying again")
            }
            _ => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_cannot_heal_ends_the_wait() {
    let started = api::Started {
        operation: fixtures::operation("delete", "queued"),
    };
    let routes = Router::new()
        .route("/apps/{id}", delete(always(202, started)))
        .route(
            "/operations/{id}/events",
            get(always(
                401,
                problem(401, "unauthenticated", "Your token is revoked."),
            )),
        );
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("delete whoami --wait").await;
    assert_eq!(left.exit, Exit::NotAllowed);
    assert!(left.err.contains("Your token is revoked."), "{}", left.err);
}

#[tokio::test]
async fn a_retry_tells_only_what_is_new() {
    let path = format!("/operations/{OPERATION}/events");
    let before = [
        event(1, "step.failed", Some("pull_images"), Some("old")),
        event(2, "operation.finished", None, None),
    ];
    let events = move |headers: HeaderMap, uri: axum::http::Uri| {
        if uri
            .query()
            .is_some_and(|query| query.contains("format=json"))
        {
            return std::future::ready(Json(page(&before, None)).into_response());
        }
        assert_eq!(headers["last-event-id"], "2");
        let new = [
            event(3, "operation.retried", None, None),
            event(4, "operation.finished", None, None),
        ];
        std::future::ready(stream(new.iter().map(sse).collect(), false))
    };
    let started = api::Started {
        operation: fixtures::operation("deploy", "unwinding"),
    };
    let routes = Router::new()
        .route(&path, get(events))
        .route("/operations/{id}/retry", post(always(202, started)))
        .route(
            "/operations/{id}",
            get(always(200, fixtures::operation("deploy", "completed"))),
        );
    let service = Service::play(routes).await;
    let left = Person::at(&service)
        .types(&format!("retry {OPERATION} --wait"))
        .await;
    assert_eq!(
        (left.exit, left.out.as_str()),
        (Exit::Done, "deploy of whoami is completed\n")
    );
    assert_eq!(left.err, "tried again\n");
}

#[tokio::test]
async fn followed_events_go_on_where_the_list_ends() {
    let list = page([event(7, "operation.queued", None, None)], None);
    let events = move |headers: HeaderMap, uri: axum::http::Uri| {
        if uri
            .query()
            .is_some_and(|query| query.contains("format=json"))
        {
            return std::future::ready(Json(list.clone()).into_response());
        }
        let answer = match headers["last-event-id"].to_str().unwrap() {
            "7" => stream(
                vec![sse(&event(8, "step.started", Some("choose_node"), None))],
                true,
            ),
            "8" => stream(
                vec![sse(&event(9, "step.finished", Some("choose_node"), None))],
                false,
            ),
            // Nobody follows for ever in a test: what cannot heal ends it.
            _ => always(403, problem(403, "forbidden", "Enough."))().into_inner(),
        };
        std::future::ready(answer)
    };
    let service = Service::play(Router::new().route("/events", get(events))).await;
    let left = Person::at(&service).types("events -f --output json").await;
    assert_eq!(left.exit, Exit::NotAllowed);
    let ids: Vec<_> = left
        .out
        .lines()
        .map(|line| serde_json::from_str::<api::Event>(line).unwrap().id)
        .collect();
    assert_eq!(ids, [7, 8, 9], "each event once, a line each");
}

#[tokio::test]
async fn followed_logs_are_passed_on_as_they_come() {
    let logs = || {
        let pieces: Vec<std::io::Result<Vec<u8>>> =
            vec![Ok(b"web-1 | \xff half".to_vec()), Ok(b" a line\n".to_vec())];
        std::future::ready(Body::from_stream(futures::stream::iter(pieces)).into_response())
    };
    let service = Service::play(Router::new().route("/apps/{name}/logs", get(logs))).await;
    let person = Person::at(&service);
    let (out, err) = (
        tempfile::NamedTempFile::new().unwrap(),
        tempfile::tempfile().unwrap(),
    );
    let paper = Box::new(out.reopen().unwrap());
    let exit = person
        .writes(&["logs", "whoami", "-f"], paper, Box::new(err))
        .await;
    assert_eq!(exit, Exit::Done);
    assert_eq!(
        std::fs::read(out.path()).unwrap(),
        b"web-1 | \xff half a line\n"
    );
    assert_eq!(
        service.lines(),
        ["GET /api/v1/apps/whoami/logs?follow=true"]
    );
}
