//! Who may, whichever replica is asked.

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::world::{PATIENCE, Postgres, World};

#[tokio::test]
async fn a_token_that_one_replica_revokes_hears_nothing_more_from_the_other() {
    if !Postgres::is_installed() {
        println!("skipped: PostgreSQL is not installed");
        return;
    }
    let mut world = World::new().replicas(2).start().await;
    let admin = world.admin().await;
    let one = world.replica(0).url().to_owned();
    let other = world.replica(1).url().to_owned();
    let token = json!({"name": "listener", "scopes": ["read"]});
    let made = admin.post("/api/v1/tokens", token).await.body;
    let listener = admin.with_token(made["token"].as_str().unwrap()).at(&other);
    let request = listener.request(Method::GET, "/api/v1/events");
    let stream = request.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let mut stream = stream.bytes_stream();

    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.at(&one).delete(&path).await.status, 204);
    let end = async { while let Some(Ok(_)) = stream.next().await {} };
    assert!(tokio::time::timeout(PATIENCE, end).await.is_ok());
    assert_eq!(listener.get("/api/v1/apps").await.status, 401);
    world.end().await;
}
