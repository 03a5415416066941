//! Calls about the cluster as a whole.

use serde_json::{Value, json};

use crate::clock;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::container::Container;
use crate::model::machine::Machine;
use crate::model::node::Node;
use crate::model::{CLUSTER_NAME, Model};
use crate::options::ErrorStyle;
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::work::Caller;

/// Version of the simulated hosts: full, short, and build.
pub(crate) fn release(cluster: &Cluster) -> (&'static str, &'static str, &'static str) {
    match cluster.error_style() {
        ErrorStyle::Message => ("9.2.3", "9.2", "3c1f0a1d7b2e9f64"),
        ErrorStyle::ReasonOnly => ("8.2.4", "8.2", "faa83925c9641325"),
    }
}

/// `GET /version`.
pub(crate) fn version(cluster: &Cluster) -> Answer {
    let (version, release, repoid) = release(cluster);
    Answer::new(json!({ "version": version, "release": release, "repoid": repoid }))
}

/// `GET /cluster/nextid`: the smallest free number, as a string; with `vmid`, that number if it is free.
pub(crate) fn next_id(cluster: &Cluster, params: &Params) -> Result<Answer, Failure> {
    let model = cluster.model();
    if params.text("vmid").is_none() {
        return Ok(Answer::text(model.next_id()?.to_string()));
    }
    let vmid = params.vmid();
    if model.taken(vmid).is_some() {
        let text = format!("VM {vmid} already exists");
        return Err(Failure::parameter("vmid", text));
    }
    Ok(Answer::text(vmid.to_string()))
}

/// `GET /pools`: those that the caller may see; one that is named, with its members.
pub(crate) fn pools(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    let may = |pool: &str| model.may(&caller.identity, &format!("/pool/{pool}"), "Pool.Audit");
    let Some(wanted) = params.text("poolid") else {
        let pools = model.pools.iter().filter(|pool| may(pool));
        let rows = pools.map(|pool| json!({ "poolid": pool })).collect();
        return Ok(Answer::new(Value::Array(rows)));
    };
    if !may(wanted) {
        return Err(Failure::forbidden(format!("/pool/{wanted}, Pool.Audit")));
    }
    if !model.pools.contains(wanted) {
        return Err(Failure::died(format!("pool '{wanted}' does not exist")));
    }
    let members: Vec<Value> = model
        .containers
        .values()
        .filter(|container| container.pool.as_deref() == Some(wanted))
        .filter(|_| params.text("type").is_none_or(|kind| kind == "lxc"))
        .map(|container| container_row(&model, container))
        .collect();
    Ok(Answer::new(
        json!([{ "poolid": wanted, "members": members }]),
    ))
}

/// `GET /cluster/status`.
pub(crate) fn status(cluster: &Cluster, caller: &Caller) -> Result<Answer, Failure> {
    let model = cluster.model();
    model.check(&caller.identity, "/", "Sys.Audit")?;
    let mut rows = vec![json!({
        "type": "cluster", "id": "cluster", "name": CLUSTER_NAME, "version": model.nodes.len(),
        "nodes": model.nodes.len(), "quorate": u8::from(model.is_quorate()),
    })];
    rows.extend(model.nodes.values().map(|node| {
        json!({
            "type": "node", "id": format!("node/{}", node.name), "name": node.name,
            "nodeid": node.id, "ip": node.address, "online": u8::from(node.online),
            "local": u8::from(node.id == 1), "level": "",
        })
    }));
    Ok(Answer::new(Value::Array(rows)))
}

/// `GET /cluster/resources`: rows that the caller may see, about 10 s old on a real cluster.
pub(crate) async fn resources(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh().await;
    let new = cluster.error_style() == ErrorStyle::Message;
    let model = cluster.model();
    let wanted = params.text("type");
    let wants = |kind: &str| wanted.is_none_or(|wanted| wanted == kind);
    let mut rows = Vec::new();
    if wants("vm") {
        let may = |vmid: u32| model.may(&caller.identity, &format!("/vms/{vmid}"), "VM.Audit");
        let machines = model.machines.values().filter(|one| may(one.vmid));
        rows.extend(machines.map(|machine| machine_row(&model, machine)));
        let containers = model.containers.values().filter(|one| may(one.vmid));
        rows.extend(containers.map(|container| container_row(&model, container)));
    }
    if wants("node") {
        rows.extend(model.nodes.values().map(|node| {
            let path = format!("/nodes/{}", node.name);
            node_row(
                &model,
                node,
                model.may(&caller.identity, &path, "Sys.Audit"),
                new,
            )
        }));
    }
    if wants("storage") {
        rows.extend(storage_rows(&model, caller));
    }
    if wants("sdn") {
        rows.extend(model.nodes.values().map(|node| {
            json!({
                "type": "sdn", "id": format!("sdn/{}/localnetwork", node.name), "sdn": "localnetwork",
                "node": node.name, "status": if node.online { "ok" } else { "unknown" },
            })
        }));
    }
    Ok(Answer::new(Value::Array(rows)))
}

