//! The SSH servers of the simulated nodes: one a node, each on an address of its own.
//!
//! ```text
//! client ─► listener of pve2 ─► session (password, key) ─► channel: exec LINE
//!                                                             │ bash -c LINE on the Node (a Machine)
//!                                                             ▼
//!                                            pct exec|push ─► the guest   pct … ─► the model
//! ```
//!
//! Root only, commands only: no terminal, no shell, no subsystem. A command outlives its channel, as what
//! `pct exec` starts in a container does.

mod channel;
mod exec;
mod node;
mod session;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::faults::{Action, Fault};
use crate::options::Options;
use node::Node;
use session::{Cuttable, Session};

/// What the servers call themselves.
const BANNER: &str = "SSH-2.0-OpenSSH_10.0p2 Debian-7";

/// Where the nodes are reached by SSH, in the form that `PROXMOX_SSH_HOSTS` and `PROXMOX_SSH_HOST_KEYS` take.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// `pve1=127.0.0.10:2222,…`.
    pub(crate) hosts: String,
    /// `pve1=ssh-ed25519 AAAA…,…`.
    pub(crate) keys: String,
}

/// Opens a server for each node; port 0 gives each a free one. They close with the cluster.
pub(crate) async fn start(cluster: &Cluster, options: &Options) -> io::Result<Doors> {
    let (mut hosts, mut keys) = (Vec::new(), Vec::new());
    for (name, address) in cluster.nodes() {
        let listener = TcpListener::bind((address, options.ssh_listen.port())).await?;
        let key =
            PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).map_err(io::Error::other)?;
        hosts.push(format!("{name}={}", listener.local_addr()?));
        keys.push(format!("{name}={}", public(&key)?));
        let door = Door {
            cluster: cluster.clone(),
            node: Node::new(cluster.clone(), &name, options),
            config: Arc::new(config(key, cluster)),
            name,
        };
        cluster.tracker().spawn(door.keep_open(listener));
    }
    Ok(Doors {
        hosts: hosts.join(","),
        keys: keys.join(","),
    })
}

/// Type and key without a comment.
fn public(key: &PrivateKey) -> io::Result<String> {
    let line = key.public_key().to_openssh().map_err(io::Error::other)?;
    Ok(line.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

fn config(key: PrivateKey, cluster: &Cluster) -> russh::server::Config {
    russh::server::Config {
        server_id: russh::SshId::Standard(BANNER.into()),
        // sshd makes whoever guesses wait.
        auth_rejection_time: if cluster.pace().is_realistic() {
            Duration::from_secs(2)
        } else {
            Duration::ZERO
        },
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        inactivity_timeout: None,
        nodelay: true,
        ..russh::server::Config::default()
    }
}

/// The listener of one node.
struct Door {
    cluster: Cluster,
    node: Arc<Node>,
    config: Arc<russh::server::Config>,
    name: String,
}

impl Door {
    async fn keep_open(self, listener: TcpListener) {
        let shutdown = self.cluster.shutdown_token().clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = shutdown.cancelled() => break,
            };
            // A connection that was gone before it was taken is nobody's concern.
            let Ok((stream, _)) = accepted else { continue };
            self.enter(stream);
        }
        self.node.power_off();
    }

    fn enter(&self, stream: TcpStream) {
        let (cluster, node, config) = (
            self.cluster.clone(),
            Arc::clone(&self.node),
            Arc::clone(&self.config),
        );
        let name = self.name.clone();
        let cut = cluster.shutdown_token().child_token();
        self.cluster.tracker().spawn(async move {
            if !cluster.is_online(&name) {
                return;
            }
            let fault = cluster.faults().take("ssh_connect", Some(&name), None);
            let Some(fault) = fault else {
                return serve(&cluster, stream, node, config, cut).await;
            };
            match fault.action {
                Action::Hang => hang(&cluster, &fault, stream, &cut).await,
                Action::Cut => greet_and_leave(stream).await,
                Action::Offline => cluster.take_offline(&name),
                _ => drop(stream),
            }
        });
    }
}

async fn serve(
    cluster: &Cluster,
    stream: TcpStream,
    node: Arc<Node>,
    config: Arc<russh::server::Config>,
    cut: CancellationToken,
) {
    // Small packets (a mark, an exit code) must not wait for more.
    let _ = stream.set_nodelay(true);
    let handler = Session::new(cluster.clone(), node, cut.clone());
    let stream = Cuttable::new(stream, cut.clone());
    match russh::server::run_stream(config, stream, handler).await {
        Ok(session) => {
            if let Err(error) = session.await {
                tracing::debug!(%error, "SSH session ended");
            }
        }
        Err(error) => tracing::debug!(%error, "SSH handshake failed"),
    }
    cut.cancel();
}

/// Accepts and says nothing, until the faults change or the client leaves.
async fn hang(cluster: &Cluster, fault: &Fault, stream: TcpStream, cut: &CancellationToken) {
    let faults = cluster.faults();
    tokio::select! {
        () = faults.lets_go(fault) => {}
        () = cut.cancelled() => {}
        _ = left(&stream) => {}
    }
}

/// Returns when the other side has closed the connection.
async fn left(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends the connection in the middle of the handshake.
async fn greet_and_leave(mut stream: TcpStream) {
    // The client may be gone; so is this connection in a moment.
    let _ = stream.write_all(format!("{BANNER}\r\n").as_bytes()).await;
}
