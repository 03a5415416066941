//! Somebody says stop: cancel in every step, the emergency stop, the end of the program.

use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::world::{Actor, PATIENCE, World};

/// From a wish to cancel to the end of the step that was running.
const HEARD: chrono::Duration = chrono::Duration::seconds(2);

async fn events(admin: &Actor, operation: &str) -> Vec<Value> {
    let answer = admin
        .get(&format!(
            "/api/v1/operations/{operation}/events?format=json&limit=1000"
        ))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let rows = answer.body.get("items").unwrap_or(&answer.body);
    rows.as_array().expect("a list").clone()
}

fn at(event: &Value) -> DateTime<FixedOffset> {
    let time = event["time"].as_str().expect("a time");
    DateTime::parse_from_rfc3339(time).expect("RFC 3339")
}

fn runs(operation: &Value, step: &str) -> bool {
    let steps = operation["steps"].as_array().expect("steps");
    steps
        .iter()
        .any(|row| row["name"] == step && row["status"] == "running")
}

/// Cancels an operation while `step` hangs, and expects that it is heard by the operation's own clock.
async fn cancelled_in(world: &World, admin: &Actor, operation: &str, step: &str) {
    admin.until(operation, |now| runs(now, step)).await;
    let cancel = format!("/api/v1/operations/{operation}/cancel");
    assert_eq!(admin.post(&cancel, json!({})).await.status, 202);
    // Undoing may meet the same fault; only the step itself is measured with it.
    let ended = admin.until(operation, |now| !runs(now, step)).await;
    assert_ne!(ended["status"], "completed", "{ended:#}");
    world.faults(Vec::new());
    let done = admin.finished(operation).await;
    assert_eq!(
        (
            &done["status"],
            &done["error"]["code"],
            &done["error"]["step"]
        ),
        (&json!("unwound"), &json!("cancelled"), &json!(step)),
        "{done:#}"
    );
    let events = events(admin, operation).await;
    let find = |kind: &str| {
        events
            .iter()
            .find(|event| event["kind"] == kind)
            .expect(kind)
    };
    let took = at(find("step.failed")) - at(find("operation.cancel_requested"));
    assert!(took <= HEARD, "{step} heard it after {took}");
    let late = admin.post(&cancel, json!({})).await;
    assert_eq!(
        (late.status, late.body["code"].as_str()),
        (409, Some("not_cancellable"))
    );
}

/// One test a step: the place that hangs in it.
macro_rules! deployments {
    ($($name:ident: $step:literal hangs at $place:literal $(with $templates:expr)?;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let world = World::new()$(.templates($templates))?.start().await;
            let admin = world.admin().await;
            world.fault(json!({"on": $place, "do": "hang"}));
            let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
            cancelled_in(&world, &admin, &operation, $step).await;
            assert_eq!(world.containers().await, []);
            world.end().await;
        }
    )*};
}

deployments! {
    a_deployment_is_cancelled_while_it_reserves_a_number: "reserve_vmid" hangs at "next_id";
    a_deployment_is_cancelled_while_it_fetches_the_template:
        "fetch_template" hangs at "download_template" with sim::Templates::Nowhere;
    a_deployment_is_cancelled_while_it_creates: "create_container" hangs at "create_container";
    a_deployment_is_cancelled_while_it_starts: "start_container" hangs at "start_container";
    a_deployment_is_cancelled_while_it_awaits_an_address: "await_address" hangs at "interfaces";
    a_deployment_is_cancelled_while_it_installs: "install_docker" hangs at "pct_exec";
    a_deployment_is_cancelled_while_it_pulls: "pull_images" hangs at "pull";
}

/// What a cluster told is good for a moment: it hangs from the first question on, so that nobody knows anything yet.
#[tokio::test]
async fn a_deployment_is_cancelled_while_it_chooses_a_node() {
    let hang = json!({"on": "storages", "do": "hang"});
    let world = World::new().fault(hang).start().await;
    let admin = world.admin().await;
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    cancelled_in(&world, &admin, &operation, "choose_node").await;
    assert_eq!(world.containers().await, []);
    world.end().await;
}

/// With a token instead of a password features are set on the node.
#[tokio::test]
async fn a_deployment_is_cancelled_while_it_grants_features() {
    let world = World::new().by_token().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pct", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    cancelled_in(&world, &admin, &operation, "grant_features").await;
    assert_eq!(world.containers().await, []);
    world.end().await;
}

