//! Calls about one node, or a list of them.

use serde_json::{Value, json};

use super::overview;
use crate::clock;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::node::Bridge;
use crate::options::{ErrorStyle, GIB};
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::work::Caller;

/// `GET /nodes`.
pub(crate) async fn list(cluster: &Cluster, caller: &Caller) -> Answer {
    cluster.refresh().await;
    let new = cluster.error_style() == ErrorStyle::Message;
    let model = cluster.model();
    let rows = model.nodes.values().map(|node| {
        let path = format!("/nodes/{}", node.name);
        let audit = model.may(&caller.identity, &path, "Sys.Audit");
        let mut row = overview::node_row(&model, node, audit, new);
        row["ssl_fingerprint"] = json!(cluster.fingerprint());
        row
    });
    Answer::new(Value::Array(rows.collect()))
}

/// `GET /nodes/{node}/status`.
pub(crate) async fn status(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let name = params.node();
    cluster
        .model()
        .check(&caller.identity, &format!("/nodes/{name}"), "Sys.Audit")?;
    cluster.refresh().await;
    let (version, _, repoid) = overview::release(cluster);
    let model = cluster.model();
    let node = model.node(name)?;
    let used = model.memory_used(node);
    let cpu = model.node_cpu(node);
    let busy = cpu * f64::from(node.cpus);
    let load = [1.0, 0.9, 0.8].map(|part| format!("{:.2}", busy * part));
    let kernel = match cluster.error_style() {
        ErrorStyle::Message => "6.17.4-1-pve",
        ErrorStyle::ReasonOnly => "6.8.12-4-pve",
    };
    let swap = 8 * GIB;
    Ok(Answer::new(json!({
        "cpu": cpu, "wait": 0.001, "idle": 0,
        "uptime": clock::now().saturating_sub(node.booted),
        "loadavg": load,
        "memory": {
            "total": node.memory, "used": used, "free": node.memory - used,
            "available": node.memory - used,
        },
        "swap": { "total": swap, "used": 0, "free": swap },
        "rootfs": {
            "total": node.root, "used": node.root_used, "free": node.root - node.root_used,
            "avail": node.root - node.root_used,
        },
        "cpuinfo": {
            "cpus": node.cpus, "cores": node.cpus / 2, "sockets": 1,
            "model": if node.architecture == "aarch64" { "Cortex-A76" } else { "Intel(R) Xeon(R) E-2278G" },
            "mhz": "3400.000", "hvm": "1",
        },
        "pveversion": format!("pve-manager/{version}/{repoid}"),
        "kversion": format!("Linux {kernel} #1 SMP PREEMPT_DYNAMIC"),
        "current-kernel": {
            "sysname": "Linux", "release": kernel, "machine": node.architecture,
            "version": "#1 SMP PREEMPT_DYNAMIC PMX",
        },
        "boot-info": { "mode": "efi", "secureboot": 0 },
        "ksm": { "shared": 0 },
    })))
}

/// `GET /nodes/{node}/network`.
pub(crate) fn networks(cluster: &Cluster, params: &Params) -> Result<Answer, Failure> {
    let model = cluster.model();
    let node = model.node(params.node())?;
    let wanted = params.text("type");
    let bridges = [
        None,
        Some("bridge"),
        Some("any_bridge"),
        Some("any_local_bridge"),
        Some("include_sdn"),
    ];
    let mut rows = Vec::new();
    if bridges.contains(&wanted) {
        rows.extend(node.bridges.iter().map(bridge_row));
    }
    if [None, Some("eth"), Some("include_sdn")].contains(&wanted) {
        let ports = node
            .bridges
            .iter()
            .filter_map(|bridge| bridge.port.as_ref());
        rows.extend(ports.map(|port| {
            json!({
                "iface": port, "type": "eth", "active": 1, "exists": 1, "method": "manual",
                "method6": "manual", "priority": 3, "families": ["inet"],
            })
        }));
    }
    Ok(Answer::new(Value::Array(rows)))
}

fn bridge_row(bridge: &Bridge) -> Value {
    let mut row = json!({
        "iface": bridge.name, "type": "bridge", "active": 1, "autostart": 1,
        "method": if bridge.cidr.is_some() { "static" } else { "manual" }, "method6": "manual",
        "families": ["inet"], "priority": 4, "bridge_fd": "0", "bridge_stp": "off",
        "bridge_ports": bridge.port.clone().unwrap_or_default(),
    });
    if let Some((address, netmask)) = bridge.cidr.as_deref().and_then(|cidr| cidr.split_once('/')) {
        row["cidr"] = json!(bridge.cidr);
        row["address"] = json!(address);
        row["netmask"] = json!(netmask);
    }
    if let Some(gateway) = &bridge.gateway {
        row["gateway"] = json!(gateway);
    }
    row
}

/// `GET /nodes/{node}/qemu`.
pub(crate) fn machines(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    model.node(params.node())?;
    let rows = model
        .machines
        .values()
        .filter(|machine| machine.node == params.node())
        .filter(|machine| {
            let path = format!("/vms/{}", machine.vmid);
            model.may(&caller.identity, &path, "VM.Audit")
        })
        .map(|machine| {
            json!({
                "vmid": machine.vmid, "name": machine.name, "maxmem": machine.memory,
                "maxdisk": machine.disk, "cpus": machine.cpus, "disk": 0,
                "mem": model.machine_memory(machine), "cpu": model.machine_cpu(machine),
                "uptime": if machine.running { 86_400 } else { 0 },
                "status": if machine.running { "running" } else { "stopped" },
            })
        });
    Ok(Answer::new(Value::Array(rows.collect())))
}
