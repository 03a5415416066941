//! The simulation's own calls under `/sim`: look at everything, make things go wrong.
//!
//! They ask for no login; the simulator listens on loopback.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::faults::Rule;
use crate::hand::{ContainerChange, Stranger};
use crate::pct;

/// Body of `PUT /sim/faults`: replaces all faults.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultList {
    /// The faults, in order of precedence.
    pub faults: Vec<Rule>,
}

/// Body of `PUT /sim/nodes/{node}`; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeChange {
    /// Whether the node can be reached. What runs on it goes on meanwhile.
    pub online: Option<bool>,
    /// Whether it is in maintenance (`hastate`).
    pub maintenance: Option<bool>,
    /// Bytes that the host itself and others use.
    pub memory_used: Option<u64>,
    /// Load of the processors, 0 to 1.
    pub cpu: Option<f64>,
    /// Version of the package `lxc-pve`, as the node's own package manager tells it.
    pub lxc_pve: Option<String>,
    /// Power loss: its workers are gone (locks stay), its containers are off.
    pub crash: bool,
    /// Changes to its storages by name.
    pub storages: BTreeMap<String, StorageChange>,
}

/// A change to one storage; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageChange {
    /// Bytes that others use.
    pub used: Option<u64>,
    /// Whether it is reachable.
    pub active: Option<bool>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Removes all container templates that it holds.
    pub without_templates: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PctCall {
    node: String,
    /// Without the leading `pct`.
    argv: Vec<String>,
}

type Refusal = (StatusCode, Json<Value>);

fn refuse(status: StatusCode, text: &str) -> Refusal {
    (status, Json(json!({ "message": text })))
}

/// The routes under `/sim`.
pub(crate) fn router() -> Router<Cluster> {
    Router::new()
        .route("/sim/state", get(state))
        .route("/sim/faults", get(faults).put(set_faults))
        .route("/sim/visits", get(visits))
        .route("/sim/nodes/{node}", put(change_node))
        .route("/sim/containers", post(settle))
        .route(
            "/sim/containers/{vmid}",
            put(change_container).delete(destroy),
        )
        .route("/sim/expire-tickets", post(expire))
        .route("/sim/pct", post(run_pct))
}

async fn state(State(cluster): State<Cluster>) -> Json<Value> {
    Json(cluster.state().await)
}

async fn faults(State(cluster): State<Cluster>) -> Json<FaultList> {
    let faults = cluster.faults().rules();
    Json(FaultList { faults })
}

/// Query of `GET /sim/visits`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    /// Only visits with a greater number.
    #[serde(default)]
    after: u64,
}

async fn visits(State(cluster): State<Cluster>, Query(since): Query<Since>) -> Json<Value> {
    Json(json!({ "visits": cluster.faults().visits(since.after) }))
}

async fn set_faults(
    State(cluster): State<Cluster>,
    Json(list): Json<FaultList>,
) -> Result<Json<FaultList>, Refusal> {
    cluster
        .faults()
        .set(list.faults)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, &error.to_string()))?;
    Ok(faults(State(cluster)).await)
}

