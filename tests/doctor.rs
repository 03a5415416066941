//! The doctor against a cluster on which one thing after another is amiss.

use std::process::Command;

use serde_json::{Value, json};
use sim::{Templates, control::NodeChange};

use crate::world::{Actor, PASSWORD, World};

/// What the doctor finds.
async fn checkup(admin: &Actor) -> Value {
    let answer = admin.get("/api/v1/doctor").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// State, node and name of all that is neither well nor passed over.
fn amiss(checkup: &Value) -> Vec<(String, String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or("-").to_owned();
    let checks = checkup["checks"].as_array().expect("a list");
    let bad = checks
        .iter()
        .filter(|check| matches!(check["state"].as_str(), Some("failed" | "warning")));
    bad.map(|check| {
        assert!(
            check["hint"].as_str().is_some_and(|hint| hint.len() > 10) || check["name"] == "node",
            "a finding without a hint: {check:#}"
        );
        (
            text(check, "state"),
            text(check, "node"),
            text(check, "name"),
        )
    })
    .collect()
}

/// Expects exactly one thing to be amiss, and answers it.
async fn only(admin: &Actor, state: &str, node: &str, name: &str) -> Value {
    let checkup = checkup(admin).await;
    let expected = (state.to_owned(), node.to_owned(), name.to_owned());
    assert_eq!(amiss(&checkup), [expected], "{checkup:#}");
    find(&checkup, name, state)
}

fn find(checkup: &Value, name: &str, state: &str) -> Value {
    let checks = checkup["checks"].as_array().expect("a list");
    let found = checks
        .iter()
        .find(|check| check["name"] == name && check["state"] == state);
    found
        .unwrap_or_else(|| panic!("no {state} {name} in {checkup:#}"))
        .clone()
}

/// The command as a person types it: exit code, output, messages.
async fn typed(world: &mut World, admin: &Actor, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proximity"));
    command
        .args(arguments)
        .env_clear()
        .env("PROXIMITY_URL", world.service().url())
        .env("PROXIMITY_TOKEN", admin.token());
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs"))
        .await
        .expect("no panic");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[tokio::test]
async fn a_cluster_that_has_everything_is_well() {
    let mut world = World::new().nodes(2).start().await;
    let admin = world.admin().await;
    let found = checkup(&admin).await;
    assert_eq!(found["state"], "ok", "{found:#}");
    let checks = found["checks"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["state"] == "ok"),
        "{found:#}"
    );
    for (name, times) in [
        ("database", 1),
        ("data_folder", 1),
        ("api_reachable", 1),
        ("certificate", 1),
        ("login", 1),
        ("version", 1),
        ("privileges", 1),
        ("quorum", 1),
        ("vmids", 1),
        ("features", 1),
        ("node", 2),
        ("container_storage", 2),
        ("template_storage", 2),
        ("template", 2),
        ("bridge", 2),
        ("ssh_reachable", 2),
        ("ssh_host_key", 2),
        ("ssh_login", 2),
        ("pct", 2),
        ("lxc_pve", 2),
        ("clock", 2),
    ] {
        let count = checks.iter().filter(|check| check["name"] == name).count();
        assert_eq!(count, times, "{name} in {found:#}");
    }
    let (code, out, err) = typed(&mut world, &admin, &["doctor"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        err.contains("Everything that a deployment needs is there."),
        "{err}"
    );
    let (_, out, _) = typed(&mut world, &admin, &["--output", "json", "doctor"]).await;
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["state"], "ok");
    let stranger = world.stranger().get("/api/v1/doctor").await;
    assert_eq!(stranger.status, 401);
    world.end().await;
}

#[tokio::test]
async fn what_one_of_two_nodes_lacks_is_a_warning() {
    let world = World::new()
        .nodes(2)
        .templates(Templates::Nowhere)
        .start()
        .await;
    let admin = world.admin().await;
    let node = async |change: NodeChange| {
        let cluster = world.cluster().cluster();
        cluster.change_node("pve2", &change).await.unwrap();
    };
    let online = async |online| {
        node(NodeChange {
            online: Some(online),
            ..NodeChange::default()
        })
        .await;
    };
    let maintenance = async |maintenance| {
        node(NodeChange {
            maintenance: Some(maintenance),
            ..NodeChange::default()
        })
        .await;
    };
    maintenance(true).await;
    let finding = only(&admin, "warning", "pve2", "node").await;
    assert_eq!(
        finding["message"],
        "The node is in maintenance. Apps go to other nodes."
    );
    maintenance(false).await;

    online(false).await;
    let found = checkup(&admin).await;
    let finding = find(&found, "node", "warning");
    assert_eq!(
        finding["message"],
        "The node does not answer the cluster. Apps go to other nodes."
    );
    let finding = find(&found, "quorum", "failed");
    assert_eq!(finding["evidence"], json!(["nodes that are away: pve2"]));
    online(true).await;

    world.fault(json!({"on": "template_index", "do": "refuse", "node": "pve2"}));
    let finding = only(&admin, "warning", "pve2", "template").await;
    assert!(
        finding["hint"].as_str().unwrap().contains("pveam update"),
        "{finding}"
    );
    world.faults(Vec::new());

    for (storages, name) in [
        (&["local-lvm", "nfs"][..], "container_storage"),
        (&["local", "nfs"], "template_storage"),
    ] {
        let set = async |enabled| {
            let change = |name: &&str| {
                let change = json!({"enabled": enabled});
                ((*name).to_owned(), serde_json::from_value(change).unwrap())
            };
            let storages = storages.iter().map(change).collect();
            node(NodeChange {
                storages,
                ..NodeChange::default()
            })
            .await;
        };
        set(false).await;
        let names: Vec<_> = amiss(&checkup(&admin).await)
            .into_iter()
            .map(|(_, _, name)| name)
            .collect();
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
        set(true).await;
    }
    let found = checkup(&admin).await;
    assert_eq!(found["state"], "ok", "{found:#}");
    world.end().await;
}

#[tokio::test]
async fn what_ssh_meets_is_told_node_by_node() {
    let mut world = World::new().nodes(2).start().await;
    let admin = world.admin().await;
    let version = async |version: &str| {
        let change = NodeChange {
            lxc_pve: Some(version.to_owned()),
            ..NodeChange::default()
        };
        world
            .cluster()
            .cluster()
            .change_node("pve1", &change)
            .await
            .unwrap();
    };
    version("6.0.5-1").await;
    let finding = only(&admin, "failed", "pve1", "lxc_pve").await;
    assert!(
        finding["hint"].as_str().unwrap().contains("6.0.5-2"),
        "{finding}"
    );
    version("6.0.5-3").await;

    world.fault(json!({"on": "ssh_connect", "do": "refuse", "node": "pve2"}));
    // A connection that was kept is as good as ever; the program must make a new one.
    world.service().stop().await;
    world.service().launch().await;
    let admin = admin.at(world.service().url());
    only(&admin, "failed", "pve2", "ssh_reachable").await;
    let (code, out, err) = typed(&mut world, &admin, &["doctor"]).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("ssh_reachable on pve2: "), "{out}");
    assert!(err.contains("1 of "), "{err}");
    world.end().await;
}

