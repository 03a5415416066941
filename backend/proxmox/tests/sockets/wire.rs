//! What requests look like on the wire.

use std::time::Duration;

use proxmox::{
    ConfigChange, CreateContainer, DeleteOptions, Error, Features, Net, NodeName, RootDisk,
    TaskFilter, Vmid,
};
use serde_json::json;

use crate::server::{Reply, Seen, Server, UPID, client, data, decode, token};

fn node() -> NodeName {
    "pve1".parse().unwrap()
}

fn vmid() -> Vmid {
    "101".parse().unwrap()
}

fn container() -> CreateContainer {
    CreateContainer {
        hostname: Some("web".to_owned()),
        features: Features::nesting(),
        nets: vec![Net::dhcp("eth0", "vmbr0")],
        tags: vec!["proximity".to_owned(), "web".to_owned()],
        description: Some("a=b&c;d + ü\n100%".to_owned()),
        ..CreateContainer::new(
            vmid(),
            "local:vztmpl/alpine.tar.xz",
            RootDisk {
                storage: "local-lvm".parse().unwrap(),
                gib: 8,
            },
        )
    }
}

/// Refuses what pveproxy refuses.
fn strict(seen: &Seen) -> Option<Reply> {
    let body = matches!(seen.method.as_str(), "POST" | "PUT");
    let refuse = |status: &str| Some(Reply::Answer(status.to_owned(), String::new()));
    if seen.header("transfer-encoding").is_some() {
        return refuse("501 chunked transfer encoding not supported");
    }
    if !body
        && (!seen.body.is_empty()
            || seen
                .header("content-length")
                .is_some_and(|length| length != "0"))
    {
        return refuse("501 Unexpected content for method");
    }
    if body && seen.header("content-length").is_none() {
        return refuse("501 no length");
    }
    if body && seen.header("content-type") != Some("application/x-www-form-urlencoded") {
        return refuse("506 wrong content type");
    }
    if seen.protocol == "HTTP/1.1" {
        None
    } else {
        refuse("506 HTTP protocol version not supported")
    }
}

async fn server() -> Server {
    Server::start(|seen, _| {
        strict(seen).unwrap_or_else(|| match seen.method.as_str() {
            "GET" => data(&json!([])),
            "PUT" => data(&json!(null)),
            _ => data(&json!(UPID)),
        })
    })
    .await
}

#[tokio::test]
async fn a_create_call_arrives_as_it_was_meant() {
    let server = server().await;
    let upid = client(&[&server], token())
        .create_container(&node(), &container())
        .await
        .unwrap();
    assert_eq!(upid.as_str(), UPID);
    let call = server.seen().remove(0);
    assert!(call.is("POST", "/nodes/pve1/lxc") && call.query.is_empty());
    assert_eq!(
        call.header("content-length"),
        Some(call.body.len().to_string().as_str())
    );
    // The server splits each pair at every `=`.
    assert!(
        call.body
            .split('&')
            .all(|pair| pair.matches('=').count() == 1 && !pair.contains(['+', ';', ' '])),
        "{}",
        call.body
    );
    for (name, value) in [
        ("vmid", "101"),
        ("unprivileged", "1"),
        ("features", "nesting=1"),
        ("rootfs", "local-lvm:8"),
        ("net0", "name=eth0,bridge=vmbr0,ip=dhcp"),
        ("tags", "proximity;web"),
        ("description", "a=b&c;d + ü\n100%"),
        ("ostemplate", "local:vztmpl/alpine.tar.xz"),
    ] {
        assert_eq!(call.parameter(name).as_deref(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn calls_without_parameters_have_a_length_and_deletions_no_body() {
    let server = server().await;
    let client = client(&[&server], token());
    client.start_container(&node(), vmid()).await.unwrap();
    client
        .shutdown_container(&node(), vmid(), Duration::from_secs(30), true)
        .await
        .unwrap();
    let options = DeleteOptions {
        force: true,
        purge: true,
        unreferenced_disks: true,
    };
    client
        .delete_container(&node(), vmid(), options)
        .await
        .unwrap();
    let change = ConfigChange {
        memory: Some(1024),
        ..ConfigChange::default()
    };
    client
        .set_container_config(&node(), vmid(), &change)
        .await
        .unwrap();
    client.stop_task(&UPID.parse().unwrap()).await.unwrap();
    let calls = server.seen();
    assert_eq!(
        (calls[0].header("content-length"), calls[0].body.as_str()),
        (Some("0"), "")
    );
    assert_eq!(calls[1].body, "timeout=30&forceStop=1");
    assert!(calls[2].is("DELETE", "/nodes/pve1/lxc/101") && calls[2].body.is_empty());
    assert_eq!(
        calls[2].query,
        "force=1&purge=1&destroy-unreferenced-disks=1"
    );
    assert!(calls[3].is("PUT", "/nodes/pve1/lxc/101/config") && calls[3].body == "memory=1024");
    assert_eq!(decode(&calls[4].path), format!("/nodes/pve1/tasks/{UPID}"));
}

#[tokio::test]
async fn running_tasks_are_asked_for_too() {
    let server = server().await;
    let filter = TaskFilter {
        vmid: Some(vmid()),
        kind: Some("vzcreate".to_owned()),
        since: Some(7),
        ..TaskFilter::default()
    };
    assert_eq!(
        client(&[&server], token())
            .tasks(&node(), &filter)
            .await
            .unwrap(),
        []
    );
    let call = server.seen().remove(0);
    assert!(call.is("GET", "/nodes/pve1/tasks"));
    assert_eq!(
        call.query,
        "source=all&limit=500&vmid=101&typefilter=vzcreate&since=7"
    );
}

#[tokio::test]
async fn what_is_wrong_is_not_sent() {
    let server = server().await;
    let client = client(&[&server], token());
    let bad = CreateContainer {
        hostname: Some("a b".to_owned()),
        ..container()
    };
    let error = client.create_container(&node(), &bad).await.unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { errors, .. } if errors.contains_key("hostname")),
        "{error}"
    );
    let error = client
        .create_snapshot(&node(), vmid(), "current", "")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let elsewhere = Server::start(|_, _| data(&json!([]))).await;
    let target = format!(
        "302 Found\r\nLocation: https://{}/api2/json/version",
        elsewhere.host
    );
    let server = Server::start(move |_, _| Reply::Answer(target.clone(), String::new())).await;
    let error = client(&[&server, &elsewhere], token())
        .version()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 302, .. }),
        "{error}"
    );
    assert!(elsewhere.seen().is_empty());
}
