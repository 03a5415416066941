//! `proximity demo` as people start it: a living cluster, apps that open, logs that move, and nothing left after it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use serde_json::json;

use crate::world::{Actor, PASSWORD, PATIENCE};

/// A running demo.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = File::create(folder.join("demo.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .args(["demo", "--pace", "instant", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .env("PROXIMITY_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        let url = { lines }
            .find_map(|line| Some(line.trim().strip_prefix("address ")?.trim().to_owned()))
            .expect("it says where it is");
        Self { child, url }
    }

    async fn admin(&self) -> Actor {
        Actor::new(&self.url).login("admin", PASSWORD).await
    }

    /// Presses ctrl-C and waits until it has ended well.
    async fn interrupt(mut self) {
        let asked = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(asked.unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return assert!(status.success(), "it ended with {status}"),
                None => assert!(Instant::now() < deadline, "it did not end"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer of an address that a browser is sent to.
async fn opened(url: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(url).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// Asks until it answers.
async fn opened_at_last(url: &str) -> (u16, String) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = opened(url).await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{url} does not answer");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_app_of_the_demo_opens_and_its_log_moves() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path(), &["--apps", "notes=memos"]);
    let admin = demo.admin().await;

    let operations = admin.get("/api/v1/operations").await.body;
    let first = &operations["items"][0];
    assert_eq!(first["requested_by"], "demo", "{operations:#}");
    let done = admin.finished(first["id"].as_str().unwrap()).await;
    assert_eq!(done["status"], "completed", "{done:#}");

    let app = admin.get("/api/v1/apps/notes").await.body;
    let url = app["endpoints"][0]["url"].as_str().unwrap().to_owned();
    assert!(
        url.starts_with("http://127.") && url.ends_with('/'),
        "{url}"
    );
    let (status, page) = opened_at_last(&url).await;
    assert_eq!(status, 200);
    assert!(page.contains("neosmemo/memos:0.30.0"), "{page}");

    let followed = admin
        .request(
            reqwest::Method::GET,
            "/api/v1/apps/notes/logs?follow=true&tail=0",
        )
        .send()
        .await
        .unwrap();
    let mut followed = followed.bytes_stream();
    let line = async move {
        let mut text = String::new();
        while let Some(piece) = followed.next().await {
            text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
            if text.contains("path=/seen-by-the-test") {
                return;
            }
        }
        panic!("the log ended: {text}");
    };
    let visits = async {
        loop {
            opened(&format!("{url}seen-by-the-test")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = line => {}
        () = visits => {}
        () = tokio::time::sleep(PATIENCE) => panic!("the visit is in no log"),
    }

    admin.done("notes", "stop").await;
    let deadline = Instant::now() + PATIENCE;
    while opened(&url).await.is_some() {
        assert!(Instant::now() < deadline, "a stopped app still answers");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    demo.interrupt().await;
}

#[tokio::test]
async fn the_demos_cluster_has_something_to_explain() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path(), &[]);
    let admin = demo.admin().await;
    assert_eq!(admin.get("/api/v1/apps").await.body["items"], json!([]));
    let plan = admin
        .post("/api/v1/apps?plan=true", json!({"catalog_id": "wordpress"}))
        .await
        .body;
    let said = plan.to_string();
    assert!(said.contains("it is in maintenance"), "{plan:#}");
    assert_eq!(plan["node"], "pve1", "{plan:#}");
    demo.interrupt().await;
}
