//! Errors as hosts of several versions send them.

use proxmox::{CreateContainer, DeleteOptions, Error, NodeName, RootDisk, Vmid};
use serde_json::{Value, json};

use crate::server::{Reply, Server, client, data, error, token};

fn node() -> NodeName {
    "pve1".parse().unwrap()
}

fn vmid() -> Vmid {
    "101".parse().unwrap()
}

async fn answering(status: &'static str, body: Value) -> (Server, proxmox::Client) {
    let server = Server::start(move |_, _| error(status, &body)).await;
    let client = client(&[&server], token());
    (server, client)
}

#[tokio::test]
async fn an_old_host_speaks_by_its_reason_phrase() {
    let (_server, client) = answering(
        "500 CT 101 already exists on node 'pve1'",
        json!({"data": null}),
    )
    .await;
    let container = CreateContainer::new(
        vmid(),
        "local:vztmpl/a.tar.xz",
        RootDisk {
            storage: "local-lvm".parse().unwrap(),
            gib: 8,
        },
    );
    let error = client
        .create_container(&node(), &container)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        Error::VmidTaken {
            message: "CT 101 already exists on node 'pve1'".to_owned()
        }
    );
    let (_server, client) = answering(
        "500 Configuration file 'nodes/pve1/lxc/101.conf' does not exist",
        json!({"data": null}),
    )
    .await;
    let error = client.container_config(&node(), vmid()).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotFound { what } if what.contains("101.conf")),
        "{error}"
    );
}

#[tokio::test]
async fn a_new_host_says_more_in_its_body() {
    let (_server, client) = answering(
        "500 CT is locked (backup)",
        json!({"data": null, "message": "CT is locked (backup)\n"}),
    )
    .await;
    let error = client
        .delete_container(&node(), vmid(), DeleteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        Error::Locked {
            lock: "backup".to_owned(),
            message: "CT is locked (backup)".to_owned()
        }
    );
    let (_server, client) = answering(
        "403 Permission check failed",
        json!({"data": null, "message": "Permission check failed (/vms/101, VM.Allocate)\n"}),
    )
    .await;
    let error = client.start_container(&node(), vmid()).await.unwrap_err();
    assert_eq!(
        error,
        Error::Forbidden {
            message: "Permission check failed (/vms/101, VM.Allocate)".to_owned()
        }
    );
}

#[tokio::test]
async fn parameters_are_named() {
    let body = json!({"data": null, "message": "Parameter verification failed.\n", "errors": {"storage": "storage 'local' does not support container directories"}});
    let (_server, client) = answering("400 Parameter verification failed.", body).await;
    let error = client.start_container(&node(), vmid()).await.unwrap_err();
    let Error::Invalid { errors, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        errors["storage"],
        "storage 'local' does not support container directories"
    );
}

#[tokio::test]
async fn a_node_that_is_away_is_named() {
    let (_server, client) = answering("595 No route to host", json!(null)).await;
    let expected = Error::NodeOffline {
        node: "pve1".to_owned(),
        message: "No route to host".to_owned(),
    };
    assert_eq!(client.node_status(&node()).await.unwrap_err(), expected);
    assert_eq!(
        client.start_container(&node(), vmid()).await.unwrap_err(),
        expected
    );
    let (_server, client) = answering("596 Connection timed out", json!(null)).await;
    let lost = client.start_container(&node(), vmid()).await.unwrap_err();
    assert!(
        matches!(&lost, Error::Unknown { reason, .. } if reason == "Connection timed out"),
        "{lost}"
    );
    assert!(matches!(
        client.storages(&node()).await.unwrap_err(),
        Error::NodeOffline { .. }
    ));
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_nonsense() {
    let server = Server::start(|_, _| {
        Reply::Answer("200 OK".to_owned(), "<html><body>It works!".to_owned())
    })
    .await;
    let error = client(&[&server], token()).nodes().await.unwrap_err();
    let Error::Malformed { call, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(call, "GET /cluster/resources");
}

#[tokio::test]
async fn a_taken_number_is_an_answer_and_not_an_error() {
    let server = Server::start(|seen, _| match seen.parameter("vmid").as_deref() {
        Some("101") => error(
            "400 Parameter verification failed.",
            &json!({"data": null, "errors": {"vmid": "VM 101 already exists"}}),
        ),
        Some("102") => data(&json!("102")),
        Some(_) => error("403 Forbidden", &json!({"data": null, "message": "no"})),
        None => data(&json!("103")),
    })
    .await;
    let client = client(&[&server], token());
    assert!(!client.vmid_is_free(vmid()).await.unwrap());
    assert!(client.vmid_is_free("102".parse().unwrap()).await.unwrap());
    assert!(matches!(
        client.vmid_is_free("104".parse().unwrap()).await,
        Err(Error::Forbidden { .. })
    ));
    assert_eq!(client.next_vmid().await.unwrap().get(), 103);
}
