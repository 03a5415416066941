//! Starting a cluster, and holding on to one that runs.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::control::NodeChange;
use crate::faults::{Faults, Rule, WrongRule};
use crate::guests::Guests;
use crate::guests::modelled::Modelled;
use crate::guests::modelled::loopback::Loopback;
use crate::hand::{ContainerChange, Stranger};
use crate::model::identity::random_uuid;
use crate::options::{Addresses, GuestsKind, Options, SshServers};
use crate::rest::server::{self, Certificate};
use crate::ssh;

/// A cluster that can be reached. Dropping it stops everything without waiting; see [`Running::shutdown`].
#[derive(Debug)]
pub struct Running {
    cluster: Cluster,
    /// Where the REST API listens.
    pub api: SocketAddr,
    /// SSH address of each node: `pve1=127.0.0.10:40001,pve2=…`.
    pub ssh_hosts: String,
    /// SSH host key of each node: `pve1=ssh-ed25519 AAAA…,pve2=…`.
    pub ssh_host_keys: String,
    /// `root@pam`; `root` over SSH has the same password.
    pub user: String,
    /// Password of the user.
    pub password: String,
    /// An API token of root, with all its privileges.
    pub token_id: String,
    /// Secret of the token.
    pub token_secret: String,
    /// SHA-256 fingerprint of the REST API's certificate: upper case, colons.
    pub fingerprint: String,
}

impl Cluster {
    /// Starts a simulated cluster; when it returns, all its ports are open.
    pub async fn start(options: Options) -> io::Result<Running> {
        let faults = Arc::new(Faults::new());
        let password = options.password.clone().unwrap_or_else(random_uuid);
        let certificate = Certificate::new(names(&options))?;
        let fingerprint = certificate.fingerprint();
        let (guests, modelled) = guests(&options, &faults).await?;
        let cluster = Self::new(
            &options,
            password.clone(),
            fingerprint.clone(),
            guests,
            faults,
        );
        if let Some(modelled) = modelled {
            modelled.open(cluster.tracker(), cluster.shutdown_token());
        }
        // Whatever fails from here on, what was started stops when `running` goes.
        let mut running = Running {
            api: options.listen,
            ssh_hosts: String::new(),
            ssh_host_keys: String::new(),
            user: "root@pam".to_owned(),
            password,
            token_id: "root@pam!proximity".to_owned(),
            token_secret: String::new(),
            fingerprint,
            cluster,
        };
        running.token_secret = running.token_secret_of("root@pam!proximity");
        running.api = server::start(&running.cluster, options.listen, certificate).await?;
        let port = options.ssh_listen.port();
        match options.ssh {
            SshServers::Elsewhere => running.ssh_hosts = hosts(&running.cluster, port),
            SshServers::Own => {
                let doors = ssh::start(&running.cluster, &options).await?;
                (running.ssh_hosts, running.ssh_host_keys) = (doors.hosts, doors.keys);
            }
        }
        Ok(running)
    }
}

fn hosts(cluster: &Cluster, port: u16) -> String {
    let nodes = cluster.nodes().into_iter();
    let hosts: Vec<String> = nodes
        .map(|(name, address)| format!("{name}={}", SocketAddr::new(address, port)))
        .collect();
    hosts.join(",")
}

fn names(options: &Options) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), options.listen.ip().to_string()];
    names.extend(options.nodes.iter().map(|node| node.name.clone()));
    names.dedup();
    names
}

/// The guests, and the same once more where they are modelled ones.
async fn guests(
    options: &Options,
    faults: &Arc<Faults>,
) -> io::Result<(Arc<dyn Guests>, Option<Arc<Modelled>>)> {
    if let GuestsKind::Custom(guests) = &options.guests {
        return Ok((Arc::clone(guests), None));
    }
    let mut modelled = Modelled::new(Arc::clone(faults), options.pace);
    if options.addresses == Addresses::Loopback {
        modelled = modelled.on(Loopback::take().await?);
    }
    let modelled = Arc::new(modelled);
    Ok((Arc::clone(&modelled) as Arc<dyn Guests>, Some(modelled)))
}

impl Running {
    /// The cluster itself.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Secret of one of the tokens: `root@pam!proximity`, `proximity@pve!deploy` (enough to deploy),
    /// `proximity@pve!limited` (may only look). Empty for any other.
    pub fn token_secret_of(&self, token: &str) -> String {
        let model = self.cluster.model();
        model
            .identities
            .secret(token)
            .unwrap_or_default()
            .to_owned()
    }

    /// Everything there is to know; the same as `GET /sim/state`.
    pub async fn state(&self) -> Value {
        self.cluster.state().await
    }

    /// Replaces all faults.
    pub fn set_faults(&self, rules: Vec<Rule>) -> Result<(), WrongRule> {
        self.cluster.faults().set(rules)
    }

    /// Changes what a node is like. The error says what is not there.
    pub async fn change_node(&self, node: &str, change: &NodeChange) -> Result<(), String> {
        self.cluster.change_node(node, change).await
    }

    /// Changes a container behind everybody's back. The error says what is not there.
    pub async fn change_container(
        &self,
        vmid: u32,
        change: &ContainerChange,
    ) -> Result<(), String> {
        self.cluster.change_container(vmid, change).await
    }

    /// Somebody else makes a container. The error says why not.
    pub fn settle(&self, stranger: &Stranger) -> Result<(), String> {
        self.cluster.settle(stranger)
    }

    /// Removes a container behind everybody's back; whether there was one.
    pub async fn destroy_by_hand(&self, vmid: u32) -> bool {
        self.cluster.destroy_by_hand(vmid).await
    }

    /// Makes all tickets worthless at once.
    pub fn expire_tickets(&self) {
        self.cluster.expire_tickets();
    }

    /// Waits until no task runs.
    pub async fn settled(&self) {
        self.cluster.settled().await;
    }

    /// The line that tells a script where everything is. It holds the secrets on purpose.
    pub fn ready_line(&self) -> String {
        json!({
            "api": self.api.to_string(),
            "ssh_hosts": self.ssh_hosts,
            "user": self.user,
            "password": self.password,
            "token_id": self.token_id,
            "token_secret": self.token_secret,
            "fingerprint": self.fingerprint,
            "ssh_host_keys": self.ssh_host_keys,
        })
        .to_string()
    }

    /// Addresses of the nodes, as the cluster tells them.
    pub fn nodes(&self) -> Vec<(String, IpAddr)> {
        self.cluster.nodes()
    }

    /// Stops everything and waits until it has stopped.
    pub async fn shutdown(self) {
        self.cluster.shutdown_token().cancel();
        self.cluster.tracker().close();
        self.cluster.tracker().wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cluster.shutdown_token().cancel();
    }
}
