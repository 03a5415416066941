//! Creating a container: the number is reserved while the call lasts, the rest is the task `vzcreate`.
//!
//! Until its template is unpacked a container's configuration holds nothing but `lock: create`: neither
//! tags nor description can tell whose it is. A failed creation leaves nothing.

use std::collections::BTreeMap;

use super::configure::check_options;
use super::value::{allocate, normalise};
use super::{Caller, Worker};
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::container::Container;
use crate::model::template;
use crate::options::{ErrorStyle, MIB};
use crate::params::Params;
use crate::schema::container::CREATION;

/// What the task needs to know.
struct Order {
    node: String,
    vmid: u32,
    incarnation: u64,
    template: String,
    template_storage: String,
    /// The configuration to be.
    config: BTreeMap<String, String>,
    start: bool,
}

impl Cluster {
    /// `POST /nodes/{node}/lxc`: reserves the number and returns the task that does the rest.
    pub(crate) fn create_container(
        &self,
        caller: &Caller,
        params: &Params,
    ) -> Result<String, Failure> {
        let order = {
            let mut model = self.model();
            let old = self.error_style() == ErrorStyle::ReasonOnly;
            let order = check(&model, caller, params, old)?;
            let mut container =
                Container::reserve(order.vmid, &order.node, &order.template, BTreeMap::new());
            container.incarnation = order.incarnation;
            container.pool = params.text("pool").map(str::to_owned);
            model.containers.insert(order.vmid, container);
            order
        };
        let (node, id) = (order.node.clone(), order.vmid.to_string());
        let caller_of_start = Caller {
            identity: caller.identity.clone(),
            fault: None,
        };
        Ok(self.spawn_task(caller, &node, "vzcreate", &id, |worker| {
            run(worker, order, caller_of_start)
        }))
    }
}

fn check(model: &Model, caller: &Caller, params: &Params, old: bool) -> Result<Order, Failure> {
    let (node, vmid, who) = (params.node(), params.vmid(), &caller.identity);
    model.check_quorum()?;
    if let Some(text) = model.taken(vmid) {
        return Err(Failure::died(text));
    }
    let pool = params.text("pool");
    if let Some(pool) = pool.filter(|pool| !model.pools.contains(*pool)) {
        return Err(Failure::died(format!("pool '{pool}' does not exist")));
    }
    model.check_guest(who, vmid, pool, "VM.Allocate")?;
    if params.flag("restore") || params.flag("force") {
        return Err(Failure::died(
            "unable to restore CT: the simulated cluster has no backups",
        ));
    }
    let unprivileged = params
        .text("unprivileged")
        .map_or(!old, |value| value == "1");
    if !unprivileged {
        model.check(who, "/", "Sys.Modify")?;
    }
    let mut options = options(params);
    options.remove("unprivileged");
    if unprivileged {
        options.insert("unprivileged".to_owned(), "1".to_owned());
    }
    check_options(model, who, vmid, pool, &options, None)?;
    let (template_storage, template) = template_of(model, caller, node, params)?;
    let config = configuration(model, caller, params, options, &template)?;
    Ok(Order {
        node: node.to_owned(),
        vmid,
        incarnation: rand::random(),
        template,
        template_storage,
        config,
        start: params.flag("start"),
    })
}

