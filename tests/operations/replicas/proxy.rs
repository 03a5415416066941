//! The reverse proxy of `docs/replicas.nginx.conf`, run with a real nginx in front of two replicas.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::world::{Actor, PATIENCE, Postgres, World};

/// A running nginx; dropped, it is gone.
struct Proxy(Child);

impl Proxy {
    /// Runs the configuration as it is in the documentation, but for the addresses.
    async fn start(folder: &Path, listen: &str, one: &str, two: &str) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/replicas.nginx.conf");
        let mut configuration = std::fs::read_to_string(path).unwrap();
        for (there, here) in [
            ("one:8765", one),
            ("two:8765", two),
            ("listen 80;", &format!("listen {listen};")),
        ] {
            assert!(configuration.contains(there), "{there} in {path}");
            configuration = configuration.replace(there, here);
        }
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let globals = format!(
            "daemon off; master_process off; error_log stderr; pid {}/nginx.pid;",
            folder.display()
        );
        let child = Command::new("nginx")
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&file)
            .args(["-g", &globals])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let proxy = Self(child);
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(listen).await.is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn behind_the_documented_proxy_events_come_at_once_and_a_death_is_not_noticed() {
    if !Postgres::is_installed() {
        return;
    }
    if !Path::new("/usr/sbin/nginx").exists() {
        println!("skipped: nginx is not installed");
        return;
    }
    let mut world = World::new()
        .replicas(2)
        .set("PROXIMITY_LEASE", "3s")
        .start()
        .await;
    let folder = tempfile::tempdir().unwrap();
    let own = std::process::id();
    let listen = format!("127.78.{}.{}:8080", own >> 8 & 0xff, own & 0xff);
    let one = world.replica(0).url().replace("http://", "");
    let two = world.replica(1).url().replace("http://", "");
    let _proxy = Proxy::start(folder.path(), &listen, &one, &two).await;
    let admin = world.admin().await.at(&format!("http://{listen}"));

    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    // In the middle of a step that does not end, everything before it has come through.
    hears(&admin, &operation, "\"pull_images\"").await;
    let driver = world.driver(&operation);
    world.replica(driver).kill();
    world.faults(Vec::new());
    for _ in 0..50 {
        let answer = admin.get("/api/v1/apps").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    hears(&admin, &operation, "operation.finished").await;
    world.replica(driver).launch().await;
    world.end().await;
}

/// Follows the operation's events until one of them holds `words`.
async fn hears(actor: &Actor, operation: &str, words: &str) {
    let path = format!("/api/v1/operations/{operation}/events");
    let request = actor
        .request(Method::GET, &path)
        .header("accept", "text/event-stream");
    let mut body = request.send().await.unwrap().bytes_stream();
    let mut text = String::new();
    while !text.contains(words) {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await;
        let piece = piece.unwrap_or_else(|_| panic!("no {words} in {text}"));
        let piece = piece.unwrap_or_else(|| panic!("the stream ended without {words}: {text}"));
        text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
    }
}
