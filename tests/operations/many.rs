//! Many at once: nobody is promised what another has, nobody waits for ever, and limits hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use serde_json::{Value, json};

use crate::world::{Actor, PATIENCE, World};

/// Asks for deployments and answers operations with their apps.
async fn deployed(
    admin: &Actor,
    count: usize,
    body: impl Fn(usize) -> Value,
) -> Vec<(String, String)> {
    let asked = (0..count).map(|number| admin.deploy(body(number)));
    futures::future::join_all(asked).await
}

/// All rows of a list.
async fn every(admin: &Actor, path: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}?limit=200{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        rows.extend(page.body["items"].as_array().expect("a page").clone());
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// Waits until `count` operations are completed, for as long as one more is every now and then.
async fn all_completed(admin: &Actor, count: usize) {
    let (mut deadline, mut left) = (Instant::now() + PATIENCE, u64::MAX);
    loop {
        let status = admin.get("/api/v1/status").await.body;
        let live = &status["operations"];
        assert_eq!(
            (&live["stuck"], &live["unwinding"]),
            (&json!(0), &json!(0)),
            "{status}"
        );
        if live["queued"] == 0 && live["running"] == 0 {
            break;
        }
        let now = live["queued"].as_u64().unwrap() + live["running"].as_u64().unwrap();
        if now < left {
            (deadline, left) = (Instant::now() + PATIENCE, now);
        }
        assert!(Instant::now() < deadline, "no more of them end: {status}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let done = every(admin, "/api/v1/operations").await;
    let completed = done
        .iter()
        .filter(|row| row["status"] == "completed")
        .count();
    assert_eq!(
        completed,
        count,
        "{:#?}",
        done.iter().find(|row| row["status"] != "completed")
    );
}

/// Every app is where the cluster has it, on a number of its own, and no node was promised more than it has.
async fn is_sound(world: &World, admin: &Actor, count: usize) -> BTreeMap<String, usize> {
    let apps = every(admin, "/api/v1/apps").await;
    assert_eq!(apps.len(), count);
    let numbers: BTreeSet<u64> = apps.iter().filter_map(|app| app["vmid"].as_u64()).collect();
    assert_eq!(numbers.len(), count, "a number of its own for each");
    let there: BTreeMap<u64, String> = world.containers().await.into_iter().collect();
    let mut by_node: BTreeMap<String, usize> = BTreeMap::new();
    for app in &apps {
        let (vmid, node) = (app["vmid"].as_u64().unwrap(), app["node"].as_str().unwrap());
        assert_eq!(there[&vmid], node, "{app:#}");
        *by_node.entry(node.to_owned()).or_default() += 1;
    }
    assert_eq!(there.len(), count);
    for node in admin.get("/api/v1/nodes").await.body["items"]
        .as_array()
        .expect("nodes")
    {
        let bytes = |name: &str| node[name].as_u64().unwrap();
        assert!(
            bytes("memory_used") + bytes("memory_promised") <= bytes("memory_total"),
            "overbooked: {node:#}"
        );
    }
    by_node
}

#[tokio::test]
async fn fifty_at_once_are_spread_and_nobody_is_promised_what_another_has() {
    let world = World::new().nodes(5).start().await;
    let admin = world.admin().await;
    let free = |node: &Value| {
        node["memory_total"].as_u64().unwrap() - node["memory_used"].as_u64().unwrap()
    };
    let room: u64 = admin.get("/api/v1/nodes").await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(free)
        .sum();
    // As much as fits in all with a tenth to spare: on fewer nodes it could not be.
    let memory = room * 8 / 10 / 50 / (1 << 20) * (1 << 20);
    deployed(&admin, 50, |number| {
        json!({"catalog_id": "memos", "name": format!("memos {number}"), "resources": {"memory": memory.min(2 << 30)}})
    })
    .await;
    all_completed(&admin, 50).await;
    let by_node = is_sound(&world, &admin, 50).await;
    assert_eq!(by_node.len(), 5, "{by_node:?}");
    world.end().await;
}

#[tokio::test]
async fn a_busy_node_holds_up_only_its_own_work_and_a_stop_is_let_past() {
    let world = World::new()
        .nodes(2)
        .set("PROXIMITY_WORKERS", "3")
        .set("PROXIMITY_WORKERS_PER_NODE", "2")
        .start()
        .await;
    let admin = world.admin().await;
    let old = admin
        .deployed(json!({"catalog_id": "memos", "name": "old", "node": "pve1"}))
        .await;
    world.fault(json!({"on": "pull", "do": "hang", "node": "pve1"}));
    let hung = deployed(
        &admin,
        4,
        |number| json!({"catalog_id": "memos", "name": format!("hung {number}"), "node": "pve1"}),
    )
    .await;
    // Two are at work on pve1, the others wait for it without a worker, and say so.
    let mut waits = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while waits.len() < 2 {
        assert!(Instant::now() < deadline, "nobody waits for pve1");
        waits.clear();
        for (operation, _) in &hung {
            let now = admin
                .get(&format!("/api/v1/operations/{operation}"))
                .await
                .body;
            if now["waiting"] == "2 operations are at work on pve1, the most that it may have." {
                waits.push(operation.clone());
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let listed = every(&admin, "/api/v1/operations").await;
    let told = listed.iter().filter(|row| {
        row["waiting"]
            .as_str()
            .is_some_and(|text| text.contains("pve1"))
    });
    assert_eq!(told.count(), 2, "lists say it, too");
    // Work for the other node goes past them, and so does a stop on the busy one.
    admin
        .deployed(json!({"catalog_id": "memos", "name": "free", "node": "pve2"}))
        .await;
    admin.done(old["id"].as_str().unwrap(), "stop").await;
    // A cancel of one that waits is heard, too.
    let cancel = format!("/api/v1/operations/{}/cancel", waits[0]);
    assert_eq!(admin.post(&cancel, json!({})).await.status, 202);
    assert_eq!(
        admin.finished(&waits[0]).await["error"]["code"],
        "cancelled"
    );
    world.faults(Vec::new());
    for (operation, _) in hung.iter().filter(|(operation, _)| *operation != waits[0]) {
        assert_eq!(admin.finished(operation).await["status"], "completed");
    }
    world.end().await;
}
