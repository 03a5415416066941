//! Somebody else's container is never touched, whatever number it has and whenever it comes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim::{ContainerChange, Stranger};

use crate::world::{Actor, World};

/// Somebody else makes a container, now.
fn settle(world: &World, vmid: u64) {
    let stranger = Stranger {
        vmid: number(vmid),
        node: "pve1".to_owned(),
        config: BTreeMap::from([("description".to_owned(), "mine alone".to_owned())]),
    };
    world.cluster().settle(&stranger).expect("it is free");
}

fn number(vmid: u64) -> u32 {
    u32::try_from(vmid).expect("a number")
}

/// A container of somebody else, whole: configuration, lock, power, volume.
async fn stranger(world: &World, vmid: u64) -> Value {
    let state = world.cluster().state().await;
    let rows = state["neighbours"].as_array().expect("a list");
    let found = rows.iter().find(|row| row["vmid"] == vmid);
    found.unwrap_or_else(|| panic!("{vmid} is gone")).clone()
}

async fn change(world: &World, vmid: u64, change: Value) {
    let change: ContainerChange = serde_json::from_value(change).expect("a change");
    world
        .cluster()
        .change_container(number(vmid), &change)
        .await
        .expect("the container is there");
}

/// The one container of the world that is not a neighbour.
async fn own(world: &World) -> (u64, Value) {
    let state = world.cluster().state().await;
    let rows = state["containers"].as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    (rows[0]["vmid"].as_u64().unwrap(), rows[0].clone())
}

async fn deployed(admin: &Actor) -> u64 {
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    app["vmid"].as_u64().expect("a number")
}

fn is_at(operation: &Value, step: &str) -> bool {
    let steps = operation["steps"].as_array().expect("steps");
    steps
        .iter()
        .any(|row| row["name"] == step && row["status"] == "running")
}

async fn findings(admin: &Actor) -> Vec<Value> {
    let report = admin.post("/api/v1/reconciliation", json!({})).await;
    assert_eq!(report.status, 200, "{report:?}");
    let last = admin.get("/api/v1/reconciliation").await;
    assert_eq!(last.body, report.body, "it is kept");
    report.body["findings"].as_array().expect("a list").clone()
}

/// What the one finding is.
async fn finding(admin: &Actor) -> (String, Value) {
    let findings = findings(admin).await;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let hint = findings[0]["hint"].as_str().expect("a hint");
    assert!(hint.len() > 20, "{hint}");
    (
        findings[0]["kind"].as_str().expect("a kind").to_owned(),
        findings[0].clone(),
    )
}

#[tokio::test]
async fn a_number_that_is_taken_before_the_create_call_is_left_to_whom_took_it() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "create_container", "do": "overtaken", "times": 2}));
    let vmid = deployed(&admin).await;
    let state = world.cluster().state().await;
    let strangers: Vec<&Value> = state["neighbours"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| {
            row["config"]["hostname"]
                .as_str()
                .is_some_and(|name| name.starts_with("stranger-"))
        })
        .collect();
    assert_eq!(strangers.len(), 2, "{strangers:#?}");
    for stranger in strangers {
        assert_ne!(stranger["vmid"], vmid);
        assert_eq!(stranger["status"], "running");
        assert_eq!(stranger["lock"], Value::Null);
    }
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}

#[tokio::test]
async fn a_number_that_is_handed_on_after_a_failed_create_is_not_destroyed_by_the_undo() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "create_container", "do": "hang_in_task"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    let made = admin
        .until(&operation, |now| is_at(now, "create_container"))
        .await;
    assert_eq!(made["status"], "running");
    // Proxmox removes a create that fails by itself; somebody else gets the number at once.
    let vmid = loop {
        if let Some((vmid, _)) = world.containers().await.first() {
            break *vmid;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!(world.cluster().destroy_by_hand(number(vmid)).await);
    settle(&world, vmid);
    let before = stranger(&world, vmid).await;
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "unwound", "{done:#}");
    assert_eq!(stranger(&world, vmid).await, before);
    world.end().await;
}

#[tokio::test]
async fn a_container_with_the_number_of_an_app_and_no_proof_is_never_touched() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let vmid = deployed(&admin).await;
    world.cluster().destroy_by_hand(number(vmid)).await;
    settle(&world, vmid);
    let before = stranger(&world, vmid).await;
    let (kind, told) = finding(&admin).await;
    assert_eq!(kind, "number_taken", "{told:#}");
    let app = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert!(
        app["attention"]
            .as_str()
            .is_some_and(|text| text.contains("somebody else")),
        "{app:#}"
    );
    for kind in ["stop", "restart"] {
        let operation = admin.begin("uptime-kuma", kind).await;
        let done = admin.finished(&operation).await;
        assert_eq!(
            (done["status"].as_str(), done["error"]["code"].as_str()),
            (Some("unwound"), Some("container_missing")),
            "{done:#}"
        );
        assert_eq!(stranger(&world, vmid).await, before, "after {kind}");
    }
    admin.done("uptime-kuma", "delete").await;
    assert_eq!(stranger(&world, vmid).await, before, "after delete");
    let refused = admin
        .post(&format!("/api/v1/containers/{vmid}/adopt"), json!({}))
        .await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (409, Some("not_ours")),
        "{refused:?}"
    );
    assert_eq!(stranger(&world, vmid).await, before, "after adopt");
    world.end().await;
}

