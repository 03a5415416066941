//! Who may call, and what the API says to whoever does it wrong.

use crate::support::{Actor, World, three};
use serde_json::{Value, json};
use sim::{ErrorStyle, Options};

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