/// One test a row: a setting that is wrong, and the one thing that the doctor then finds.
macro_rules! wrong_settings {
    ($($name:ident: $setting:literal = $value:expr => $state:literal, $node:literal, $check:literal, $words:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let world = World::new().set($setting, $value).start().await;
            let admin = world.admin().await;
            let finding = only(&admin, $state, $node, $check).await;
            let message = finding["message"].as_str().unwrap();
            assert!(message.contains($words), "{message}");
            world.end().await;
        }
    )*};
}

const OTHER_KEY: &str =
    "pve1=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfgSnCXy5GJvlFZ7Q4Zx8WXQd0xJ6CEpBvYcSZQO6Ad";

wrong_settings! {
    another_certificate: "PROXMOX_FINGERPRINT" = &["AA"; 32].join(":") => "failed", "-", "certificate",
        "shows another certificate than the one that is trusted.";
    a_port_where_nobody_listens: "PROXMOX_PORT" = "1" => "failed", "-", "api_reachable", "127.0.0.1:1 does not answer.";
    a_wrong_password: "PROXMOX_PASSWORD" = "hunter22" => "failed", "-", "login", "does not let `root@pam` in.";
    a_wrong_ssh_password: "PROXMOX_SSH_PASSWORD" = "hunter22" => "failed", "pve1", "ssh_login", "refuses the SSH login";
    another_host_key: "PROXMOX_SSH_HOST_KEYS" = OTHER_KEY => "failed", "pve1", "ssh_host_key", "another SSH host key";
    a_bridge_that_is_not_there: "PROXMOX_BRIDGE" = "vmbr9" => "failed", "pve1", "bridge", "no active bridge `vmbr9`";
    a_storage_that_is_not_there: "PROXMOX_STORAGE" = "ceph" => "failed", "pve1", "container_storage", "`ceph` (PROXMOX_STORAGE)";
    a_range_that_is_taken: "PROXMOX_VMID_RANGE" = "100-100" => "failed", "-", "vmids", "None of the numbers 100 to 100 is free.";
    a_range_that_is_small: "PROXMOX_VMID_RANGE" = "100-105" => "warning", "-", "vmids", "Only 4 of the numbers";
}

#[tokio::test]
async fn a_second_host_that_is_away_is_a_warning() {
    // Nobody listens there: the first host answers for the cluster.
    let world = World::new()
        .set("PROXMOX_HOST", "127.0.0.1,127.0.0.1:1")
        .start()
        .await;
    let admin = world.admin().await;
    only(&admin, "warning", "-", "api_reachable").await;
    world.end().await;
}

#[tokio::test]
async fn each_missing_privilege_is_named_with_what_it_is_for() {
    let world = World::new()
        .by_token_of("proximity@pve!limited")
        .start()
        .await;
    let admin = world.stranger().login("admin", PASSWORD).await;
    let found = checkup(&admin).await;
    let messages: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["name"] == "privileges" && check["state"] == "failed")
        .map(|check| check["message"].as_str().unwrap())
        .collect();
    assert!(
        messages.contains(
            &"`proximity@pve!limited` lacks `VM.Allocate` on `/vms`, which is needed for creating and destroying containers."
        ),
        "{messages:#?}"
    );
    // It may look: those that looking needs are not among them.
    assert_eq!(messages.len(), 10, "{messages:#?}");
    world.end().await;
    let world = World::new()
        .by_token_of("proximity@pve!deploy")
        .start()
        .await;
    let admin = world.admin().await;
    let found = checkup(&admin).await;
    assert_eq!(amiss(&found), [], "{found:#}");
    let features = find(&found, "features", "ok");
    assert!(
        features["message"]
            .as_str()
            .unwrap()
            .ends_with("it is set over SSH."),
        "{features}"
    );
    world.end().await;
}
