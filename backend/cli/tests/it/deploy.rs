//! Deploying: what is sent, and that it is done once.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    routing::{get, post},
};
use cli::Exit;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    fixtures::{self, OPERATION},
    support::{Person, Service, always},
};

fn deployed() -> api::Deployed {
    api::Deployed {
        app: fixtures::app("whoami"),
        operation: fixtures::operation("deploy", "queued"),
    }
}

#[tokio::test]
async fn values_have_the_type_of_their_parameter() {
    let routes = Router::new()
        .route("/catalog/{id}", get(always(200, fixtures::entry())))
        .route("/apps", post(always(202, deployed())));
    let service = Service::play(routes).await;
    let mut person = Person::at(&service);
    person.input = b"hunter2\n".to_vec();
    let line = "deploy whoami --name kitchen --set WHOAMI_NAME=1=2 --set REPLICAS=3 --set VERBOSE=yes \
                --set-file PASSWORD=- --node pve2 --cores 2 --memory 512MiB --disk 2GiB \
                --address 10.0.0.5/24 --gateway 10.0.0.1 --bridge vmbr1 --vlan 12";
    let left = person.types(line).await;
    insta::assert_snapshot!(left.told(&service));
    let sent = service.seen().pop().unwrap();
    assert_eq!(
        sent.json(),
        json!({
            "catalog_id": "whoami", "name": "kitchen", "node": "pve2",
            "parameters": {"WHOAMI_NAME": "1=2", "REPLICAS": 3, "VERBOSE": true, "PASSWORD": "hunter2"},
            "resources": {"cores": 2, "memory": 536_870_912, "disk": 2_147_483_648_u64},
            "network": {
                "bridge": "vmbr1", "vlan": 12, "address": "10.0.0.5/24", "gateway": "10.0.0.1",
            },
        })
    );
    assert!(
        sent.header("idempotency-key")
            .is_some_and(|key| key.len() == 36)
    );
}

#[tokio::test]
async fn each_command_has_a_key_of_its_own() {
    let started = api::Started {
        operation: fixtures::operation("stop", "queued"),
    };
    let routes = Router::new()
        .route("/apps", post(always(202, deployed())))
        .route("/apps/{name}/stop", post(always(202, started)));
    let service = Service::play(routes).await;
    let person = Person::at(&service);
    for line in ["deploy whoami", "deploy whoami", "stop whoami"] {
        assert_eq!(person.types(line).await.exit, Exit::Done);
    }
    let mut keys: Vec<_> = service
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").unwrap().to_owned())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn a_wrong_value_is_told_before_anything_is_sent() {
    let routes = Router::new().route("/catalog/{id}", get(always(200, fixtures::entry())));
    let service = Service::play(routes).await;
    let left = Person::at(&service)
        .types("deploy whoami --set REPLICAS=many")
        .await;
    assert_eq!(left.exit, Exit::Usage);
    assert_eq!(
        left.err,
        "error: the value of REPLICAS must be a whole number\n"
    );
    assert_eq!(service.lines(), ["GET /api/v1/catalog/whoami"]);
}

#[tokio::test]
async fn a_plan_does_nothing() {
    let routes = Router::new().route("/apps", post(always(200, fixtures::plan())));
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("deploy whoami --plan").await;
    insta::assert_snapshot!(left.told(&service));
    assert_eq!(service.lines(), ["POST /api/v1/apps?plan=true"]);
}

#[tokio::test]
async fn a_plan_without_a_node_fails() {
    let mut plan = fixtures::plan();
    plan.node = None;
    let service = Service::play(Router::new().route(
        "/apps",
        post(move || std::future::ready(Json(plan.clone()))),
    ))
    .await;
    let left = Person::at(&service).types("deploy whoami --plan").await;
    assert_eq!(left.exit, Exit::Failed);
    assert!(left.out.contains("none fits"), "{}", left.out);
}

/// A request to the end of its body, and its head.
async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let size = stream.read(&mut piece).await.unwrap();
        assert!(size > 0, "the request is cut");
        read.extend_from_slice(&piece[..size]);
        let text = String::from_utf8(read.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn key(request: &str) -> &str {
    let line = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("idempotency-key:"));
    line.and_then(|line| line.split_once(": "))
        .expect("a key")
        .1
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_same_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    let log = seen.clone();
    tasks.spawn(async move {
        // The first request is done, and its answer lost.
        let (mut stream, _) = listener.accept().await.unwrap();
        let first = request(&mut stream).await;
        log.lock().unwrap().push(first);
        drop(stream);
        let (mut stream, _) = listener.accept().await.unwrap();
        let second = request(&mut stream).await;
        log.lock().unwrap().push(second);
        let body = serde_json::to_string(&deployed()).unwrap();
        let answer = format!(
            "HTTP/1.1 202 Accepted\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let mut person = Person::nobody();
    person.environment.url = Some(url);
    person.environment.token = Some("prx_token".to_owned());
    let left = person.types("deploy whoami").await;
    assert_eq!(left.exit, Exit::Done, "{}", left.err);
    assert!(left.out.contains(OPERATION));
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    assert_eq!(key(&seen[0]), key(&seen[1]));
    assert!(
        seen.iter()
            .all(|request| request.starts_with("POST /api/v1/apps HTTP/1.1"))
    );
}

#[tokio::test]
async fn several_apps_are_one_request_and_each_is_told() {
    let begun = json!({"items": [
        {"app": "blog", "operation": fixtures::operation("stop", "queued")},
        {"app": "shop", "refusal": {"code": "not_found", "message": "There is no such app."}},
    ]});
    let routes = Router::new().route("/operations", post(always(202, begun)));
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("stop blog shop").await;
    assert_eq!(left.exit, Exit::Failed);
    insta::assert_snapshot!(left.told(&service));
    let sent = service.seen().pop().unwrap();
    assert_eq!(
        sent.json(),
        json!({"kind": "stop", "apps": ["blog", "shop"]})
    );
}