fn is_online(model: &Model, node: &str) -> bool {
    model.nodes.get(node).is_some_and(|node| node.online)
}

fn machine_row(model: &Model, machine: &Machine) -> Value {
    let known = if machine.running {
        "running"
    } else {
        "stopped"
    };
    let status = if is_online(model, &machine.node) {
        known
    } else {
        "unknown"
    };
    let mut row = json!({
        "type": "qemu", "id": format!("qemu/{}", machine.vmid), "vmid": machine.vmid,
        "node": machine.node, "name": machine.name, "template": 0,
        "maxcpu": machine.cpus, "maxmem": machine.memory, "maxdisk": machine.disk,
        "mem": model.machine_memory(machine), "disk": 0,
        "cpu": model.machine_cpu(machine), "status": status,
        "uptime": if machine.running { 86_400 } else { 0 },
        "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0,
    });
    if let Some(tags) = &machine.tags {
        row["tags"] = json!(tags);
    }
    row
}

fn container_row(model: &Model, container: &Container) -> Value {
    let online = is_online(model, &container.node);
    let mut row = json!({
        "type": "lxc", "id": format!("lxc/{}", container.vmid), "vmid": container.vmid,
        "node": container.node, "name": container.name(),
        "template": u8::from(container.flag("template")),
        "status": if online { container.status() } else { "unknown" },
    });
    if online {
        let host = model.nodes.get(&container.node).map_or(1, |node| node.cpus);
        let cores = container.cores().unwrap_or(host);
        let numbers = json!({
            "maxcpu": cores, "maxmem": container.memory(), "maxdisk": container.disk(),
            "mem": model.container_memory(container), "disk": container.disk_used,
            "cpu": model.container_cpu(container),
            "uptime": container.uptime(), "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0,
        });
        merge(&mut row, numbers);
    }
    for (key, value) in [
        ("tags", container.get("tags").map(str::to_owned)),
        ("lock", container.lock.clone()),
        ("pool", container.pool.clone()),
    ] {
        if let Some(value) = value {
            row[key] = json!(value);
        }
    }
    row
}

/// A node as `resources` and `nodes` show it; its numbers only to those who may audit it.
pub(crate) fn node_row(model: &Model, node: &Node, audit: bool, new: bool) -> Value {
    let mut row = json!({
        "type": "node", "id": format!("node/{}", node.name), "node": node.name, "level": "",
        "status": if node.online { "online" } else { "offline" },
    });
    if node.online && audit {
        let numbers = json!({
            "cpu": model.node_cpu(node), "maxcpu": node.cpus, "mem": model.memory_used(node),
            "maxmem": node.memory, "disk": node.root_used, "maxdisk": node.root,
            "uptime": clock::now().saturating_sub(node.booted), "cgroup-mode": 2,
        });
        merge(&mut row, numbers);
    }
    if new {
        row["hastate"] = json!(if node.maintenance {
            "maintenance"
        } else if node.online {
            "online"
        } else {
            "unknown"
        });
        if node.online {
            row["host-arch"] = json!(node.architecture);
        }
    }
    row
}

fn storage_rows(model: &Model, caller: &Caller) -> Vec<Value> {
    let mut rows = Vec::new();
    for node in model.nodes.values() {
        for storage in model.storages.of(&node.name) {
            let path = format!("/storage/{}", storage.name);
            if !model.may(&caller.identity, &path, "Datastore.Audit") {
                continue;
            }
            let available = node.online && storage.active && storage.enabled;
            let mut row = json!({
                "type": "storage", "id": format!("storage/{}/{}", node.name, storage.name),
                "storage": storage.name, "node": node.name, "plugintype": storage.kind,
                "content": storage.content.join(","), "shared": u8::from(storage.shared),
                "status": if available { "available" } else { "unknown" },
            });
            if available {
                row["disk"] = json!(model.storage_used(&node.name, &storage.name));
                row["maxdisk"] = json!(storage.total);
            }
            rows.push(row);
        }
    }
    rows
}

/// Adds the members of one object to another.
pub(crate) fn merge(row: &mut Value, more: Value) {
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
}
