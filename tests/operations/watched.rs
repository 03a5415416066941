//! Many people watch at the same time: each is told everything, and none of them is in anybody's way.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::world::{Actor, PATIENCE, World};

/// Those who watch; many times more than there are connections to the database.
const WATCHERS: usize = 60;

/// What favicon and title of a page say when nothing is under way.
const CALM: &str = r#""tone":"ok""#;

/// Reads a stream up to `last`; `there` counts those who were answered.
async fn read_until(actor: &Actor, path: &str, last: &str, there: &AtomicUsize) {
    let request = actor
        .request(Method::GET, path)
        .header("accept", "text/event-stream")
        .timeout(PATIENCE);
    let mut answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    there.fetch_add(1, Ordering::Relaxed);
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(last) {
        let chunk = answer.chunk().await.expect("the stream goes on");
        let chunk = chunk.unwrap_or_else(|| {
            panic!(
                "{path} ended before it told: {}",
                String::from_utf8_lossy(&text)
            )
        });
        text.extend(chunk);
    }
}

/// A page of each kind and the API's stream, each opened by many.
#[tokio::test]
async fn a_deployment_is_watched_by_many_to_its_end() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let person = world
        .stranger()
        .login("admin", crate::world::PASSWORD)
        .await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, app) = admin.deploy(json!({"catalog_id": "memos"})).await;
    admin
        .until(&operation, |now| now["steps"][9]["status"] == "running")
        .await;
    let api = format!("/api/v1/operations/{operation}/events");
    let streams = [
        (&admin, api, "event: operation.finished"),
        (
            &person,
            format!("/live/operations/{operation}"),
            r#""over":true"#,
        ),
        (&person, "/live/home?after=0".to_owned(), CALM),
        (&person, "/live/operations?after=0".to_owned(), CALM),
        (&person, format!("/live/apps/{app}?after=0"), CALM),
    ];
    let there = AtomicUsize::new(0);
    let watching = streams.iter().flat_map(|(actor, path, last)| {
        (0..WATCHERS / streams.len()).map(|_| read_until(actor, path, last, &there))
    });
    let release = async {
        let deadline = Instant::now() + PATIENCE;
        while there.load(Ordering::Relaxed) < WATCHERS {
            assert!(Instant::now() < deadline, "{there:?} were answered");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.faults(Vec::new());
        admin.finished(&operation).await
    };
    let (_, done) = tokio::join!(join_all(watching), release);
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(admin.get("/readyz").await.status, 200);
    world.end().await;
}
