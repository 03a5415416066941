//! Calls about storages and templates.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::storage::Storage;
use crate::model::template;
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::schema::format;
use crate::work::Caller;

/// `GET /nodes/{node}/storage`.
pub(crate) async fn list(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    cluster.refresh().await;
    let model = cluster.model();
    let node = params.node();
    model.node(node)?;
    let contents: Vec<&str> = params
        .text("content")
        .map(|list| format::items(list).collect())
        .unwrap_or_default();
    let rows = model
        .storages
        .of(node)
        .into_iter()
        .filter(|storage| may_see(&model, caller, &storage.name))
        .filter(|storage| contents.is_empty() || contents.iter().any(|one| storage.holds(one)))
        .filter(|storage| storage.enabled || !params.flag("enabled"))
        .filter(|storage| {
            params
                .text("storage")
                .is_none_or(|name| name == storage.name)
        })
        .map(|storage| row(&model, node, storage));
    Ok(Answer::new(Value::Array(rows.collect())))
}

fn may_see(model: &Model, caller: &Caller, storage: &str) -> bool {
    let path = format!("/storage/{storage}");
    ["Datastore.Audit", "Datastore.AllocateSpace"]
        .iter()
        .any(|privilege| model.may(&caller.identity, &path, privilege))
}

fn row(model: &Model, node: &str, storage: &Storage) -> Value {
    let mut row = json!({
        "storage": storage.name, "type": storage.kind, "content": storage.content.join(","),
        "shared": u8::from(storage.shared), "enabled": u8::from(storage.enabled),
        "active": u8::from(storage.active && storage.enabled),
    });
    if storage.active && storage.enabled {
        let used = model.storage_used(node, &storage.name);
        row["total"] = json!(storage.total);
        row["used"] = json!(used);
        row["avail"] = json!(storage.total - used);
        #[expect(clippy::cast_precision_loss, reason = "a fraction for people")]
        let fraction = used as f64 / storage.total as f64;
        row["used_fraction"] = json!(fraction);
    } else {
        for key in ["total", "used", "avail"] {
            row[key] = json!(0);
        }
    }
    row
}

/// `GET /nodes/{node}/storage/{storage}/content`.
pub(crate) fn content(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    let (node, name) = (params.node(), params.required("storage"));
    model.check_any(
        &caller.identity,
        &format!("/storage/{name}"),
        &["Datastore.Audit", "Datastore.AllocateSpace"],
    )?;
    let storage = model.storages.usable(node, name)?;
    let wants = |kind: &str| params.text("content").is_none_or(|wanted| wanted == kind);
    let mut rows = Vec::new();
    if wants("vztmpl") && params.text("vmid").is_none() {
        rows.extend(storage.templates.iter().map(|(file, stored)| {
            json!({
                "volid": format!("{name}:vztmpl/{file}"), "content": "vztmpl",
                "format": template::format(file),
                "size": stored.size, "ctime": stored.created,
            })
        }));
    }
    if wants("rootdir") {
        let owned = model.containers.values().filter(|container| {
            let here = storage.shared || container.node == node;
            let asked = params
                .text("vmid")
                .is_none_or(|vmid| vmid == container.vmid.to_string());
            here && asked && container.storage().as_deref() == Some(name)
        });
        rows.extend(owned.map(|container| {
            json!({
                "volid": container.volume(), "content": "rootdir", "format": "raw",
                "size": container.disk(), "vmid": container.vmid,
            })
        }));
    }
    Ok(Answer::new(Value::Array(rows)))
}

/// `GET /nodes/{node}/aplinfo`.
pub(crate) fn index(cluster: &Cluster) -> Answer {
    let model = cluster.model();
    let rows = model.offers.iter().map(|offer| {
        json!({
            "template": offer.template, "package": offer.package, "version": offer.version,
            "type": "lxc", "os": offer.os, "section": offer.section,
            "architecture": offer.architecture, "headline": offer.headline,
            "description": offer.headline, "infopage": "https://linuxcontainers.org",
            "location": format!("http://download.proxmox.com/images/system/{}", offer.template),
            "source": "http://download.proxmox.com/images", "sha512sum": offer.sha512,
        })
    });
    Answer::new(Value::Array(rows.collect()))
}
