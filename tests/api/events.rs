//! Events over server-sent events: live, replayed, per image.

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::world::{Actor, World};

/// Reads an event stream to its end, as (id, event, data).
async fn stream(actor: &Actor, path: &str, last: Option<&str>) -> Vec<(String, String, Value)> {
    let mut request = actor
        .request(reqwest::Method::GET, path)
        .header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let answer = request.send().await.unwrap();
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/event-stream")
    );
    let mut text = String::new();
    let mut body = answer.bytes_stream();
    while let Some(piece) = body.next().await {
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    let field = |block: &str, name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
            .unwrap_or_default()
    };
    text.split("\n\n")
        .filter(|block| block.contains("data:"))
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data:")).unwrap();
            (field(block, "id:"), field(block, "event:"), data)
        })
        .collect()
}

#[tokio::test]
async fn a_deployment_is_told_step_by_step_and_can_be_replayed_from_anywhere() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let (operation, _) = admin.deploy(json!({"catalog_id": "wordpress"})).await;
    let path = format!("/api/v1/operations/{operation}/events");
    let live = stream(&admin, &path, None).await;
    let kinds: Vec<&str> = live.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(
        (kinds.first(), kinds.last()),
        (Some(&"operation.queued"), Some(&"operation.finished")),
        "{kinds:?}"
    );
    let started: Vec<&str> = live
        .iter()
        .filter(|(_, kind, _)| kind == "step.started")
        .map(|(_, _, data)| data["step"].as_str().unwrap())
        .collect();
    assert_eq!(started.len(), 13, "{started:?}");
    let pulled: Vec<&Value> = live
        .iter()
        .filter(|(_, kind, data)| kind == "image.progress" && data["data"]["complete"] == true)
        .map(|(_, _, data)| &data["data"]["image"])
        .collect();
    assert_eq!(pulled.len(), 2, "both images are told: {pulled:?}");
    let ids: Vec<i64> = live.iter().map(|(id, _, _)| id.parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");

    let middle = &live[live.len() / 2];
    let replayed = stream(&admin, &path, Some(&middle.0)).await;
    assert_eq!(
        replayed,
        live[live.len() / 2 + 1..],
        "exactly what was missed"
    );
    let listed = admin.get(&format!("{path}?format=json")).await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), live.len());
    world.end().await;
}
