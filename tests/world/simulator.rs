//! The simulated cluster as a process of its own, known by its documented names alone.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::PASSWORD;

/// A running `proximity sim`; dropped, it is gone.
pub(crate) struct Simulator {
    child: Child,
    ready: Value,
    client: reqwest::Client,
}

impl Simulator {
    /// Starts a cluster of so many nodes; the first listens for SSH on `ssh`, the others on the next addresses.
    pub(crate) fn start(nodes: u8, ssh: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .args(["sim", "--pace", "instant", "--listen", "127.0.0.1:0"])
            .args(["--nodes", &nodes.to_string(), "--ssh-listen", ssh])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says that it is ready");
        // Its certificate is its own, and it is on this machine.
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .build()
            .expect("a client");
        Self {
            child,
            ready: serde_json::from_str(&line).expect("one line of JSON"),
            client,
        }
    }

    /// What `serve` needs to use this cluster, and to have an administrator.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let (host, port) = self.text("api").rsplit_once(':').expect("host:port");
        [
            ("PROXIMITY_ADMIN_PASSWORD", PASSWORD),
            ("PROXMOX_HOST", host),
            ("PROXMOX_PORT", port),
            ("PROXMOX_USER", self.text("user")),
            ("PROXMOX_PASSWORD", self.text("password")),
            ("PROXMOX_FINGERPRINT", self.text("fingerprint")),
            ("PROXMOX_SSH_HOSTS", self.text("ssh_hosts")),
            ("PROXMOX_SSH_HOST_KEYS", self.text("ssh_host_keys")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Everything that there is in the cluster.
    pub(crate) async fn state(&self) -> Value {
        let url = format!("https://{}/sim/state", self.text("api"));
        let answer = self.client.get(url).send().await.expect("it answers");
        answer.json().await.expect("JSON")
    }

    fn text(&self, key: &str) -> &str {
        let ready = &self.ready;
        ready[key]
            .as_str()
            .unwrap_or_else(|| panic!("{key} in {ready}"))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