/// The parameters that go into the configuration.
fn options(params: &Params) -> BTreeMap<String, String> {
    let only_here = |name: &str| CREATION.iter().any(|parameter| parameter.name == name);
    params
        .0
        .iter()
        .filter(|(name, _)| !only_here(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn template_of(
    model: &Model,
    caller: &Caller,
    node: &str,
    params: &Params,
) -> Result<(String, String), Failure> {
    let given = params.required("ostemplate");
    if given.starts_with('/') {
        return Err(if caller.identity.is_root() {
            Failure::died(format!("can't find archive file '{given}'"))
        } else {
            Failure::died("Only root can pass arbitrary filesystem paths.")
        });
    }
    let (storage, file) = given
        .split_once(":vztmpl/")
        .ok_or_else(|| Failure::died(format!("unable to parse volume ID '{given}'")))?;
    model.storages.usable(node, storage)?;
    let path = format!("/storage/{storage}");
    model.check_any(
        &caller.identity,
        &path,
        &["Datastore.AllocateSpace", "Datastore.Audit"],
    )?;
    Ok((storage.to_owned(), file.to_owned()))
}

/// The configuration as it will be written once the template is unpacked.
fn configuration(
    model: &Model,
    caller: &Caller,
    params: &Params,
    mut config: BTreeMap<String, String>,
    template: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let (node, vmid) = (params.node(), params.vmid());
    let default_storage = params.text("storage").unwrap_or("local");
    config
        .entry("rootfs".to_owned())
        .or_insert_with(|| format!("{default_storage}:4"));
    for (key, value) in [
        ("hostname", format!("CT{vmid}")),
        ("memory", "512".to_owned()),
        ("swap", "512".to_owned()),
        ("arch", template::architecture(template).to_owned()),
        ("ostype", template::ostype(template).to_owned()),
    ] {
        config.entry(key.to_owned()).or_insert(value);
    }
    let volumes: Vec<String> = config
        .keys()
        .filter(|key| *key == "rootfs" || key.starts_with("mp"))
        .cloned()
        .collect();
    for (number, key) in volumes.iter().rev().enumerate() {
        let value = allocate(
            model,
            caller,
            node,
            vmid,
            (key, &config[key]),
            (default_storage, number),
        )?;
        config.insert(key.clone(), value);
    }
    for (key, value) in &mut config {
        *value = normalise(key, value);
    }
    Ok(config)
}

async fn run(worker: Worker, order: Order, caller: Caller) -> Result<(), String> {
    let cluster = worker.cluster.clone();
    let _locked = worker.lock_config(order.vmid).await?;
    let made = worker.interruptible(make(&worker, &order)).await;
    if let Err(text) = made {
        // Whatever the guest's side had begun goes first, then the number is free for anyone.
        let _ = cluster.guests().destroy(order.vmid).await;
        let mut model = cluster.model();
        let own = |container: &Container| container.incarnation == order.incarnation;
        if model.containers.get(&order.vmid).is_some_and(own) {
            model.containers.remove(&order.vmid);
        }
        return Err(format!("unable to create CT {} - {text}", order.vmid));
    }
    if let Ok(container) = cluster.model().container_mut(&order.node, order.vmid) {
        container.lock = None;
    }
    if order.start {
        // The start is a task of its own; this one does not wait for it.
        let _ = cluster.start_container(&caller, &order.node, order.vmid, false);
    }
    Ok(())
}

async fn make(worker: &Worker, order: &Order) -> Result<(), String> {
    make_disk(worker, order).await?;
    let path = {
        let model = worker.cluster.model();
        let volid = format!("{}:vztmpl/{}", order.template_storage, order.template);
        model
            .storages
            .get(&order.node, &order.template_storage)
            .filter(|storage| storage.templates.contains_key(&order.template))
            .ok_or_else(|| format!("volume '{volid}' does not exist"))?;
        format!("/var/lib/vz/template/cache/{}", order.template)
    };
    worker.log(format!("extracting archive '{path}'"));
    worker.pace(1500).await;
    worker
        .fault(&format!(
            "command 'lxc-usernsexec -m u:0:100000:65536 -m g:0:100000:65536 -- tar xpf - -J --totals --one-file-system -p --sparse --numeric-owner --acls --xattrs -C /var/lib/lxc/{}/rootfs' failed: exit code 2",
            order.vmid
        ))
        .await?;
    let mut container = Container::reserve(
        order.vmid,
        &order.node,
        &order.template,
        order.config.clone(),
    );
    let spec = container.spec();
    let log = |line: String| worker.log(line);
    worker.cluster.guests().create(&spec, &log).await?;
    worker.log(format!(
        "Detected container architecture: {}",
        template::architecture(&order.template)
    ));
    container.disk_used = worker.cluster.guests().disk_used(order.vmid).await;
    {
        let mut model = worker.cluster.model();
        let Some(reserved) = model.containers.get_mut(&order.vmid) else {
            return Err(crate::model::missing_config(&order.node, order.vmid));
        };
        reserved.config = std::mem::take(&mut container.config);
        reserved.disk_used = container.disk_used;
    }
    worker.pace(500).await;
    Ok(())
}

async fn make_disk(worker: &Worker, order: &Order) -> Result<(), String> {
    let container = Container::reserve(
        order.vmid,
        &order.node,
        &order.template,
        order.config.clone(),
    );
    let (storage, thin) = {
        let model = worker.cluster.model();
        let name = container.storage().unwrap_or_default();
        let storage = model
            .storages
            .usable(&order.node, &name)
            .map_err(|failure| failure.text)?;
        let free = storage.total - model.storage_used(&order.node, &name);
        // A thin pool refuses new volumes a little before it is full.
        if free < (storage.total / 50).min(512 * MIB) {
            return Err(storage.full_text(order.vmid));
        }
        (name, storage.kind == "lvmthin")
    };
    if thin {
        worker.log(format!(
            "  Logical volume \"vm-{}-disk-0\" created.",
            order.vmid
        ));
        worker.log(format!(
            "  Logical volume pve/vm-{}-disk-0 changed.",
            order.vmid
        ));
    } else {
        worker.log(format!(
            "Formatting '/mnt/pve/{storage}/images/{0}/vm-{0}-disk-0.raw', fmt=raw size={1} preallocation=off",
            order.vmid,
            container.disk()
        ));
    }
    worker.log(format!(
        "Creating filesystem with {} 4k blocks and {} inodes",
        container.disk() / 4096,
        container.disk() / 16384
    ));
    worker.pace(900).await;
    Ok(())
}
