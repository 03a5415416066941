//! What is read: tables for people, values for programs.

use axum::{
    Router,
    extract::Query,
    routing::{get, post},
};
use cli::Exit;
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::{
    fixtures::{self, APP, OPERATION, page},
    support::{Person, Service, always, parses},
};

async fn service() -> Service {
    let apps = [
        fixtures::app("whoami"),
        fixtures::app("evil\u{1b}[2J\nname"),
    ];
    let operations = [
        fixtures::operation("deploy", "completed"),
        fixtures::failed("unwound"),
    ];
    let nodes = [
        fixtures::node("pve1", None),
        fixtures::node("pve2", Some("does not answer the cluster")),
    ];
    let events = [
        fixtures::event(1, "operation.queued", None, None),
        fixtures::event(2, "step.started", Some("create_container"), None),
        fixtures::event(
            3,
            "step.log",
            Some("pull_images"),
            Some("Pulling \u{1b}[1mweb"),
        ),
    ];
    let entries = [
        fixtures::audit("app.delete", "evil\u{1b}[2J\nname", None),
        fixtures::audit("operations.park", "all", Some("new disks")),
    ];
    let routes = Router::new()
        .route(
            "/apps",
            get(move |Query(query): Query<HashMap<String, String>>| {
                // Two pages of one app each.
                let (app, next) = match query.get("cursor") {
                    None => (&apps[0], Some("second page")),
                    Some(_) => (&apps[1], None),
                };
                std::future::ready(axum::Json(page([app], next)))
            }),
        )
        .route("/apps/{name}", get(always(200, fixtures::app("whoami"))))
        .route(
            "/apps/{name}/logs",
            get(|| std::future::ready("web-1 | hello\nweb-1 | \u{1b}[32mgreen\u{1b}[0m\n")),
        )
        .route("/operations", get(always(200, page(operations, None))))
        .route(
            "/operations/{id}",
            get(always(200, fixtures::failed("unwound"))),
        )
        .route("/audit", get(always(200, page(entries, None))))
        .route("/events", get(always(200, page(events, None))))
        .route("/nodes", get(always(200, page(nodes, None))))
        .route(
            "/catalog",
            get(always(200, page([fixtures::entry().app], None))),
        )
        .route(
            "/catalog/check",
            post(always(200, fixtures::checked(false))),
        )
        .route("/catalog/{id}", get(always(200, fixtures::entry())))
        .route("/apps/none/logs", get(always(200, Value::Null)));
    Service::play(routes).await
}

#[tokio::test]
async fn tables_are_for_people() {
    let service = service().await;
    let person = Person::at(&service);
    for line in [
        "apps",
        "show whoami",
        "logs whoami --tail 2 --service web",
        "operations",
        "operations op_0000000000000000000000000000000b",
        "events",
        "nodes",
        "audit",
        "catalog",
        "catalog show whoami",
    ] {
        let left = person.types(line).await;
        assert_eq!(left.exit, Exit::Done, "{line}: {}", left.err);
        let name = line.split(" op_").next().unwrap().replace([' ', '-'], "_");
        let name = if line.contains(" op_") {
            format!("{name}_one")
        } else {
            name
        };
        insta::assert_snapshot!(name, left.told(&service));
    }
    assert!(
        service
            .seen()
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer prx_token"))
    );
}

#[tokio::test]
async fn values_are_for_programs() {
    let service = service().await;
    let person = Person::at(&service);
    let left = person.types("apps --output json").await;
    let apps: Vec<api::App> = serde_json::from_str(&left.out).unwrap();
    assert_eq!(apps.len(), 2, "all pages");
    assert_eq!(
        apps[1].name, "evil\u{1b}[2J\nname",
        "a program gets the name as it is"
    );
    assert_eq!(left.err, "");

    let left = person.types("--output yaml show whoami").await;
    insta::assert_snapshot!("show_yaml", left.out);
    let left = person.types("operations --output json").await;
    let value: Value = serde_json::from_str(&left.out).unwrap();
    assert_eq!(value[1]["error"]["code"], "image_not_found");
    let left = person
        .types(&format!("--output json operations {OPERATION}"))
        .await;
    let value: Value = serde_json::from_str(&left.out).unwrap();
    assert_eq!(
        (value["id"].as_str(), value["app"]["id"].as_str()),
        (Some(OPERATION), Some(APP))
    );
}

