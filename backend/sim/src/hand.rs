//! What people do to containers behind everybody's back: edit them, move them, make their own.
//!
//! No task, no privilege, no lock respected: as root with an editor in `/etc/pve` does it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::guests::{Output, Process};
use crate::model::container::{Container, random_hwaddr};
use crate::model::template;
use crate::options::MIB;

/// Body of `PUT /sim/containers/{vmid}`; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerChange {
    /// Moves it there, as a migration that is over.
    pub node: Option<String>,
    /// Lines of its configuration file; null deletes one.
    pub config: BTreeMap<String, Option<String>>,
    /// Locks it, as a backup does; an empty text unlocks it.
    pub lock: Option<String>,
    /// Starts it or pulls its plug.
    pub running: Option<bool>,
}

/// Body of `POST /sim/containers`: a container of somebody else. There is no guest behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    /// Its number.
    pub vmid: u32,
    /// Its node.
    pub node: String,
    /// Lines of its configuration beside the usual ones.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

impl Cluster {
    /// Changes a container by hand. The error says what is not there.
    pub async fn change_container(
        &self,
        vmid: u32,
        change: &ContainerChange,
    ) -> Result<(), String> {
        let (spec, was_running) = {
            let mut model = self.model();
            if let Some(node) = &change.node
                && !model.nodes.contains_key(node)
            {
                return Err(format!("there is no node '{node}'"));
            }
            let container = model
                .containers
                .get_mut(&vmid)
                .ok_or("there is no such container")?;
            if let Some(node) = &change.node {
                container.node.clone_from(node);
            }
            if let Some(lock) = &change.lock {
                container.lock = Some(lock.clone()).filter(|lock| !lock.is_empty());
            }
            for (key, value) in &change.config {
                container.set(key, value.clone());
            }
            let mut future = container.clone();
            future.apply_pending();
            (
                (!container.foreign).then(|| future.spec()),
                container.running,
            )
        };
        let Some(spec) = spec else {
            return Ok(());
        };
        self.guests().reconfigure(&spec).await?;
        match change.running {
            Some(true) if !was_running => self.guests().start(vmid).await?,
            Some(false) if was_running => self.guests().stop(vmid).await?,
            _ => {}
        }
        self.refresh_guest(vmid).await;
        Ok(())
    }

    /// Runs a command in a running container, as `pct exec` on its node does; answers its exit code and what it
    /// printed.
    pub async fn exec_by_hand(&self, vmid: u32, argv: &[&str]) -> (i32, String) {
        let (stdin, nothing) = mpsc::channel(1);
        drop(stdin);
        let (output, mut printed) = mpsc::channel(16);
        let path = ("PATH", "/sbin:/bin:/usr/sbin:/usr/bin");
        let process = Process {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: vec![(path.0.to_owned(), path.1.to_owned())],
            stdin: nothing,
            output,
            killed: CancellationToken::new(),
        };
        let reading = async {
            let mut all = Vec::new();
            while let Some(piece) = printed.recv().await {
                if let Output::Stdout(bytes) = piece {
                    all.extend_from_slice(&bytes);
                }
            }
            String::from_utf8_lossy(&all).into_owned()
        };
        let guests = self.guests();
        tokio::join!(guests.exec(vmid, process), reading)
    }

    /// Somebody else makes a container, at once. The error says why not.
    pub fn settle(&self, stranger: &Stranger) -> Result<(), String> {
        let mut model = self.model();
        if !model.nodes.contains_key(&stranger.node) {
            return Err(format!("there is no node '{}'", stranger.node));
        }
        if let Some(text) = model.taken(stranger.vmid) {
            return Err(text);
        }
        let vmid = stranger.vmid;
        let mut config: BTreeMap<String, String> = [
            ("arch", "amd64".to_owned()),
            ("hostname", format!("stranger-{vmid}")),
            ("memory", "512".to_owned()),
            (
                "net0",
                format!(
                    "name=eth0,bridge=vmbr0,hwaddr={},ip=dhcp,type=veth",
                    random_hwaddr()
                ),
            ),
            ("ostype", "debian".to_owned()),
            ("rootfs", format!("local-lvm:vm-{vmid}-disk-0,size=4G")),
            ("swap", "512".to_owned()),
            ("unprivileged", "1".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        config.extend(stranger.config.clone());
        let mut container = Container::reserve(vmid, &stranger.node, template::OTHER, config);
        container.lock = None;
        container.foreign = true;
        container.running = true;
        container.started = Some(crate::clock::now());
        container.memory_used = 96 * MIB;
        container.disk_used = 1300 * MIB;
        model.containers.insert(vmid, container);
        Ok(())
    }
}
