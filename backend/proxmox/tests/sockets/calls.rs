//! Reads, with values in the forms that hosts of several versions give them.

use proxmox::{Error, GuestKind, NodeName, Power, StorageName, Vmid};
use serde_json::{Value, json};

use crate::server::{Server, client, data, token};

fn node() -> NodeName {
    "pve1".parse().unwrap()
}

fn vmid() -> Vmid {
    "101".parse().unwrap()
}

/// A server that answers this at this path (and query), and nothing elsewhere.
async fn answering(path: &'static str, answer: Value) -> (Server, proxmox::Client) {
    let server = Server::start(move |seen, _| {
        let target = if seen.query.is_empty() {
            seen.path.clone()
        } else {
            format!("{}?{}", seen.path, seen.query)
        };
        assert_eq!(target, path);
        data(&answer)
    })
    .await;
    let client = client(&[&server], token());
    (server, client)
}

#[tokio::test]
async fn guests_with_numbers_as_text() {
    let rows = json!([
        {"id": "lxc/101", "type": "lxc", "vmid": "101", "node": "pve1", "name": "web", "status": "running", "template": "", "tags": "proximity;web",
         "maxmem": "536870912", "mem": 1000, "maxdisk": "8589934592", "disk": "0", "maxcpu": "0.5", "cpu": "0.01", "uptime": "12", "pool": "apps"},
        {"id": "qemu/9000", "type": "qemu", "vmid": 9000, "node": "pve-2", "status": "unknown", "template": true, "maxcpu": 4}
    ]);
    let (_server, client) = answering("/cluster/resources?type=vm", rows).await;
    let guests = client.guests().await.unwrap();
    let web = &guests[0];
    assert_eq!(
        (web.vmid.get(), web.kind, web.status, web.template),
        (101, GuestKind::Lxc, Power::Running, false)
    );
    assert_eq!(
        (web.tags.as_slice(), web.max_memory, web.max_disk),
        (
            ["proximity".to_owned(), "web".to_owned()].as_slice(),
            512 << 20,
            8 << 30
        )
    );
    assert!(
        (web.cpus - 0.5).abs() < f64::EPSILON
            && web.pool.as_deref() == Some("apps")
            && web.lock.is_none()
    );
    let machine = &guests[1];
    assert_eq!(
        (
            machine.kind,
            machine.status,
            machine.template,
            machine.name.as_str()
        ),
        (GuestKind::Qemu, Power::Unknown, true, "")
    );
}

#[tokio::test]
async fn nodes_with_and_without_numbers() {
    let rows = json!([
        {"id": "node/pve1", "type": "node", "node": "pve1", "status": "online", "cpu": 0.25, "maxcpu": 8, "mem": "4294967296", "maxmem": 17_179_869_184_u64,
         "disk": 1, "maxdisk": 2, "uptime": 60, "hastate": "maintenance", "host-arch": "x86_64"},
        {"id": "node/pve2", "type": "node", "node": "pve2", "status": "offline"}
    ]);
    let (_server, client) = answering("/cluster/resources?type=node", rows).await;
    let nodes = client.nodes().await.unwrap();
    assert!(nodes[0].online && nodes[0].maintenance && nodes[0].is_measured());
    assert_eq!(
        (
            nodes[0].cores,
            nodes[0].memory_used,
            nodes[0].memory_total,
            nodes[0].architecture.as_deref()
        ),
        (8, 4 << 30, 16 << 30, Some("amd64"))
    );
    assert!(!nodes[1].online && !nodes[1].maintenance && !nodes[1].is_measured());
}

#[tokio::test]
async fn a_node_about_itself() {
    let status = json!({"cpu": 0.1, "cpuinfo": {"cpus": "8", "model": "Some CPU", "cores": 4, "sockets": 1}, "loadavg": ["0.10", "0.20", "1.30"],
        "memory": {"total": 16, "used": 4, "free": 12}, "rootfs": {"total": "100", "used": 40}, "swap": {"total": 8, "used": 0}, "uptime": 99,
        "pveversion": "pve-manager/8.4.5/abc", "kversion": "Linux 6.8.12-1-pve #1 SMP", "current-kernel": {"machine": "aarch64"}});
    let (_server, client) = answering("/nodes/pve1/status", status).await;
    let status = client.node_status(&node()).await.unwrap();
    assert_eq!(
        (
            status.cpus,
            status.memory_total,
            status.memory_used,
            status.memory_available
        ),
        (8, 16, 4, 12)
    );
    assert_eq!(
        (status.loadavg, status.disk_total, status.swap_total),
        ([0.1, 0.2, 1.3], 100, 8)
    );
    assert_eq!(
        (status.kernel.as_deref(), status.architecture.as_deref()),
        (Some("6.8.12-1-pve"), Some("arm64"))
    );
}

