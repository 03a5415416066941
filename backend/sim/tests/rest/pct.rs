//! The command line of a node, through the call that the lab uses.

use crate::support::{World, three};
use serde_json::{Value, json};

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
