//! The same on several apps.

use serde_json::{Value, json};

use crate::world::{Actor, Answer, World};

/// What became of each app: its name, and the operation's id or the code of the refusal.
fn told(answer: &Value) -> Vec<(String, String)> {
    let items = answer["items"].as_array().expect("items");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| {
            let what = item
                .get("operation")
                .map_or(&item["refusal"]["code"], |it| &it["id"]);
            (text(&item["app"]), text(what))
        })
        .collect()
}

async fn three(admin: &Actor) {
    for name in ["one", "two", "three"] {
        admin
            .deployed(json!({"catalog_id": "memos", "name": name}))
            .await;
    }
}

#[tokio::test]
async fn several_apps_are_stopped_at_once_and_one_that_refuses_keeps_no_other() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    three(&admin).await;
    let wish = json!({"kind": "stop", "apps": ["one", "nobody", "three", "one"]});
    let answer = admin.post("/api/v1/operations", wish).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let told = told(&answer.body);
    let apps: Vec<&str> = told.iter().map(|(app, _)| app.as_str()).collect();
    assert_eq!(apps, ["one", "nobody", "three"]);
    assert_eq!(told[1].1, "not_found");
    for (_, operation) in [&told[0], &told[2]] {
        let done = admin.finished(operation).await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
    for (app, state) in [("one", "stopped"), ("two", "running"), ("three", "stopped")] {
        let now = admin.get(&format!("/api/v1/apps/{app}")).await;
        assert_eq!(now.body["state"], state, "{app}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_request_for_several_is_done_once_and_nonsense_not_at_all() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    three(&admin).await;
    let ask = || {
        admin
            .request(reqwest::Method::POST, "/api/v1/operations")
            .header("idempotency-key", "restart all")
            .json(&json!({"kind": "restart", "apps": ["one", "two", "three"]}))
    };
    let first = Answer::to(ask()).await.expect("an answer");
    for (_, operation) in told(&first.body) {
        admin.finished(&operation).await;
    }
    let again = Answer::to(ask()).await.expect("an answer");
    assert_eq!(told(&again.body), told(&first.body));
    for (wish, pointer) in [
        (json!({"kind": "deploy", "apps": ["one"]}), "/kind"),
        (json!({"kind": "stop", "apps": []}), "/apps"),
        (json!({"kind": "stop", "apps": vec!["one"; 101]}), "/apps"),
    ] {
        let answer = admin.post("/api/v1/operations", wish).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
    let operations = admin.get("/api/v1/operations?limit=100").await.body;
    assert_eq!(operations["items"].as_array().unwrap().len(), 6);
    world.end().await;
}
