//! Commands inside containers: which node owns a container, how that node is reached, whose key it must show.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as Locked, MutexGuard, PoisonError},
};

use proxmox::{NodeName, Vmid};
use saga::Failure;
use ssh::{Command, Host, HostKey, Output, Pool, Upload};
use store::Store;
use tokio::sync::Mutex;

use crate::{explain, failures, settings::SshTargets};

/// The SSH side of the cluster.
#[derive(Clone)]
pub struct Hosts(Arc<Inner>);

struct Inner {
    cluster: proxmox::Client,
    pool: Pool,
    /// Where keys that were learnt are kept; only as long as this lives, when absent.
    store: Option<Store>,
    targets: SshTargets,
    /// Keys that were looked up or learnt since the start.
    keys: Mutex<BTreeMap<String, HostKey>>,
    /// Where each container was when it was last asked for: looked at there first.
    owners: Locked<BTreeMap<Vmid, NodeName>>,
}

impl Hosts {
    /// Nothing is connected before the first command.
    pub fn new(
        cluster: proxmox::Client,
        pool: Pool,
        store: Option<Store>,
        targets: SshTargets,
    ) -> Self {
        Self(Arc::new(Inner {
            cluster,
            pool,
            store,
            targets,
            keys: Mutex::default(),
            owners: Locked::default(),
        }))
    }

    /// Runs a command in a container. Its exit code is the caller's to judge.
    pub async fn exec(&self, vmid: Vmid, doing: &str, command: Command) -> Result<Output, Failure> {
        let host = self.host_of(vmid, doing).await?;
        let outcome = self.0.pool.pct_exec(&host, vmid.get(), command).await;
        outcome.map_err(|error| explain::ssh(doing, &error))
    }

    /// Writes a file in a container.
    pub async fn upload(&self, vmid: Vmid, doing: &str, file: Upload) -> Result<(), Failure> {
        let host = self.host_of(vmid, doing).await?;
        let outcome = self.0.pool.upload(&host, vmid.get(), file).await;
        outcome.map_err(|error| explain::ssh(doing, &error))
    }

    /// Runs a command on a node itself.
    pub async fn on_node(
        &self,
        node: &NodeName,
        doing: &str,
        command: Command,
    ) -> Result<Output, Failure> {
        let host = self.host(node).await?;
        let outcome = self.0.pool.run(&host, command).await;
        outcome.map_err(|error| explain::ssh(doing, &error))
    }

    /// The node that owns a container, as the cluster says now: containers are moved by administrators and by
    /// high availability, and `pct` knows only its own node's.
    pub async fn owner(&self, vmid: Vmid) -> Result<Option<NodeName>, proxmox::Error> {
        let last = self.owners().get(&vmid).cloned();
        // The list of all guests grows with the cluster, and there is a command every moment.
        if let Some(node) = last
            && self.0.cluster.container_status(&node, vmid).await.is_ok()
        {
            return Ok(Some(node));
        }
        let guests = self.0.cluster.guests().await?;
        let guest = guests.into_iter().find(|guest| guest.vmid == vmid);
        let node = guest.map(|guest| guest.node);
        match &node {
            Some(node) => self.owners().insert(vmid, node.clone()),
            None => self.owners().remove(&vmid),
        };
        Ok(node)
    }

    fn owners(&self) -> MutexGuard<'_, BTreeMap<Vmid, NodeName>> {
        self.0.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The SSH host on which `pct` reaches a container.
    pub async fn host_of(&self, vmid: Vmid, doing: &str) -> Result<Host, Failure> {
        match self.owner(vmid).await {
            Ok(Some(node)) => self.host(&node).await,
            Ok(None) => Err(Failure::new(
                "container_missing",
                format!("The cluster does not know container {vmid} any more (met while {doing})."),
            )
            .hint("It was removed outside of Proximity; delete the app here, too.")),
            Err(error) => Err(explain::proxmox(doing, &error)),
        }
    }

    /// Connections for following logs are the pool's, too.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// How a node is reached, with the key that it must show.
    pub async fn host(&self, node: &NodeName) -> Result<Host, Failure> {
        let (address, port) = self.address(node).await?;
        let key = self.key(node, &address, port).await?;
        Ok(Host {
            node: node.to_string(),
            address,
            port,
            key,
        })
    }

    /// By the settings; else as the cluster says; else, on a single node, the API's own host.
    async fn address(&self, node: &NodeName) -> Result<(String, u16), Failure> {
        let targets = &self.0.targets;
        if let Some((address, port)) = targets.hosts.get(node.as_str()) {
            return Ok((address.clone(), *port));
        }
        let status = self.0.cluster.cluster_status().await;
        let rows = match &status {
            Ok(status) => status.nodes.as_slice(),
            // `GET /cluster/status` needs Sys.Audit on `/`, which a careful administrator may not grant.
            Err(proxmox::Error::Forbidden { .. }) => &[],
            Err(error) => return Err(explain::proxmox("looking up the node's address", error)),
        };
        let listed = rows
            .iter()
            .find(|row| row.name == *node)
            .and_then(|row| row.ip);
        match listed {
            Some(address) if rows.len() > 1 => Ok((address.to_string(), targets.port)),
            _ if rows.len() <= 1 => Ok((targets.single_host.clone(), targets.port)),
            _ => Err(Failure::new(
                "ssh_address_unknown",
                format!("The cluster does not tell at which address the node {node} is reached."),
            )
            .hint("Name it in PROXMOX_SSH_HOSTS, e.g. pve1=10.0.0.1:22.")),
        }
    }

    /// The pinned key; else the one learnt before; else the one that the node shows now, from now on enforced.
    async fn key(&self, node: &NodeName, address: &str, port: u16) -> Result<HostKey, Failure> {
        if let Some(key) = self.0.targets.keys.get(node.as_str()) {
            return Ok(key.clone());
        }
        // Held across the lookup: of two first connections only one may learn.
        let mut keys = self.0.keys.lock().await;
        if let Some(key) = keys.get(node.as_str()) {
            return Ok(key.clone());
        }
        let stored = match &self.0.store {
            Some(store) => store.known_hosts().find(node.as_str()).await,
            None => Ok(None),
        };
        let stored = stored.map_err(|error| failures::database(&error))?;
        let key = match stored.and_then(|text| text.parse().ok()) {
            Some(key) => key,
            None => self.learn(node, address, port).await?,
        };
        keys.insert(node.to_string(), key.clone());
        Ok(key)
    }

    async fn learn(&self, node: &NodeName, address: &str, port: u16) -> Result<HostKey, Failure> {
        let key = ssh::scan_host_key(address, port, self.0.targets.connect_timeout)
            .await
            .map_err(|error| explain::ssh("reading the node's SSH host key", &error))?;
        let Some(store) = &self.0.store else {
            return Ok(key);
        };
        store
            .known_hosts()
            .learn(node.as_str(), &key.to_string())
            .await
            .map_err(|error| failures::database(&error))?;
        tracing::info!(node = %node, fingerprint = %key.fingerprint(), "learnt the SSH host key of {node}");
        Ok(key)
    }
}

/// All that a command said, what it printed before what it complained.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}\n{}",
        output.stdout_text().trim_end(),
        output.stderr_text()
    )
}
