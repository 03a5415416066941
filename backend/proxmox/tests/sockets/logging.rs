//! What is logged, and what never is.

use std::io;
use std::sync::{Arc, Mutex};

use proxmox::DeleteOptions;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{CSRF, Reply, Server, TICKET, UPID, client, data, token};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Page {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_call_is_one_line_without_any_secret() {
    let page = Page::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(page.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let server = Server::logged_in(|seen, _| match seen.method.as_str() {
        "GET" => data(&json!([])),
        "DELETE" => Reply::Cut,
        _ => data(&json!(UPID)),
    })
    .await;
    let (node, vmid) = ("pve1".parse().unwrap(), "101".parse().unwrap());
    for client in [server.client(), client(&[&server], token())] {
        client.nodes().await.unwrap();
        client.start_container(&node, vmid).await.unwrap();
        client
            .delete_container(&node, vmid, DeleteOptions::default())
            .await
            .unwrap_err();
    }
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    // Other tests of the same process log too.
    let host = server.host.to_string();
    let ours: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("proxmox::transport") && line.contains(&host))
        .collect();
    assert_eq!(ours.len(), 7, "{text}");
    assert!(
        ours[1].contains("GET")
            && ours[1].contains("/cluster/resources")
            && ours[1].contains("status=200")
            && ours[1].contains("elapsed="),
        "{}",
        ours[1]
    );
    let signature = TICKET.rsplit("::").next().unwrap();
    for secret in [
        "pass word",
        "pass%20word",
        TICKET,
        signature,
        "aB3",
        CSRF,
        "5ecre7-70ken",
    ] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
}