/// The command that hangs is the first that comes to `place`: a deployment before tells which one that is.
async fn cancelled_in_the_command(step: &str, place: &str) {
    let world = World::new().start().await;
    let admin = world.admin().await;
    admin
        .deployed(json!({"catalog_id": "uptime-kuma", "name": "first"}))
        .await;
    let visits = world.cluster().cluster().faults().visits(0);
    let first = visits.iter().position(|visit| visit.on == place);
    let commands = visits[..first.expect("somebody came there")]
        .iter()
        .filter(|visit| visit.on == "pct_exec")
        .count();
    world.fault(json!({"on": "pct_exec", "do": "hang", "after": commands - 1}));
    let (operation, _) = admin
        .deploy(json!({"catalog_id": "uptime-kuma", "name": "second"}))
        .await;
    cancelled_in(&world, &admin, &operation, step).await;
    assert_eq!(world.containers().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_deployment_is_cancelled_while_it_uploads() {
    cancelled_in_the_command("upload_project", "upload").await;
}

#[tokio::test]
async fn a_deployment_is_cancelled_while_services_start() {
    cancelled_in_the_command("start_project", "up").await;
}

#[tokio::test]
async fn a_deployment_is_cancelled_while_it_checks() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    // It is asked again and again for five minutes.
    world.fault(json!({"on": "health", "do": "refused"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    cancelled_in(&world, &admin, &operation, "check_health").await;
    assert_eq!(world.containers().await, []);
    world.end().await;
}

/// The same for an app that starts again: it is stopped as before.
macro_rules! starts {
    ($($name:ident: $step:literal meets $rule:tt;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let world = World::new().start().await;
            let admin = world.admin().await;
            let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
            let app = app["id"].as_str().unwrap();
            admin.done(app, "stop").await;
            world.fault(json!($rule));
            let operation = admin.begin(app, "start").await;
            cancelled_in(&world, &admin, &operation, $step).await;
            let now = admin.get(&format!("/api/v1/apps/{app}")).await.body;
            assert_eq!(now["state"], "stopped", "{now:#}");
            world.end().await;
        }
    )*};
}

starts! {
    a_start_is_cancelled_while_it_looks:
        "observe_container" meets {"on": "container_config", "do": "hang"};
    a_start_is_cancelled_while_it_boots:
        "start_container" meets {"on": "start_container", "do": "hang"};
    a_start_is_cancelled_while_it_awaits_an_address:
        "await_address" meets {"on": "interfaces", "do": "hang"};
    a_start_is_cancelled_while_it_awaits_docker:
        "await_docker" meets {"on": "pct_exec", "do": "hang"};
    a_start_is_cancelled_while_services_start:
        "start_project" meets {"on": "pct_exec", "do": "hang", "after": 1};
    a_start_is_cancelled_while_it_checks:
        "check_health" meets {"on": "health", "do": "refused"};
}

#[tokio::test]
async fn a_deletion_cannot_be_cancelled_once_it_is_past_its_pivot() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "memos"})).await;
    world.fault(json!({"on": "delete_container", "do": "hang"}));
    let operation = admin.begin(app["id"].as_str().unwrap(), "delete").await;
    admin
        .until(&operation, |now| runs(now, "destroy_container"))
        .await;
    let late = admin
        .post(&format!("/api/v1/operations/{operation}/cancel"), json!({}))
        .await;
    assert_eq!(
        (late.status, late.body["code"].as_str()),
        (409, Some("not_cancellable"))
    );
    world.faults(Vec::new());
    assert_eq!(admin.finished(&operation).await["status"], "completed");
    world.end().await;
}

