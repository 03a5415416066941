//! The simulated cluster and the service as two processes, by the documented names alone.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::world::{Actor, PASSWORD};

/// A process that ends with the test, and the first line it said that fits.
struct Process {
    child: Child,
    said: String,
}

impl Process {
    fn start(arguments: &[&str], settings: &[(&str, String)], line: impl Fn(&str) -> bool) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .args(arguments)
            .env_clear()
            .envs(settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        let said = { lines }
            .find(|said| line(said))
            .expect("it says that it is ready");
        Self { child, said }
    }

    fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_service_can_be_killed_while_the_cluster_lives_on() {
    let cluster = Process::start(
        &[
            "sim",
            "--nodes",
            "2",
            "--listen",
            "127.0.0.1:0",
            "--ssh-listen",
            "127.0.0.30:0",
            "--pace",
            "instant",
        ],
        &[],
        |line| line.starts_with('{'),
    );
    let ready: Value = serde_json::from_str(&cluster.said).expect("one line of JSON");
    let text = |key: &str| {
        ready[key]
            .as_str()
            .unwrap_or_else(|| panic!("{key} in {ready}"))
            .to_owned()
    };
    let (host, port) = text("api")
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .unwrap();
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("PROXIMITY_LISTEN", "127.0.0.1:0".to_owned()),
        ("PROXIMITY_DATA_DIR", data.path().display().to_string()),
        ("PROXIMITY_ADMIN_PASSWORD", PASSWORD.to_owned()),
        ("PROXIMITY_LEASE", "2s".to_owned()),
        ("PROXMOX_HOST", host),
        ("PROXMOX_PORT", port),
        ("PROXMOX_USER", text("user")),
        ("PROXMOX_PASSWORD", text("password")),
        ("PROXMOX_FINGERPRINT", text("fingerprint")),
        ("PROXMOX_SSH_HOSTS", text("ssh_hosts")),
        ("PROXMOX_SSH_HOST_KEYS", text("ssh_host_keys")),
    ];
    let serve = || {
        Process::start(&["serve"], &settings, |line| {
            line.starts_with("Proximity listens on ")
        })
    };
    let url = |service: &Process| service.said.rsplit(' ').next().unwrap().to_owned();

    let mut service = serve();
    let actor = Actor::new(&url(&service)).login("admin", PASSWORD).await;
    let (operation, _) = actor.deploy(json!({"catalog_id": "memos"})).await;
    service.kill();
    let service = serve();
    let actor = Actor::new(&url(&service)).login("admin", PASSWORD).await;
    let done = actor.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
}