#[tokio::test]
async fn what_is_asked_for_is_sent() {
    let service = service().await;
    let person = Person::at(&service);
    person
        .types("catalog search media server --category books")
        .await;
    person
        .types("operations --app whoami --status stuck --limit 7")
        .await;
    person.types("logs whoami --since 10m").await;
    person
        .types("audit --by ada --action session --outcome denied --limit 5")
        .await;
    person.says(&["show", "../nodes?x"]).await;
    assert_eq!(
        service.lines(),
        [
            "GET /api/v1/catalog?q=media+server&category=books",
            "GET /api/v1/operations?app=whoami&status=stuck&limit=7",
            "GET /api/v1/apps/whoami/logs?since=10m",
            "GET /api/v1/audit?principal=ada&action=session&outcome=denied&limit=5",
            "GET /api/v1/apps/..%2Fnodes%3Fx",
        ]
    );
}

#[tokio::test]
async fn a_table_fits_the_terminal() {
    let service = service().await;
    let mut person = Person::at(&service);
    person.width = Some(64);
    let left = person.types("nodes").await;
    assert!(
        left.out.lines().all(|line| line.chars().count() <= 64),
        "{}",
        left.out
    );
    assert!(
        left.out.contains("pve2") && left.out.lines().count() > 3,
        "{}",
        left.out
    );
}

#[tokio::test]
async fn an_empty_list_is_no_table() {
    let routes = Router::new().route("/apps", get(always(200, page(json!([]), None))));
    let service = Service::play(routes).await;
    let left = Person::at(&service).types("apps").await;
    assert_eq!((left.exit, left.out.as_str()), (Exit::Done, ""));
    assert!(left.err.contains("proximity deploy"), "{}", left.err);
}

#[tokio::test]
async fn an_entry_is_checked_whole() {
    let service = service().await;
    let person = Person::at(&service);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("compose.yml"), "services: {}\n").unwrap();
    std::fs::write(folder.path().join("app.yaml"), "name: mine\n").unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let left = person.says(&["catalog", "check", &path]).await;
    assert_eq!(left.exit, Exit::Failed);
    insta::assert_snapshot!("catalog_check", left.told(&service));
    person
        .says(&["catalog", "check", &format!("{path}/app.yaml")])
        .await;
    person
        .says(&["catalog", "check", &format!("{path}/compose.yml")])
        .await;
    let sent: Vec<_> = service
        .seen()
        .iter()
        .map(super::support::Seen::json)
        .collect();
    let whole = json!({"compose": "services: {}\n", "app": "name: mine\n"});
    assert_eq!(
        sent,
        [whole.clone(), whole, json!({"compose": "services: {}\n"})]
    );
    let left = person
        .says(&["catalog", "check", &format!("{path}/none.yaml")])
        .await;
    assert_eq!(left.exit, Exit::Failed);
    assert!(left.err.contains("none.yaml"), "{}", left.err);
}

#[test]
fn every_command_of_the_contract_can_be_typed() {
    for line in [
        "login --url http://x --username a --password-stdin",
        "catalog",
        "catalog search text",
        "catalog show id",
        "catalog check path",
        "deploy id --name n --set A=1 --set B=2 --node n1 --plan",
        "deploy id --wait --output json",
        "apps --output yaml",
        "show name",
        "logs name --service s --tail 5 -f",
        "start name --wait",
        "stop name",
        "restart name",
        "delete name --wait",
        "operations",
        "operations op_0000000000000000000000000000000b",
        "cancel op_0000000000000000000000000000000b",
        "retry op_0000000000000000000000000000000b",
        "events -f",
        "nodes",
    ] {
        assert_eq!(parses(line), Ok(()), "{line}");
    }
    // A password on a command line would be read by everyone on the machine.
    assert!(parses("login --username a --password hunter2").is_err());
    assert!(parses("deploy id --plan --wait").is_err());
    assert!(parses("operations app_0000000000000000000000000000000b").is_err());
}
