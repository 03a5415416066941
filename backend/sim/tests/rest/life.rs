//! What a container and its surroundings go through when all is well.

use crate::support::{ALPINE, World, three};
use serde_json::{Value, json};
use sim::control::{NodeChange, StorageChange};

#[tokio::test]
async fn a_container_lives_and_dies() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let free = world.get(&root, "/cluster/nextid").await.data();
    assert_eq!(
        free, "101",
        "100 is taken, and the number comes as a string"
    );

    let more = [
        ("tags", "Whoami;proximity"),
        ("description", "nonce 1"),
        ("features", "nesting=1,keyctl=1"),
        ("memory", "256"),
    ];
    let upid = world.create(&root, "pve1", "101", &more).await.text();
    assert!(upid.starts_with("UPID:pve1:") && upid.ends_with(":vzcreate:101:root@pam:"));
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let log = world
        .get(&root, &format!("/nodes/pve1/tasks/{upid}/log?limit=0"))
        .await;
    let lines = log.body["data"].as_array().unwrap();
    assert_eq!(log.body["total"], lines.len());
    assert_eq!(lines.last().unwrap()["t"], "TASK OK");
    assert!(lines.iter().any(|line| line["t"] == "unpacked"));

    let config = world.get(&root, "/nodes/pve1/lxc/101/config").await.data();
    assert_eq!(config["tags"], "proximity;whoami");
    assert_eq!(config["description"], "nonce 1\n");
    assert_eq!(config["rootfs"], "local-lvm:vm-101-disk-0,size=8G");
    assert_eq!(config["memory"], 256);
    assert_eq!(config["lock"], Value::Null);
    let net = config["net0"].as_str().unwrap();
    assert!(
        net.starts_with("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:"),
        "{net}"
    );
    assert!(world.guests.spec(101).keyctl);

    let interfaces = "/nodes/pve1/lxc/101/interfaces";
    assert_eq!(world.get(&root, interfaces).await.data(), Value::Null);
    let start = "/nodes/pve1/lxc/101/status/start";
    let upid = world.call(&root, "POST", start, &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let again = world.call(&root, "POST", start, &[]).await;
    assert_eq!(
        (again.status, again.reason.as_str()),
        (500, "CT 101 already running")
    );
    let found = world.get(&root, interfaces).await.data();
    assert_eq!(found[0]["inet"], "10.0.0.7/24");
    assert_eq!(found[0]["ip-addresses"][0]["prefix"], "24");
    let status = world
        .get(&root, "/nodes/pve1/lxc/101/status/current")
        .await
        .data();
    assert_eq!(
        (&status["status"], &status["mem"]),
        (&json!("running"), &json!(20_000_000))
    );

    let path = "/nodes/pve1/lxc/101";
    let reply = world.call(&root, "DELETE", path, &[("purge", "1")]).await;
    assert_eq!(
        reply.reason,
        "unable to destroy CT 101 - container is running"
    );
    let form = [("force", "1"), ("purge", "1")];
    let upid = world.call(&root, "DELETE", path, &form).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    assert_eq!(world.guests.count(), 0);
    assert_eq!(world.get(&root, "/cluster/nextid").await.data(), "101");
}

#[tokio::test]
async fn taken_numbers_are_refused() {
    let world = World::new(three()).await;
    let root = world.root().await;
    for (vmid, text) in [
        ("100", "VM 100 already exists on node 'pve1'"),
        ("102", "CT 102 already exists on node 'pve1'"),
    ] {
        let reply = world.create(&root, "pve2", vmid, &[]).await;
        assert_eq!((reply.status, reply.reason.as_str()), (500, text));
        let reply = world
            .get(&root, &format!("/cluster/nextid?vmid={vmid}"))
            .await;
        assert_eq!(reply.status, 400);
        assert_eq!(
            reply.body["errors"]["vmid"],
            format!("VM {vmid} already exists")
        );
    }
    // Two callers with the same number at the same time: one wins.
    let (a, b) = tokio::join!(
        world.create(&root, "pve1", "101", &[]),
        world.create(&root, "pve2", "101", &[])
    );
    let mut both = [a.status, b.status];
    both.sort_unstable();
    assert_eq!(both, [200, 500]);
}

