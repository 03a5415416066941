//! What goes wrong, by itself or because it was asked to.

use crate::support::{ALPINE, World, three};
use serde_json::{Value, json};
use sim::control::NodeChange;
use sim::faults::{Action, Rule};

#[tokio::test]
async fn a_lost_answer_is_not_a_lost_call() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let lost = Rule::new("create_container", Action::AnswerLost).times(1);
    world.running.set_faults(vec![lost]).unwrap();
    let reply = world.create(&root, "pve1", "101", &[]).await;
    assert_eq!(
        (reply.status, reply.reason.as_str()),
        (596, "Connection timed out")
    );
    world.running.settled().await;
    assert_eq!(world.guests.count(), 1);
    let reply = world.create(&root, "pve1", "101", &[]).await;
    assert_eq!(reply.reason, "CT 101 already exists on node 'pve1'");

    let rules = vec![
        Rule::new("create_container", Action::LostBefore).times(1),
        Rule::new("version", Action::Cut).times(1),
    ];
    world.running.set_faults(rules).unwrap();
    assert_eq!(world.create(&root, "pve1", "103", &[]).await.status, 596);
    world.running.settled().await;
    assert_eq!(world.guests.count(), 1);
    assert!(world.try_call(&root, "GET", "/version", &[]).await.is_err());
    assert_eq!(world.get(&root, "/version").await.status, 200);
}

#[tokio::test]
async fn a_hanging_call_goes_on_when_the_faults_are_cleared() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let hang = Rule::new("resources", Action::Hang);
    world.running.set_faults(vec![hang]).unwrap();
    let call = world.get(&root, "/cluster/resources");
    tokio::pin!(call);
    let short = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(short, &mut call).await.is_err());
    world.running.set_faults(vec![]).unwrap();
    assert_eq!(call.await.status, 200);
}

#[tokio::test]
async fn a_failed_creation_leaves_nothing() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let fail = Rule::new("create_container", Action::FailInTask)
        .node("pve1")
        .message("tar: broken");
    world.running.set_faults(vec![fail]).unwrap();
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    let exit = world.finish(&root, &upid).await;
    assert_eq!(exit, "unable to create CT 101 - tar: broken");
    // A template that is not on this node is only noticed in the task.
    let upid = world.create(&root, "pve2", "101", &[]).await.text();
    let exit = world.finish(&root, &upid).await;
    assert_eq!(
        exit,
        format!("unable to create CT 101 - volume 'local:vztmpl/{ALPINE}' does not exist")
    );
    assert_eq!(world.guests.count(), 0);
    assert_eq!(world.get(&root, "/cluster/nextid").await.data(), "101");
}

#[tokio::test]
async fn a_creation_can_be_interrupted_or_die_with_its_node() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let hang = Rule::new("create_container", Action::HangInTask);
    world.running.set_faults(vec![hang]).unwrap();
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    let config = world.get(&root, "/nodes/pve1/lxc/101/config").await.data();
    assert_eq!(config["lock"], "create");
    assert_eq!(
        config["hostname"],
        Value::Null,
        "only the lock is there so early"
    );
    let path = "/nodes/pve1/lxc/101";
    let reply = world.call(&root, "DELETE", path, &[("force", "1")]).await;
    assert_eq!(reply.reason, "CT is locked (create)");
    let rows = world.get(&root, "/nodes/pve1/tasks").await.data();
    assert_eq!(rows, json!([]), "running tasks are not in the archive");
    let rows = world
        .get(&root, "/nodes/pve1/tasks?source=active")
        .await
        .data();
    assert_eq!(rows[0]["status"], "RUNNING");
    let task = format!("/nodes/pve1/tasks/{upid}");
    assert_eq!(world.call(&root, "DELETE", &task, &[]).await.status, 200);
    let exit = world.finish(&root, &upid).await;
    assert_eq!(exit, "unable to create CT 101 - interrupted by signal");
    assert_eq!(world.get(&root, "/cluster/nextid").await.data(), "101");

    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    let crash = NodeChange {
        crash: true,
        ..NodeChange::default()
    };
    world.running.change_node("pve1", &crash).await.unwrap();
    assert_eq!(world.finish(&root, &upid).await, "unexpected status");
    let state = world.running.state().await;
    assert_eq!(state["locks"]["101"], "create");
    let argv = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let cluster = world.running.cluster();
    assert_eq!(
        sim::pct::run(cluster, "pve1", &argv(&["unlock", "101"]))
            .await
            .code,
        0
    );
    assert_eq!(
        sim::pct::run(cluster, "pve1", &argv(&["destroy", "101"]))
            .await
            .code,
        0
    );
    assert_eq!(world.running.state().await["containers"], json!([]));
}

