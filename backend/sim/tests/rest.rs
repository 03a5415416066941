//! The simulated API over real sockets, as a client sees it.

mod support;

use serde_json::{Value, json};
use sim::control::{NodeChange, StorageChange};
use sim::faults::{Action, Rule};
use sim::{ErrorStyle, Options};
use support::{ALPINE, Actor, World};

fn three() -> Options {
    Options::default().nodes(3)
}

#[tokio::test]
async fn login_and_its_refusals() {
    let world = World::new(three()).await;
    let nobody = Actor::default();
    let reply = world.get(&nobody, "/version").await;
    assert_eq!((reply.status, reply.reason.as_str()), (401, "No ticket"));
    assert_eq!(reply.body, Value::Null);

    let form = [("username", "root@pam"), ("password", "wrong")];
    let reply = world.call(&nobody, "POST", "/access/ticket", &form).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.reason, "authentication failure");

    let root = world.root().await;
    assert_eq!(world.get(&root, "/version").await.data()["release"], "9.2");
    let forged = Actor::without_csrf(&root);
    assert_eq!(world.get(&forged, "/version").await.status, 200);
    let reply = world.create(&forged, "pve1", "101", &[]).await;
    assert_eq!(reply.reason, "Permission denied - invalid csrf token");

    world.running.expire_tickets();
    let reply = world.get(&root, "/version").await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.reason, "permission denied - invalid PVE ticket");

    let token = world.token("root@pam!proximity");
    assert_eq!(world.get(&token, "/version").await.status, 200);
    assert!(world.running.ready_line().contains("token_secret"));
    world.running.shutdown().await;
}