#[tokio::test]
async fn templates_are_downloaded() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let content = "/nodes/pve2/storage/local/content?content=vztmpl";
    assert_eq!(world.get(&root, content).await.data(), json!([]));
    let offers = world.get(&root, "/nodes/pve2/aplinfo").await.data();
    assert!(
        offers
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["template"] == ALPINE)
    );
    let path = "/nodes/pve2/aplinfo";
    let form = [("storage", "local"), ("template", "nothing.tar.xz")];
    let reply = world.call(&root, "POST", path, &form).await;
    assert_eq!(reply.body["errors"]["template"], "no such template");
    let form = [("storage", "local"), ("template", ALPINE)];
    for _ in 0..2 {
        let upid = world.call(&root, "POST", path, &form).await.text();
        assert!(upid.contains(":download::root@pam:"));
        assert_eq!(world.finish(&root, &upid).await, "OK");
    }
    let rows = world.get(&root, content).await.data();
    assert_eq!(rows[0]["volid"], format!("local:vztmpl/{ALPINE}"));
    let upid = world.create(&root, "pve2", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
}

#[tokio::test]
async fn storages_say_what_they_hold_and_fill_up() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let list = "/nodes/pve1/storage?content=rootdir&enabled=1";
    let rows = world.get(&root, list).await.data();
    let names: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["storage"])
        .collect();
    assert_eq!(names, ["local-lvm", "nfs"]);
    let reply = world
        .create(&root, "pve1", "101", &[("rootfs", "local:8")])
        .await;
    assert_eq!(
        reply.body["errors"]["storage"],
        "storage 'local' does not support container directories"
    );
    let full = StorageChange {
        used: Some(u64::MAX),
        ..StorageChange::default()
    };
    let change = NodeChange {
        storages: [("local-lvm".to_owned(), full)].into(),
        ..NodeChange::default()
    };
    world.running.change_node("pve1", &change).await.unwrap();
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    let exit = world.finish(&root, &upid).await;
    assert!(exit.contains("Cannot create new thin volume"), "{exit}");
    let upid = world
        .create(&root, "pve1", "101", &[("rootfs", "nfs:8")])
        .await
        .text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
}

#[tokio::test]
async fn configuration_changes_are_guarded() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let path = "/nodes/pve1/lxc/101/config";
    let old = world.get(&root, path).await.data()["digest"].clone();
    let old = old.as_str().unwrap();
    let form = [("protection", "1"), ("digest", old)];
    assert_eq!(
        world.call(&root, "PUT", path, &form).await.data(),
        Value::Null
    );
    let reply = world
        .call(&root, "PUT", path, &[("memory", "64"), ("digest", old)])
        .await;
    assert!(reply.reason.starts_with("detected modified configuration"));
    let reply = world
        .call(&root, "PUT", path, &[("unprivileged", "0")])
        .await;
    assert!(reply.reason.contains("read-only option"));
    let reply = world
        .call(&root, "DELETE", "/nodes/pve1/lxc/101", &[])
        .await;
    assert_eq!(
        reply.reason,
        "can't remove CT 101 - protection mode enabled"
    );
    let reply = world
        .call(&root, "PUT", path, &[("delete", "protection")])
        .await;
    assert_eq!(reply.status, 200);
    let stop = "/nodes/pve1/lxc/101/status/stop";
    let reply = world.call(&root, "POST", stop, &[]).await;
    assert_eq!(reply.reason, "CT 101 not running");
}

#[tokio::test]
async fn a_modelled_guest_gets_an_address_and_goes() {
    let world = World::modelled(three()).await;
    let root = world.root().await;
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let start = "/nodes/pve1/lxc/101/status/start";
    let upid = world.call(&root, "POST", start, &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let address = loop {
        let path = "/nodes/pve1/lxc/101/interfaces";
        let found = world.get(&root, path).await.data();
        let rows = found.as_array().cloned().unwrap_or_default();
        let eth0 = rows.iter().find(|row| row["name"] == "eth0");
        if let Some(address) = eth0.and_then(|row| row["inet"].as_str()) {
            break address.to_owned();
        }
        assert!(std::time::Instant::now() < deadline, "no address: {found}");
    };
    assert!(address.contains('/'), "{address}");
    let path = "/nodes/pve1/lxc/101?force=1&purge=1";
    let upid = world.call(&root, "DELETE", path, &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let state = world.running.state().await;
    assert_eq!(state["containers"], json!([]));
}