#[tokio::test]
async fn an_offline_node_takes_no_calls() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let body = json!({ "online": false });
    let url = world.url("/sim/nodes/pve1");
    let reply = world.http.put(url).json(&body).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 204);
    let reply = world.get(&root, "/nodes/pve1/lxc/101/config").await;
    assert_eq!(
        (reply.status, reply.reason.as_str()),
        (595, "No route to host")
    );
    let rows = world.get(&root, "/cluster/resources").await.data();
    let row = |id: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    assert_eq!(row("node/pve1")["status"], "offline");
    assert_eq!(row("node/pve1")["mem"], Value::Null);
    assert_eq!(row("lxc/101")["status"], "unknown");
    assert_eq!(row("storage/pve1/local-lvm")["status"], "unknown");
    assert_eq!(row("node/pve2")["status"], "online");
    let offline = NodeChange {
        online: Some(false),
        ..NodeChange::default()
    };
    world.running.change_node("pve2", &offline).await.unwrap();
    let reply = world.create(&root, "pve3", "103", &[]).await;
    assert_eq!(reply.reason, "cluster not ready - no quorum?");
}

#[tokio::test]
async fn a_bridge_that_is_missing_fails_the_start() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let more = [("net0", "name=eth0,bridge=vmbr9,ip=dhcp"), ("start", "1")];
    let upid = world.create(&root, "pve1", "101", &more).await.text();
    assert_eq!(
        world.finish(&root, &upid).await,
        "OK",
        "the start is a task of its own"
    );
    let rows = world
        .get(&root, "/nodes/pve1/tasks?typefilter=vzstart")
        .await
        .data();
    assert_eq!(rows[0]["status"], "startup for container '101' failed");
    let tasks = world.running.state().await["tasks"].to_string();
    assert!(tasks.contains("bridge 'vmbr9' does not exist"));
}

#[tokio::test]
async fn faults_and_state_over_http() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let faults = json!({ "faults": [
        { "on": "start_container", "do": "refuse", "times": 1, "message": "no" },
        { "on": "version", "do": "forbidden" },
        { "on": "storages", "do": "unauthorized", "message": "ticket expired" },
    ]});
    let url = world.url("/sim/faults");
    let reply = world.http.put(&url).json(&faults).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(world.get(&root, "/version").await.status, 403);
    let reply = world.get(&root, "/nodes/pve1/storage").await;
    assert_eq!(
        (reply.status, reply.reason.as_str()),
        (401, "ticket expired")
    );
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let start = "/nodes/pve1/lxc/101/status/start";
    assert_eq!(world.call(&root, "POST", start, &[]).await.reason, "no");
    assert_eq!(world.call(&root, "POST", start, &[]).await.status, 200);
    world.running.settled().await;
    let wrong = json!({ "faults": [{ "on": "nowhere", "do": "refuse" }] });
    let reply = world.http.put(&url).json(&wrong).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 400);
    let state: Value = world
        .http
        .get(world.url("/sim/state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let container = &state["containers"][0];
    assert_eq!(container["vmid"], 101);
    assert_eq!(container["status"], "running");
    assert_eq!(container["template"], ALPINE);
    assert_eq!(container["config"]["hostname"], "whoami");
    let url = world.url("/sim/containers/101");
    let reply = world.http.delete(&url).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 204);
    assert_eq!(world.guests.count(), 0);
    let reply = world.http.delete(&url).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 404);
}