#[tokio::test]
async fn a_container_that_a_backup_holds_is_waited_for_and_not_unlocked() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let vmid = deployed(&admin).await;
    change(&world, vmid, json!({"lock": "backup"})).await;
    let operation = admin.begin("uptime-kuma", "delete").await;
    admin
        .until(&operation, |now| is_at(now, "destroy_container"))
        .await;
    let (_, held) = own(&world).await;
    assert_eq!(
        (held["lock"].as_str(), held["status"].as_str()),
        (Some("backup"), Some("running"))
    );
    change(&world, vmid, json!({"lock": ""})).await;
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(world.containers().await, []);
    world.end().await;
}

#[tokio::test]
async fn a_container_that_is_moved_between_two_steps_is_found_again() {
    let world = World::new().nodes(2).start().await;
    let admin = world.admin().await;
    let app = admin
        .deployed(json!({"catalog_id": "uptime-kuma", "node": "pve1"}))
        .await;
    let vmid = app["vmid"].as_u64().unwrap();
    world.fault(json!({"on": "start_container", "do": "hang"}));
    let operation = admin.begin("uptime-kuma", "restart").await;
    admin
        .until(&operation, |now| is_at(now, "start_container"))
        .await;
    change(&world, vmid, json!({"node": "pve2"})).await;
    world.faults(Vec::new());
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    let app = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert_eq!(
        (app["node"].as_str(), app["vmid"].as_u64()),
        (Some("pve2"), Some(vmid))
    );
    // Moved while nothing is done: noted by a look, for the proof is on the other node.
    change(&world, vmid, json!({"node": "pve1"})).await;
    assert_eq!(finding(&admin).await.0, "container_moved");
    let app = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert_eq!(app["node"], "pve1");
    assert!(app.get("attention").is_none(), "{app:#}");
    assert!(findings(&admin).await.is_empty());
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}

#[tokio::test]
async fn a_container_that_is_destroyed_by_hand_ends_as_a_sentence() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| is_at(now, "pull_images"))
        .await;
    let (vmid, _) = own(&world).await;
    world.cluster().destroy_by_hand(number(vmid)).await;
    world.faults(Vec::new());
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "unwound", "{done:#}");
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    let vmid = app["vmid"].as_u64().unwrap();
    world.cluster().destroy_by_hand(number(vmid)).await;
    let (kind, told) = finding(&admin).await;
    assert_eq!(kind, "container_gone", "{told:#}");
    let app = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert_eq!(
        app["state"], "running",
        "only people and operations change it"
    );
    assert!(app["attention"].is_string(), "{app:#}");
    admin.done("uptime-kuma", "delete").await;
    assert!(findings(&admin).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn edits_by_hand_stay_and_a_lost_proof_stops_everything() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let vmid = deployed(&admin).await;
    let (_, before) = own(&world).await;
    let edited = json!({"config": {"memory": "1024", "tags": "mine;proximity;uptime-kuma", "hostname": "renamed", "mp0": "/srv/media,mp=/media"}});
    change(&world, vmid, edited).await;
    admin.done("uptime-kuma", "restart").await;
    let (_, after) = own(&world).await;
    for (key, value) in [
        ("tags", "mine;proximity;uptime-kuma"),
        ("hostname", "renamed"),
        ("mp0", "/srv/media,mp=/media"),
    ] {
        assert_eq!(after["config"][key], value);
    }
    assert_eq!(after["config"]["memory"], 1024);
    assert!(findings(&admin).await.is_empty());

    change(
        &world,
        vmid,
        json!({"config": {"description": "my notes", "hostname": "uptime-kuma"}}),
    )
    .await;
    let (kind, told) = finding(&admin).await;
    assert_eq!(kind, "proof_missing", "{told:#}");
    let operation = admin.begin("uptime-kuma", "stop").await;
    let done = admin.finished(&operation).await;
    assert_eq!(done["error"]["code"], "container_missing", "{done:#}");
    assert_eq!(own(&world).await.1["status"], "running");
    // Put back as the hint says, all is well again.
    let description = &before["config"]["description"];
    change(
        &world,
        vmid,
        json!({"config": {"description": description}}),
    )
    .await;
    assert!(findings(&admin).await.is_empty());
    let app = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert!(app.get("attention").is_none(), "{app:#}");
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}

#[tokio::test]
async fn a_look_reports_power_and_concludes_nothing_of_a_node_that_is_silent() {
    let world = World::new().nodes(3).start().await;
    let admin = world.admin().await;
    let app = admin
        .deployed(json!({"catalog_id": "uptime-kuma", "node": "pve3"}))
        .await;
    let vmid = app["vmid"].as_u64().unwrap();
    change(&world, vmid, json!({"running": false})).await;
    assert_eq!(finding(&admin).await.0, "power_differs");
    let shown = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert!(shown["attention"].is_string(), "{shown:#}");
    assert_eq!(own(&world).await.1["status"], "stopped", "it only looks");
    admin.done("uptime-kuma", "start").await;
    assert!(findings(&admin).await.is_empty());

    let offline = sim::control::NodeChange {
        online: Some(false),
        ..Default::default()
    };
    world.cluster().change_node("pve3", &offline).await.unwrap();
    let (kind, told) = finding(&admin).await;
    assert_eq!(kind, "container_unseen", "{told:#}");
    let shown = admin.get("/api/v1/apps/uptime-kuma").await.body;
    assert!(shown.get("attention").is_none(), "{shown:#}");
    let online = sim::control::NodeChange {
        online: Some(true),
        ..Default::default()
    };
    world.cluster().change_node("pve3", &online).await.unwrap();
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}
