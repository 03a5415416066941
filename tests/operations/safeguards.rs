//! One test for each safeguard that only a rare moment needs. `scripts/safeguards` takes each safeguard out and
//! expects its tests to fail.

use serde_json::{Value, json};

use super::world;
use crate::world::World;

#[tokio::test]
async fn a_step_that_is_cancelled_in_its_middle_is_undone_itself() {
    let world = world().start().await;
    let admin = world.admin().await;
    // The task goes on without us, and would end well.
    world.fault(json!({"on": "create_container", "do": "hang_in_task"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| is_running(now, "create_container"))
        .await;
    has_containers(&world, 1).await;
    let path = format!("/api/v1/operations/{operation}/cancel");
    assert_eq!(admin.post(&path, json!({})).await.status, 202);
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "unwound", "{done:#}");
    world.faults(Vec::new());
    assert_eq!(world.containers().await, []);
    world.end().await;
}

#[tokio::test]
async fn the_number_is_written_down_before_anything_is_created_under_it() {
    let mut world = world().set("PROXIMITY_LEASE", "3s").start().await;
    let admin = world.admin().await;
    // Somebody else is quicker; the create under the next number is under way when the program dies.
    world.faults(vec![
        json!({"on": "create_container", "do": "refuse", "times": 1,
               "message": "unable to create CT 101 - CT 101 already exists on node 'pve1'"}),
        json!({"on": "create_container", "do": "hang_in_task"}),
    ]);
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    admin
        .until(&operation, |now| is_running(now, "create_container"))
        .await;
    has_containers(&world, 1).await;
    let driver = world.driver(&operation);
    world.replica(driver).kill();
    world.faults(Vec::new());
    world.replica(driver).launch().await;
    let admin = admin.at(world.replica(driver).url());
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(
        world.containers().await.len(),
        1,
        "a container was forgotten"
    );
    world.end().await;
}

#[tokio::test]
async fn a_container_with_our_number_and_another_nonce_is_not_destroyed() {
    let world = world().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    let vmid = app["vmid"].as_u64().unwrap();
    let mine = description(&world, vmid).await;
    let number = u32::try_from(vmid).unwrap();
    assert!(world.cluster().destroy_by_hand(number).await);
    // The number is handed out again: to another installation of ours, which even knows this app.
    let theirs = mine.replace(mine.split(' ').next_back().unwrap(), "0123456789abcdef");
    create_by_hand(&world, vmid, app["node"].as_str().unwrap(), &theirs).await;

    admin.done("uptime-kuma", "delete").await;
    assert_eq!(description(&world, vmid).await, theirs, "it is theirs");
    assert!(world.cluster().destroy_by_hand(number).await);
    world.end().await;
}

/// Waits until the cluster has so many containers more than at the start.
async fn has_containers(world: &World, count: usize) {
    let deadline = std::time::Instant::now() + crate::world::PATIENCE;
    while world.containers().await.len() != count {
        assert!(std::time::Instant::now() < deadline, "no create begins");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn description(world: &World, vmid: u64) -> String {
    let state = world.cluster().state().await;
    let mut rows = state["containers"].as_array().unwrap().iter();
    let row = rows.find(|row| row["vmid"] == vmid).expect("it is there");
    let text = row["config"]["description"].as_str().unwrap();
    text.trim_end().to_owned()
}

/// Creates a container as an administrator would, past the program.
async fn create_by_hand(world: &World, vmid: u64, node: &str, description: &str) {
    let cluster = world.cluster();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let state = cluster.state().await;
    let storages = state["storages"].as_array().unwrap();
    let template = { storages.iter().filter(|row| row["node"] == node) }.find_map(|row| {
        row["templates"][0]
            .as_str()
            .map(|name| (&row["storage"], name))
    });
    let (storage, template) = template.expect("a template");
    let template = format!("{}:vztmpl/{template}", storage.as_str().unwrap());
    let form = [
        ("vmid", vmid.to_string()),
        ("ostemplate", template),
        ("rootfs", "local-lvm:4".to_owned()),
        ("hostname", "theirs".to_owned()),
        ("description", description.to_owned()),
        ("unprivileged", "1".to_owned()),
    ];
    let token = format!("PVEAPIToken={}={}", cluster.token_id, cluster.token_secret);
    let url = format!("https://{}/api2/json/nodes/{node}/lxc", cluster.api);
    let request = client.post(url).header("authorization", token).form(&form);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    assert!(
        status.is_success(),
        "{status}: {}",
        answer.text().await.unwrap()
    );
    has_containers(world, 1).await;
}

fn is_running(operation: &Value, step: &str) -> bool {
    let steps = operation["steps"].as_array().expect("steps");
    { steps.iter() }.any(|row| row["name"] == step && row["status"] == "running")
}
