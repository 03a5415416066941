//! Apps over REST: what is refused, what is done once, what a plan shows.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn what_is_not_valid_is_refused_with_a_pointer_and_nothing_begins() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let unknown = admin
        .post("/api/v1/apps", json!({"catalog_id": "no-such-app"}))
        .await;
    assert_eq!(
        (unknown.status, unknown.body["code"].as_str()),
        (404, Some("not_found"))
    );
    for (body, pointer) in [
        (
            json!({"catalog_id": "postgresql", "parameters": {"LISTEN_PORT": 70000}}),
            "/parameters/LISTEN_PORT",
        ),
        (
            json!({"catalog_id": "postgresql", "parameters": {"NOPE": 1}}),
            "/parameters/NOPE",
        ),
        (json!({"catalog_id": "uptime-kuma", "name": ""}), "/name"),
        (
            json!({"catalog_id": "uptime-kuma", "name": "a\u{1b}[2J"}),
            "/name",
        ),
        (
            json!({"catalog_id": "uptime-kuma", "resources": {"memory": 1}}),
            "/resources/memory",
        ),
        (
            json!({"catalog_id": "uptime-kuma", "network": {"address": "10.0.0.1"}}),
            "/network/address",
        ),
        (
            json!({"catalog_id": "uptime-kuma", "network": {"vlan": 5000}}),
            "/network/vlan",
        ),
        (
            json!({"catalog_id": "uptime-kuma", "node": "../etc"}),
            "/node",
        ),
    ] {
        let answer = admin.post("/api/v1/apps", body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
        let pointers: Vec<&str> = answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        assert_eq!(pointers, [pointer], "{body}: {:#}", answer.body);
    }
    assert_eq!(
        admin.get("/api/v1/operations").await.body["items"],
        json!([])
    );
    world.end().await;
}

#[tokio::test]
async fn nonsense_is_answered_in_sentences() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let post = |body: &'static str, kind: &'static str| {
        let request = admin
            .request(reqwest::Method::POST, "/api/v1/apps")
            .header("content-type", kind)
            .body(body);
        async move {
            let answer = request.send().await.unwrap();
            let (status, kind) = (
                answer.status().as_u16(),
                answer.headers()["content-type"].clone(),
            );
            assert_eq!(kind, "application/problem+json");
            let body: Value = answer.json().await.unwrap();
            assert!(
                body["detail"].as_str().unwrap().len() > 10 && body["request_id"].is_string(),
                "{body:#}"
            );
            status
        }
    };
    assert_eq!(post("{", "application/json").await, 400);
    assert_eq!(post("[]", "application/json").await, 422);
    assert_eq!(post("{\"catalog_id\": 7}", "application/json").await, 422);
    assert_eq!(
        post(
            "{\"catalog_id\": \"memos\", \"bogus\": 1}",
            "application/json"
        )
        .await,
        422
    );
    assert_eq!(
        post("catalog_id=memos", "application/x-www-form-urlencoded").await,
        415
    );
    for (path, status) in [
        ("/api/v1/nothing", 404),
        ("/api/v1/operations/op_7", 404),
        ("/api/v1/apps/%00", 404),
        ("/api/v1/apps?cursor=%27%20OR%201=1", 422),
        ("/api/v1/operations?status=sleeping", 400),
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{path}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_second_operation_on_a_busy_app_is_refused_and_names_the_first() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, app) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    let busy = admin
        .post(&format!("/api/v1/apps/{app}/stop"), json!({}))
        .await;
    assert_eq!(
        (busy.status, busy.body["code"].as_str()),
        (409, Some("app_busy"))
    );
    assert!(
        busy.body["detail"].as_str().unwrap().contains(&operation),
        "{:#}",
        busy.body
    );
    let taken = admin
        .post(
            "/api/v1/apps",
            json!({"catalog_id": "memos", "name": "uptime-kuma"}),
        )
        .await;
    assert_eq!(
        (taken.status, taken.body["code"].as_str()),
        (409, Some("name_taken"))
    );
    assert_eq!(
        admin
            .post(&format!("/api/v1/operations/{operation}/cancel"), json!({}))
            .await
            .status,
        202
    );
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "unwound", "{done:#}");
    // The name is free again.
    world.faults(Vec::new());
    admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    world.end().await;
}

#[tokio::test]
async fn a_request_that_is_sent_twice_with_a_key_is_done_once() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let send = |body: Value| {
        let request = admin
            .request(reqwest::Method::POST, "/api/v1/apps")
            .header("idempotency-key", "k-1")
            .json(&body);
        async move {
            let answer = request.send().await.unwrap();
            (
                answer.status().as_u16(),
                answer.json::<Value>().await.unwrap(),
            )
        }
    };
    let body = json!({"catalog_id": "uptime-kuma"});
    let (first, second) = tokio::join!(send(body.clone()), send(body.clone()));
    assert_eq!((first.0, second.0), (202, 202), "{first:?} {second:?}");
    assert_eq!(first.1["operation"]["id"], second.1["operation"]["id"]);
    let other = send(json!({"catalog_id": "memos"})).await;
    assert_eq!(
        (other.0, other.1["code"].as_str()),
        (422, Some("idempotency_key_reused"))
    );
    admin
        .finished(first.1["operation"]["id"].as_str().unwrap())
        .await;
    assert_eq!(world.containers().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_plan_shown_is_the_plan_that_runs() {
    let world = World::new().nodes(3).start().await;
    let admin = world.admin().await;
    let body = json!({"catalog_id": "wordpress", "name": "Our Blog"});
    let plan = admin
        .post("/api/v1/apps?plan=true", body.clone())
        .await
        .body;
    assert_eq!(
        admin.get("/api/v1/operations").await.body["items"],
        json!([]),
        "a plan does nothing"
    );
    let app = admin.deployed(body).await;
    for field in ["node", "vmid"] {
        assert_eq!(app[field], plan[field], "{field}");
    }
    assert_eq!(
        (app["name"].as_str(), app["hostname"].as_str()),
        (Some("Our Blog"), Some("our-blog"))
    );
    let operations = admin.get("/api/v1/operations?app=Our%20Blog").await.body;
    let operation = admin
        .get(&format!(
            "/api/v1/operations/{}",
            operations["items"][0]["id"].as_str().unwrap()
        ))
        .await
        .body;
    let names = |steps: &Value| -> Vec<String> {
        steps
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&operation["steps"]), names(&plan["steps"]));
    world.end().await;
}

#[tokio::test]
async fn every_app_of_the_catalog_can_be_deployed() {
    let world = World::new().nodes(3).start().await;
    let admin = world.admin().await;
    let catalog = admin.get("/api/v1/catalog").await.body;
    let ids: Vec<&str> = catalog
        .as_array()
        .or(catalog["items"].as_array())
        .unwrap()
        .iter()
        .map(|app| app["id"].as_str().unwrap())
        .collect();
    assert!(ids.len() >= 10, "{ids:?}");
    for id in &ids {
        let (operation, _) = admin.deploy(json!({"catalog_id": id})).await;
        let operation = admin.finished(&operation).await;
        assert_eq!(operation["status"], "completed", "{id}: {operation:#}");
    }
    let logs = admin.get("/api/v1/apps/uptime-kuma/logs?tail=5").await;
    assert!(logs.status == 200 && !logs.text.is_empty(), "{logs:?}");
    world.end().await;
}