#[tokio::test]
async fn everything_is_parked_and_goes_on_when_it_is_resumed() {
    let mut world = World::new().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (begun, _) = admin
        .deploy(json!({"catalog_id": "memos", "name": "begun"}))
        .await;
    admin.until(&begun, |now| runs(now, "pull_images")).await;
    let nameless = admin.post("/api/v1/park", json!({"reason": " "})).await;
    assert_eq!(nameless.status, 422, "{nameless:?}");
    let parked = admin
        .post("/api/v1/park", json!({"reason": "smoke in the rack"}))
        .await;
    assert_eq!(parked.status, 200, "{parked:?}");
    assert_eq!(
        (
            &parked.body["parked"]["by"],
            &parked.body["parked"]["reason"]
        ),
        (&json!("admin"), &json!("smoke in the rack"))
    );
    assert_eq!(
        admin
            .post("/api/v1/park", json!({"reason": "again"}))
            .await
            .status,
        409
    );
    let deadline = Instant::now() + PATIENCE;
    while admin.get("/api/v1/status").await.body["operations"]["at_work"] != 0 {
        assert!(Instant::now() < deadline, "it does not let go");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.faults(Vec::new());
    let (queued, _) = admin
        .deploy(json!({"catalog_id": "memos", "name": "queued"}))
        .await;
    for operation in [&begun, &queued] {
        let now = admin
            .get(&format!("/api/v1/operations/{operation}"))
            .await
            .body;
        assert_eq!(
            now["waiting"], "Everything is parked by admin: smoke in the rack",
            "{now:#}"
        );
    }
    // It is the database that says so, not the process.
    world.service().stop().await;
    world.service().launch().await;
    let admin = admin.at(world.service().url());
    let status = admin.get("/api/v1/status").await.body;
    assert_eq!(status["parked"]["reason"], "smoke in the rack");
    assert_eq!(
        (
            &status["operations"]["queued"],
            &status["operations"]["running"],
            &status["operations"]["at_work"]
        ),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(world.containers().await.len(), 1, "parked, not undone");
    let resumed = admin.post("/api/v1/resume", json!({})).await;
    assert_eq!(
        (resumed.status, &resumed.body["parked"]),
        (200, &Value::Null),
        "{resumed:?}"
    );
    for operation in [&begun, &queued] {
        assert_eq!(admin.finished(operation).await["status"], "completed");
    }
    let kinds: Vec<Value> = events(&admin, &begun)
        .await
        .iter()
        .map(|event| event["kind"].clone())
        .collect();
    for kind in ["operation.parked", "operation.resumed"] {
        assert!(kinds.contains(&json!(kind)), "{kinds:?}");
    }
    assert_eq!(admin.post("/api/v1/resume", json!({})).await.status, 409);
    world.end().await;
}

#[tokio::test]
async fn only_an_administrator_parks() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let made = admin
        .post(
            "/api/v1/tokens",
            json!({"name": "writer", "scopes": ["write"]}),
        )
        .await;
    let writer = world
        .stranger()
        .with_token(made.body["token"].as_str().unwrap());
    assert_eq!(
        writer
            .post("/api/v1/park", json!({"reason": "why not"}))
            .await
            .status,
        403
    );
    assert_eq!(writer.post("/api/v1/resume", json!({})).await.status, 403);
    assert_eq!(
        writer.get("/api/v1/status").await.body["parked"],
        Value::Null
    );
    world.end().await;
}

/// Steps that hang in SSH and in REST, a request that hangs, a stream that is open: ten seconds are enough for all.
#[tokio::test]
async fn the_program_stops_within_ten_seconds_whatever_hangs_and_goes_on_afterwards() {
    let mut world = World::new().nodes(2).start().await;
    let admin = world.admin().await;
    let app = admin
        .deployed(json!({"catalog_id": "memos", "name": "old"}))
        .await;
    world.faults(vec![
        json!({"on": "pull", "do": "hang"}),
        json!({"on": "shutdown_container", "do": "hang"}),
        json!({"on": "storages", "do": "hang"}),
    ]);
    // The figures of a moment ago are good for a moment: this deployment may still be placed by them.
    let stop = admin.begin(app["id"].as_str().unwrap(), "stop").await;
    let (deploy, _) = admin
        .deploy(json!({"catalog_id": "memos", "name": "new"}))
        .await;
    admin.until(&stop, |now| runs(now, "stop_container")).await;
    admin
        .until(&deploy, |now| {
            runs(now, "choose_node") || runs(now, "pull_images")
        })
        .await;
    let hanging = admin.request(reqwest::Method::GET, "/api/v1/storages");
    let mut requests = tokio::task::JoinSet::new();
    requests.spawn(async move { hanging.send().await.map(|answer| answer.status()) });
    let stream = admin
        .request(reqwest::Method::GET, "/api/v1/events")
        .header("accept", "text/event-stream")
        .send()
        .await
        .expect("a stream");
    assert_eq!(stream.status(), 200);
    let began = Instant::now();
    world.service().stop().await;
    let took = began.elapsed();
    assert!(took <= Duration::from_secs(10), "it took {took:?}");
    drop((requests, stream));
    world.faults(Vec::new());
    let next = Instant::now();
    world.service().launch().await;
    let admin = admin.at(world.service().url());
    for operation in [&stop, &deploy] {
        let done = admin.finished(operation).await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
    // Given back and not left to run out: a lease is 30 s.
    assert!(
        next.elapsed() < Duration::from_secs(25),
        "{:?}",
        next.elapsed()
    );
    world.end().await;
}

/// The first signal asks: a request that is under way is waited for. The second insists.
#[tokio::test]
async fn the_program_ends_at_once_when_it_is_told_a_second_time() {
    let mut world = World::new().start().await;
    let url = world.service().url().to_owned();
    let address = url.strip_prefix("http://").expect("plain HTTP");
    let mut slow = TcpStream::connect(address).await.expect("it listens");
    let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    slow.write_all(head.as_bytes()).await.expect("sent");
    // Somebody waits for the body.
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100");
    world.service().ask_to_stop();
    let deadline = Instant::now() + PATIENCE;
    while !world.log().contains("stopping: ") {
        assert!(Instant::now() < deadline, "it does not stop");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.service().ask_to_stop();
    let status = world.service().ended().await;
    assert_eq!(status.code(), Some(128 + 15), "{}", world.log());
    world.service().launch().await;
    world.end().await;
}