#[tokio::test]
async fn strict_about_everything() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let more = [("nosuch", "1"), ("memory", "8"), ("net0", "bridge=vmbr0")];
    let reply = world.create(&root, "pve1", "101", &more).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.reason, "Parameter verification failed.");
    assert_eq!(reply.body["message"], "Parameter verification failed.\n");
    let errors = &reply.body["errors"];
    assert_eq!(
        errors["nosuch"],
        "property is not defined in schema and the schema does not allow additional properties"
    );
    assert_eq!(errors["memory"], "value must have a minimum value of 16");
    assert!(errors["net0"].as_str().unwrap().contains("net0.name"));

    let reply = world.get(&root, "/nodes/pve1/nothing").await;
    assert_eq!(reply.status, 501);
    assert_eq!(
        reply.reason,
        "Method 'GET /nodes/pve1/nothing' not implemented"
    );

    let url = world.url("/api2/json/nodes/pve1/lxc/101");
    let request = root.sign(world.http.delete(&url)).body("force=1");
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 501);

    let pieces =
        reqwest::Body::wrap_stream(futures::stream::iter([Ok::<_, std::io::Error>("vmid=101")]));
    let url = world.url("/api2/json/nodes/pve1/lxc");
    let reply = root.sign(world.http.post(&url)).body(pieces).send().await;
    assert_eq!(reply.unwrap().status().as_u16(), 501);

    let reply = world.get(&root, "/nodes/pve9/status").await;
    assert_eq!(reply.status, 500);
    assert!(reply.reason.starts_with("hostname lookup 'pve9' failed"));
    let reply = world.get(&root, "/nodes/pve1/lxc/555/config").await;
    assert_eq!(
        reply.reason,
        "Configuration file 'nodes/pve1/lxc/555.conf' does not exist"
    );
    assert!(
        world.running.state().await["containers"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

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
async fn tokens_may_not_set_features() {
    let world = World::new(three()).await;
    let token = world.token("root@pam!proximity");
    let keyctl = [("features", "nesting=1,keyctl=1")];
    let reply = world.create(&token, "pve1", "101", &keyctl).await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.reason,
        "Permission check failed (changing feature flags (except nesting) is only allowed for root@pam)"
    );
    let upid = world.create(&token, "pve1", "101", &[]).await.text();
    assert!(upid.ends_with(":vzcreate:101:root@pam!proximity:"));
    assert_eq!(world.finish(&token, &upid).await, "OK");

    let limited = world.token("proximity@pve!limited");
    let reply = world.create(&limited, "pve1", "103", &[]).await;
    assert_eq!(
        reply.reason,
        "Permission check failed (/vms/103, VM.Allocate)"
    );
    let user = world.login("proximity@pve").await;
    let upid = world.create(&user, "pve1", "103", &[]).await.text();
    assert_eq!(world.finish(&user, &upid).await, "OK");
    let features = [("features", "nesting=1,keyctl=1")];
    let path = "/nodes/pve1/lxc/103/config";
    assert_eq!(world.call(&user, "PUT", path, &features).await.status, 403);
    let argv = ["set", "103", "--features", "nesting=1,keyctl=1"].map(str::to_owned);
    let output = sim::pct::run(world.running.cluster(), "pve1", &argv).await;
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(world.guests.spec(103).keyctl);
}

#[tokio::test]
async fn tasks_belong_to_whom_started_them() {
    let world = World::new(three()).await;
    let deploy = world.token("proximity@pve!deploy");
    let upid = world.create(&deploy, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&deploy, &upid).await, "OK");
    let list = "/nodes/pve1/tasks?source=all&vmid=101";
    let rows = world.get(&deploy, list).await.data();
    assert_eq!(rows[0]["upid"], upid);
    assert_eq!(rows[0]["status"], "OK");
    let unknown = upid.replace(":101:", ":107:");
    let reply = world
        .get(&deploy, &format!("/nodes/pve1/tasks/{unknown}/status"))
        .await;
    assert_eq!(reply.body["errors"]["upid"], "no such task");
}

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
async fn older_hosts_say_it_in_the_reason_phrase_only() {
    let world = World::new(Options {
        error_style: ErrorStyle::ReasonOnly,
        ..three()
    })
    .await;
    let root = world.root().await;
    let reply = world.create(&root, "pve1", "102", &[]).await;
    assert_eq!(reply.reason, "CT 102 already exists on node 'pve1'");
    assert_eq!(reply.body, json!({ "data": null }));
    let reply = world.create(&root, "pve1", "101", &[("env", "A=1")]).await;
    assert!(reply.body["errors"]["env"].is_string());
    let upid = world.create(&root, "pve1", "101", &[]).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let config = world.get(&root, "/nodes/pve1/lxc/101/config").await.data();
    assert_eq!(config["memory"], "512");
    // Without the parameter an older host makes a privileged container.
    let more = [("unprivileged", ""), ("features", "")];
    let upid = world.create(&root, "pve1", "103", &more).await.text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let config = world.get(&root, "/nodes/pve1/lxc/103/config").await.data();
    assert_eq!(config["unprivileged"], Value::Null);
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

#[tokio::test]
async fn pct_knows_only_its_own_node() {
    let world = World::new(three()).await;
    let root = world.root().await;
    let upid = world
        .create(&root, "pve1", "101", &[("description", "a: b")])
        .await
        .text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let pct = async |node: &str, line: &str| {
        let argv: Vec<&str> = line.split(' ').collect();
        let body = json!({ "node": node, "argv": argv });
        let url = world.url("/sim/pct");
        let reply = world.http.post(url).json(&body).send().await.unwrap();
        let output: Value = reply.json().await.unwrap();
        let text = |key: &str| output[key].as_str().unwrap().to_owned();
        (
            output["code"].as_i64().unwrap(),
            text("stdout"),
            text("stderr"),
        )
    };
    let ok = |stdout: &str| (0, stdout.to_owned(), String::new());
    assert_eq!(pct("pve1", "status 101").await, ok("status: stopped\n"));
    assert_eq!(pct("pve1", "start 101").await, ok(""));
    assert_eq!(pct("pve1", "status 101").await, ok("status: running\n"));
    let (code, _, error) = pct("pve1", "start 101").await;
    assert_eq!((code, error.as_str()), (255, "CT 101 already running\n"));
    let (code, _, error) = pct("pve2", "status 101").await;
    let missing = "Configuration file 'nodes/pve2/lxc/101.conf' does not exist\n";
    assert_eq!((code, error.as_str()), (2, missing));
    let (_, list, _) = pct("pve1", "list").await;
    assert!(list.starts_with("VMID       Status     Lock         Name"));
    assert!(list.contains("101        running                 whoami"));
    let (_, config, _) = pct("pve1", "config 101").await;
    assert!(config.contains("description: a%3A b%0A\n"), "{config}");
    let (code, _, error) = pct("pve1", "set 101 --nosuch 1").await;
    assert!(code == 255 && error.starts_with("Unknown option: nosuch\n"));
    let (code, _, error) = pct("pve1", "frobnicate").await;
    assert!(code == 255 && error.starts_with("ERROR: unknown command 'pct frobnicate'"));
    assert_eq!(
        pct("pve1", "shutdown 101 --timeout 5 --forceStop 1").await,
        ok("")
    );
    let (code, removed, _) = pct("pve1", "destroy 101 --purge").await;
    assert_eq!(code, 0);
    assert!(removed.contains("\"vm-101-disk-0\" successfully removed"));
}