async fn change_node(
    State(cluster): State<Cluster>,
    Path(node): Path<String>,
    Json(change): Json<NodeChange>,
) -> Result<StatusCode, Refusal> {
    cluster
        .change_node(&node, &change)
        .await
        .map_err(|text| refuse(StatusCode::NOT_FOUND, &text))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn settle(
    State(cluster): State<Cluster>,
    Json(stranger): Json<Stranger>,
) -> Result<StatusCode, Refusal> {
    cluster
        .settle(&stranger)
        .map_err(|text| refuse(StatusCode::CONFLICT, &text))?;
    Ok(StatusCode::CREATED)
}

async fn change_container(
    State(cluster): State<Cluster>,
    Path(vmid): Path<u32>,
    Json(change): Json<ContainerChange>,
) -> Result<StatusCode, Refusal> {
    cluster
        .change_container(vmid, &change)
        .await
        .map_err(|text| refuse(StatusCode::NOT_FOUND, &text))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn destroy(
    State(cluster): State<Cluster>,
    Path(vmid): Path<u32>,
) -> Result<StatusCode, Refusal> {
    if cluster.destroy_by_hand(vmid).await {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(refuse(StatusCode::NOT_FOUND, "there is no such container"))
    }
}

async fn expire(State(cluster): State<Cluster>) -> StatusCode {
    cluster.expire_tickets();
    StatusCode::NO_CONTENT
}

async fn run_pct(
    State(cluster): State<Cluster>,
    Json(call): Json<PctCall>,
) -> Result<Json<pct::PctOutput>, Refusal> {
    if !cluster.nodes().iter().any(|(name, _)| *name == call.node) {
        return Err(refuse(StatusCode::NOT_FOUND, "there is no such node"));
    }
    Ok(Json(pct::run(&cluster, &call.node, &call.argv).await))
}

impl Cluster {
    /// The version of `lxc-pve` on a node.
    pub(crate) fn lxc_pve(&self, node: &str) -> Option<String> {
        Some(self.model().nodes.get(node)?.lxc_pve.clone())
    }

    /// Makes all tickets worthless at once.
    pub fn expire_tickets(&self) {
        self.model().identities.expire();
    }

    /// Changes what a node is like. The error says what is not there.
    pub async fn change_node(&self, name: &str, change: &NodeChange) -> Result<(), String> {
        {
            let mut model = self.model();
            let node = model
                .nodes
                .get_mut(name)
                .ok_or_else(|| format!("there is no node '{name}'"))?;
            node.online = change.online.unwrap_or(node.online);
            node.maintenance = change.maintenance.unwrap_or(node.maintenance);
            node.memory_used = change.memory_used.unwrap_or(node.memory_used);
            node.cpu = change.cpu.unwrap_or(node.cpu);
            if let Some(version) = &change.lxc_pve {
                node.lxc_pve.clone_from(version);
            }
            for (storage, change) in &change.storages {
                let storage = model
                    .storages
                    .get_mut(name, storage)
                    .ok_or_else(|| format!("there is no storage '{storage}'"))?;
                storage.used = change.used.unwrap_or(storage.used).min(storage.total);
                storage.active = change.active.unwrap_or(storage.active);
                storage.enabled = change.enabled.unwrap_or(storage.enabled);
                if change.without_templates {
                    storage.templates.clear();
                }
            }
        }
        if change.crash {
            self.crash(name).await;
        }
        Ok(())
    }

    async fn crash(&self, node: &str) {
        self.kill_tasks(|task| task.node == node).await;
        let guests: Vec<u32> = {
            let mut model = self.model();
            let here = model
                .containers
                .values_mut()
                .filter(|container| container.node == node);
            here.map(|container| {
                container.running = false;
                container.started = None;
                (container.vmid, container.foreign)
            })
            .filter(|(_, foreign)| !foreign)
            .map(|(vmid, _)| vmid)
            .collect()
        };
        for vmid in guests {
            // A guest that cannot be killed is found running by the next look.
            let _ = self.guests().stop(vmid).await;
        }
    }

    /// Everything there is to know, as `GET /sim/state` tells it. `containers` are those made through the
    /// API; `neighbours` are the virtual machines and containers that were there before.
    pub async fn state(&self) -> Value {
        self.refresh().await;
        let guests = self.guests().inventory();
        let model = self.model();
        let nodes: Vec<Value> = model
            .nodes
            .values()
            .map(|node| {
                json!({
                    "node": node.name, "online": node.online, "maintenance": node.maintenance,
                    "address": node.address, "architecture": node.architecture,
                    "memory": node.memory, "memory_used": model.memory_used(node),
                    "cpus": node.cpus, "cpu": node.cpu,
                })
            })
            .collect();
        let (foreign, own): (Vec<_>, Vec<_>) =
            model.containers.values().partition(|one| one.foreign);
        let containers: Vec<Value> = own
            .into_iter()
            .map(|container| {
                json!({
                    "vmid": container.vmid, "node": container.node, "template": container.template,
                    "status": container.status(), "lock": container.lock,
                    "pool": container.pool, "config": container.config_json(true, false),
                    "pending": container.pending,
                    "memory_used": container.memory_used, "disk_used": container.disk_used,
                })
            })
            .collect();
        let locks: BTreeMap<String, &str> = model
            .containers
            .values()
            .filter_map(|one| Some((one.vmid.to_string(), one.lock.as_deref()?)))
            .collect();
        let neighbours: Vec<Value> = foreign
            .into_iter()
            .map(|one| {
                json!({
                    "vmid": one.vmid, "node": one.node, "type": "lxc", "status": one.status(),
                    "lock": one.lock, "config": one.config_json(true, false),
                })
            })
            .chain(model.machines.values().map(|one| {
                let status = if one.running { "running" } else { "stopped" };
                json!({ "vmid": one.vmid, "node": one.node, "type": "qemu", "status": status })
            }))
            .collect();
        let mut storages = Vec::new();
        for node in model.nodes.values() {
            storages.extend(model.storages.of(&node.name).into_iter().map(|storage| {
                json!({
                    "node": node.name, "storage": storage.name, "type": storage.kind,
                    "content": storage.content, "shared": storage.shared,
                    "enabled": storage.enabled, "active": storage.active, "total": storage.total,
                    "used": model.storage_used(&node.name, &storage.name),
                    "templates": storage.templates.keys().collect::<Vec<_>>(),
                })
            }));
        }
        let tasks: Vec<Value> = model
            .tasks
            .all()
            .map(|task| {
                let mut shown = task.status_json();
                shown["log"] = json!(task.log);
                shown
            })
            .collect();
        json!({
            "nodes": nodes, "containers": containers, "guests": guests, "neighbours": neighbours, "locks": locks,
            "storages": storages, "tasks": tasks, "faults": self.faults().rules(),
        })
    }
}
