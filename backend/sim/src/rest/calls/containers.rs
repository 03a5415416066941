//! Calls about containers.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::guests::GuestInterface;
use crate::model::Model;
use crate::model::container::Container;
use crate::options::ErrorStyle;
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::work::Caller;

fn check_audit(model: &Model, caller: &Caller, vmid: u32) -> Result<(), Failure> {
    let pool = model
        .containers
        .get(&vmid)
        .and_then(|container| container.pool.clone());
    model.check_guest(&caller.identity, vmid, pool.as_deref(), "VM.Audit")
}

/// `GET /nodes/{node}/lxc`.
pub(crate) async fn list(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh().await;
    let model = cluster.model();
    let node = model.node(params.node())?;
    let rows = model
        .containers
        .values()
        .filter(|container| container.node == node.name)
        .filter(|container| check_audit(&model, caller, container.vmid).is_ok())
        .map(|container| {
            let mut row = numbers(&model, container, node.cpus);
            // This list is the one that shows numbers as text.
            for key in ["vmid", "pid", "maxdisk", "disk"] {
                if let Some(number) = row.get(key).and_then(Value::as_u64) {
                    row[key] = json!(number.to_string());
                }
            }
            row
        });
    Ok(Answer::new(Value::Array(rows.collect())))
}

fn numbers(model: &Model, container: &Container, node_cpus: u32) -> Value {
    let mut row = json!({
        "vmid": container.vmid, "type": "lxc", "name": container.name(),
        "status": container.status(), "cpus": container.cores().unwrap_or(node_cpus),
        "cpu": 0, "maxmem": container.memory(), "mem": model.container_memory(container),
        "maxswap": container.swap(), "swap": 0, "maxdisk": container.disk(),
        "disk": if container.running { container.disk_used } else { 0 },
        "uptime": container.uptime(), "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0,
    });
    if container.running {
        row["pid"] = json!(container.pid());
        row["cpu"] = json!(model.container_cpu(container));
    }
    if let Some(lock) = &container.lock {
        row["lock"] = json!(lock);
    }
    if let Some(tags) = container.get("tags") {
        row["tags"] = json!(tags);
    }
    row
}

/// `GET …/status/current`.
pub(crate) async fn status(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    check_audit(&cluster.model(), caller, params.vmid())?;
    cluster.refresh_guest(params.vmid()).await;
    let model = cluster.model();
    let node = model.node(params.node())?;
    let container = model.container(&node.name, params.vmid())?;
    let mut row = numbers(&model, container, node.cpus);
    row["ha"] = json!({ "managed": 0 });
    Ok(Answer::new(row))
}

/// `GET …/config`: as it will be after the next start; with `current`, as it is.
pub(crate) fn config(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    check_audit(&model, caller, params.vmid())?;
    let container = model.container(params.node(), params.vmid())?;
    if let Some(snapshot) = params.text("snapshot") {
        return Err(Failure::died(format!(
            "snapshot '{snapshot}' does not exist"
        )));
    }
    let texts = cluster.error_style() == ErrorStyle::ReasonOnly;
    Ok(Answer::new(
        container.config_json(params.flag("current"), texts),
    ))
}

/// `PUT …/config`.
pub(crate) async fn set_config(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    cluster.configure(caller, params).await?;
    Ok(Answer::nothing())
}

/// `POST …/status/start`.
pub(crate) async fn start(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    cluster
        .start_container(
            caller,
            params.node(),
            params.vmid(),
            params.flag("skiplock"),
        )
        .map(Answer::text)
}

/// `POST …/status/stop`.
pub(crate) async fn stop(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    cluster
        .stop_container(
            caller,
            params.node(),
            params.vmid(),
            params.flag("skiplock"),
        )
        .map(Answer::text)
}

/// `POST …/status/shutdown`.
pub(crate) async fn shutdown(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    let timeout = params.integer("timeout").unwrap_or(60);
    let force = params.flag("forceStop");
    cluster
        .shutdown_container(caller, params.node(), params.vmid(), timeout, force)
        .map(Answer::text)
}

/// `POST …/status/reboot`.
pub(crate) async fn reboot(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    let timeout = params.integer("timeout").unwrap_or(60);
    cluster
        .reboot_container(caller, params.node(), params.vmid(), timeout)
        .map(Answer::text)
}

/// `DELETE /nodes/{node}/lxc/{vmid}`.
pub(crate) async fn delete(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh_guest(params.vmid()).await;
    let (force, purge) = (params.flag("force"), params.flag("purge"));
    cluster
        .destroy_container(caller, params.node(), params.vmid(), force, purge)
        .map(Answer::text)
}

/// `GET …/interfaces`: `null` when the container does not run.
pub(crate) async fn interfaces(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let vmid = params.vmid();
    let spec = {
        let model = cluster.model();
        check_audit(&model, caller, vmid)?;
        let container = model.container(params.node(), vmid)?;
        let neighbour = container.foreign && container.running;
        neighbour.then(|| container.spec())
    };
    let found = match spec {
        Some(spec) => spec
            .address
            .as_deref()
            .and_then(|address| address.split_once('/'))
            .and_then(|(address, prefix)| Some((address.parse().ok()?, prefix.parse().ok()?)))
            .map(|address| {
                vec![GuestInterface {
                    name: "eth0".to_owned(),
                    hwaddr: spec.hwaddr.to_lowercase(),
                    addresses: vec![address],
                }]
            }),
        None => cluster.guests().interfaces(vmid).await,
    };
    let new = cluster.error_style() == ErrorStyle::Message;
    Ok(match found {
        None => Answer::nothing(),
        Some(found) => {
            let rows = found.iter().map(|interface| interface_row(interface, new));
            Answer::new(Value::Array(rows.collect()))
        }
    })
}

fn interface_row(interface: &GuestInterface, new: bool) -> Value {
    let mut row = json!({ "name": interface.name, "hwaddr": interface.hwaddr });
    let mut structured = Vec::new();
    for (address, prefix) in &interface.addresses {
        let family = if address.is_ipv4() { "inet" } else { "inet6" };
        // The old fields keep only the last address of a family.
        row[family] = json!(format!("{address}/{prefix}"));
        structured.push(json!({
            "ip-address": address, "ip-address-type": family, "prefix": prefix.to_string(),
        }));
    }
    if new {
        row["hardware-address"] = json!(interface.hwaddr);
        row["ip-addresses"] = Value::Array(structured);
    }
    row
}