#[tokio::test]
async fn the_cluster_and_a_host_alone() {
    let rows = json!([
        {"type": "cluster", "id": "cluster", "name": "home", "quorate": 0, "nodes": 2, "version": 4},
        {"type": "node", "id": "node/pve1", "name": "pve1", "ip": "10.0.0.1", "online": 1, "local": 1, "nodeid": 1},
        {"type": "node", "id": "node/pve2", "name": "pve2", "ip": "fd00::2", "online": "0", "local": 0, "nodeid": 2}
    ]);
    let (_server, client) = answering("/cluster/status", rows).await;
    let status = client.cluster_status().await.unwrap();
    assert_eq!(
        (status.name.as_deref(), status.quorate),
        (Some("home"), false)
    );
    let nodes: Vec<_> = status
        .nodes
        .iter()
        .map(|node| {
            (
                node.name.as_str(),
                node.ip.map(|ip| ip.to_string()),
                node.online,
                node.local,
            )
        })
        .collect();
    assert_eq!(
        nodes,
        [
            ("pve1", Some("10.0.0.1".to_owned()), true, true),
            ("pve2", Some("fd00::2".to_owned()), false, false)
        ]
    );
    let alone = json!([{"type": "node", "id": "node/pve", "name": "pve", "ip": "10.0.0.1", "online": 1, "local": 1}]);
    let (_server, client) = answering("/cluster/status", alone).await;
    let status = client.cluster_status().await.unwrap();
    assert_eq!(
        (status.name, status.quorate, status.nodes.len()),
        (None, true, 1)
    );
}

#[tokio::test]
async fn storages_bridges_and_templates() {
    let rows = json!([{"storage": "local-lvm", "type": "lvmthin", "content": "images,rootdir", "enabled": 1, "active": "1", "shared": 0,
        "total": "100", "used": 40, "avail": 60, "used_fraction": 0.4}]);
    let (_server, client) = answering("/nodes/pve1/storage", rows).await;
    let storage = client.storages(&node()).await.unwrap().remove(0);
    assert!(
        storage.holds("rootdir")
            && !storage.holds("vztmpl")
            && storage.is_usable()
            && !storage.shared
    );
    assert_eq!((storage.kind.as_str(), storage.available), ("lvmthin", 60));

    let rows = json!([{"iface": "vmbr0", "type": "bridge", "active": 1, "address": "10.0.0.1", "cidr": "10.0.0.1/24", "gateway": "10.0.0.254", "bridge_vlan_aware": 1},
        {"iface": "apps", "type": "vnet"}]);
    let (_server, client) = answering("/nodes/pve1/network?type=any_bridge", rows).await;
    let bridges = client.bridges(&node()).await.unwrap();
    assert_eq!(
        (
            bridges[0].cidr.as_deref(),
            bridges[0].active,
            bridges[0].vlan_aware
        ),
        (Some("10.0.0.1/24"), true, true)
    );
    assert_eq!(
        (bridges[1].iface.as_str(), bridges[1].active),
        ("apps", false)
    );

    let rows = json!([{"volid": "local:vztmpl/alpine-3.23-default_20260116_amd64.tar.xz", "size": "3000000", "format": "txz", "content": "vztmpl"}]);
    let (_server, client) =
        answering("/nodes/pve1/storage/local/content?content=vztmpl", rows).await;
    let local: StorageName = "local".parse().unwrap();
    let template = client.templates(&node(), &local).await.unwrap().remove(0);
    assert_eq!(
        (template.file_name(), template.size),
        ("alpine-3.23-default_20260116_amd64.tar.xz", 3_000_000)
    );

    let rows = json!([{"template": "alpine-3.23-default_20260116_amd64.tar.xz", "package": "alpine-3.23-default", "version": 20_260_116, "architecture": "amd64",
        "os": "alpine", "section": "system", "type": "lxc"}]);
    let (_server, client) = answering("/nodes/pve1/aplinfo", rows).await;
    let offer = client.template_index(&node()).await.unwrap().remove(0);
    assert_eq!(
        (offer.version.as_str(), offer.architecture.as_str()),
        ("20260116", "amd64")
    );
}

#[tokio::test]
async fn a_container_stopped_running_and_looked_into() {
    let status = json!({"vmid": "101", "status": "running", "uptime": 5, "mem": "1000", "maxmem": 2000, "cpu": 0.5, "cpus": 2, "disk": 1, "maxdisk": 2,
        "lock": "", "ha": {"managed": 0}, "netin": 7, "netout": "8"});
    let (_server, client) = answering("/nodes/pve1/lxc/101/status/current", status).await;
    let status = client.container_status(&node(), vmid()).await.unwrap();
    assert_eq!(
        (
            status.status,
            status.memory,
            status.net_in,
            status.net_out,
            status.lock,
            status.ha_managed
        ),
        (Power::Running, 1000, 7, 8, None, false)
    );
    let (_server, client) = answering("/nodes/pve1/lxc/101/interfaces", json!(null)).await;
    assert_eq!(client.interfaces(&node(), vmid()).await.unwrap(), []);
    let rows = json!([{"name": "current", "description": "You are here!", "parent": "before"}, {"name": "before", "snaptime": "1760602811"}]);
    let (_server, client) = answering("/nodes/pve1/lxc/101/snapshot", rows).await;
    let snapshots = client.snapshots(&node(), vmid()).await.unwrap();
    assert_eq!(
        snapshots
            .iter()
            .map(|snapshot| (snapshot.name.as_str(), snapshot.taken))
            .collect::<Vec<_>>(),
        [("before", Some(1_760_602_811))]
    );
}

#[tokio::test]
async fn nonsense_names_its_place() {
    let (_server, client) = answering(
        "/cluster/resources?type=vm",
        json!([{"type": "lxc", "vmid": 99, "node": "pve1"}]),
    )
    .await;
    let error = client.guests().await.unwrap_err();
    let expected = Error::Malformed {
        call: "GET /cluster/resources".to_owned(),
        reason: "[0].vmid is 99, not well-formed".to_owned(),
    };
    assert_eq!(error, expected);
    let (_server, client) =
        answering("/cluster/resources?type=node", json!([{"node": "../x"}])).await;
    assert!(matches!(client.nodes().await, Err(Error::Malformed { .. })));
}
