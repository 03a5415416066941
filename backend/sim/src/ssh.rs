//! The nodes' SSH servers: one listener a node, on an address of its own, because `pct` knows only its own
//! node's containers.
//!
//! ```text
//! client ─► Listener ─► Connection (russh) ─► exec ─► Node: root's login shell ─► pct exec ─► guest
//! ```
//!
//! Only what Proximity's kind of client does: password login, many sessions, `exec` channels without a
//! terminal. Closing a channel does not stop what it started in a guest, as on a real node.

mod connection;
mod node;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey};
use russh::server::Config;
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::Cluster;
use crate::faults::Action;
use connection::Connection;

/// Where the nodes are reached by SSH, in the form that `PROXMOX_SSH_HOSTS` and `PROXMOX_SSH_HOST_KEYS` take.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// `pve1=127.0.0.10:2222,…`.
    pub(crate) hosts: String,
    /// `pve1=ssh-ed25519 AAAA…,…`.
    pub(crate) keys: String,
}

/// Opens a server for each node; port 0 gives each a free one.
pub(crate) async fn start(cluster: &Cluster, port: u16) -> io::Result<Doors> {
    let (mut hosts, mut keys) = (Vec::new(), Vec::new());
    for (node, address) in cluster.nodes() {
        let key =
            PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).map_err(io::Error::other)?;
        let listener = TcpListener::bind(SocketAddr::new(address, port)).await?;
        hosts.push(format!("{node}={}", listener.local_addr()?));
        keys.push(format!("{node}={}", public(&key)?));
        let config = Config {
            keys: vec![key],
            // Refused at once: the delay is there against guessing, and nobody guesses here.
            auth_rejection_time: Duration::ZERO,
            inactivity_timeout: None,
            nodelay: true,
            ..Config::default()
        };
        let (accepting, stop) = (cluster.clone(), cluster.shutdown_token().clone());
        cluster.tracker().spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = accept(listener, accepting, node, Arc::new(config)) => {}
            }
        });
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

async fn accept(listener: TcpListener, cluster: Cluster, node: String, config: Arc<Config>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (cluster, node, config) = (cluster.clone(), node.clone(), config.clone());
        let (tracker, stop) = (cluster.tracker().clone(), cluster.shutdown_token().clone());
        tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(stream, cluster, node, config) => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, cluster: Cluster, node: String, config: Arc<Config>) {
    if !cluster.is_online(&node) {
        return;
    }
    let fault = cluster.faults().take("ssh_connect", Some(&node), None);
    match fault.map(|fault| fault.action) {
        Some(Action::Refuse) => return,
        Some(Action::Hang) => return cluster.faults().changed().await,
        // The protocol's first line is sent, and no more.
        Some(Action::Cut) => {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut { stream }, b"SSH-2.0-cut\r\n").await;
            return;
        }
        _ => {}
    }
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = Connection::new(cluster, node);
    let cut = connection.cut.clone();
    let Ok(session) = russh::server::run_stream(config, stream, connection).await else {
        return;
    };
    let handle = session.handle();
    tokio::select! {
        _ = session => {}
        () = cut.cancelled() => {
            let reason = "the connection was cut".to_owned();
            let _ = handle.disconnect(russh::Disconnect::ConnectionLost, reason, String::new()).await;
        }
    }
}
