//! What only the cluster remembers comes back.

use serde_json::{Value, json};

use crate::world::{Actor, World};

/// An entry that is there for a while.
const NOTES: &str = r#"
schema: 1
id: notes
name: Notes
version: "1.0.0"
revision: 1
tagline: Somebody's notes
category: notes
licence: MIT
images:
  web: {ref: "example/notes:1.0.0"}
resources: {cores: 1, memory: 256MiB, disk: 2GiB}
params:
  - {name: GREETING, label: Greeting, type: string, default: Hello}
endpoints:
  - {name: web, service: web, port: 8080, scheme: http, primary: true}
"#;

const NOTES_COMPOSE: &str = r#"
services:
  web:
    image: example/notes:1.0.0
    ports: ["8080:8080"]
    environment:
      GREETING: ${GREETING}
"#;

async fn findings(admin: &Actor) -> Vec<Value> {
    let report = admin.post("/api/v1/reconciliation", json!({})).await;
    assert_eq!(report.status, 200, "{report:?}");
    report.body["findings"].as_array().expect("a list").clone()
}

/// A file of an app, as it is in its container.
async fn file(world: &World, app: &Value, name: &str) -> String {
    let folder = app["hostname"].as_str().expect("a name");
    let path = format!("/opt/proximity/{folder}/{name}");
    world.inside(app, &["cat", &path]).await
}

/// What of an app must be the same afterwards.
fn essence(app: &Value) -> Value {
    let mut app = app.clone();
    for changed in ["updated_at", "operation", "created_at"] {
        app.as_object_mut().unwrap().remove(changed);
    }
    app
}

async fn adopted(admin: &Actor, vmid: &Value) -> Value {
    let answer = admin
        .post(&format!("/api/v1/containers/{vmid}/adopt"), json!({}))
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let operation = answer.body["operation"]["id"].as_str().unwrap();
    admin.finished(operation).await
}

#[tokio::test]
async fn a_lost_database_is_made_anew_from_what_the_containers_carry() {
    let mut world = World::new().nodes(2).start().await;
    let admin = world.admin().await;
    let mut apps = Vec::new();
    for wish in [
        json!({"catalog_id": "uptime-kuma", "name": "Bob's \"watch\""}),
        json!({"catalog_id": "wordpress"}),
        json!({"catalog_id": "memos"}),
    ] {
        apps.push(admin.deployed(wish).await);
    }
    admin.done("memos", "stop").await;
    apps[2] = admin.get("/api/v1/apps/memos").await.body;
    let secrets = file(&world, &apps[1], ".env").await;
    assert!(
        secrets.contains("PASSWORD"),
        "an app with a generated secret"
    );

    world.service().stop().await;
    world.lose_database();
    world.service().launch().await;
    let admin = world.admin().await;
    assert_eq!(admin.get("/api/v1/apps").await.body["items"], json!([]));
    let found = findings(&admin).await;
    assert_eq!(found.len(), 3, "{found:#?}");
    for finding in &found {
        assert_eq!(
            (&finding["kind"], &finding["adoptable"]),
            (&json!("unclaimed"), &json!(true))
        );
        let plan = admin
            .post(
                &format!("/api/v1/containers/{}/adopt?plan=true", finding["vmid"]),
                json!({}),
            )
            .await;
        assert_eq!(plan.status, 200, "{plan:?}");
        assert_eq!(plan.body["in_catalog"], true, "{plan:?}");
        let done = adopted(&admin, &finding["vmid"]).await;
        assert_eq!(done["status"], "completed", "{done:#}");
        let again = admin
            .post(
                &format!("/api/v1/containers/{}/adopt", finding["vmid"]),
                json!({}),
            )
            .await;
        assert_eq!(
            (again.status, again.body["code"].as_str()),
            (409, Some("already_known")),
            "{again:?}"
        );
    }
    assert!(findings(&admin).await.is_empty());
    for app in &apps {
        let back = admin
            .get(&format!("/api/v1/apps/{}", app["id"].as_str().unwrap()))
            .await
            .body;
        assert_eq!(essence(&back), essence(app));
    }

    admin.done("wordpress", "restart").await;
    assert_eq!(file(&world, &apps[1], ".env").await, secrets);
    let logs = admin.get("/api/v1/apps/wordpress/logs?tail=5").await;
    assert_eq!(logs.status, 200, "{logs:?}");
    for app in &apps {
        admin.done(app["id"].as_str().unwrap(), "delete").await;
    }
    assert_eq!(world.containers().await, []);
    world.end().await;
}

#[tokio::test]
async fn an_adoption_that_fails_leaves_the_container_as_it_was_and_can_be_repeated() {
    let mut world = World::new().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    admin.done("uptime-kuma", "stop").await;
    world.service().stop().await;
    world.lose_database();
    world.service().launch().await;
    let admin = world.admin().await;
    let path = "/opt/proximity/uptime-kuma/.env";
    world.power(&app, true).await;
    world.inside(&app, &["mv", path, "/root/kept"]).await;
    world.power(&app, false).await;

    let done = adopted(&admin, &app["vmid"]).await;
    assert_eq!(
        (done["status"].as_str(), done["error"]["code"].as_str()),
        (Some("unwound"), Some("project_missing")),
        "{done:#}"
    );
    let state = world.cluster().state().await;
    assert_eq!(state["containers"][0]["status"], "stopped");
    assert_eq!(admin.get("/api/v1/apps").await.body["items"], json!([]));

    world.power(&app, true).await;
    world.inside(&app, &["mv", "/root/kept", path]).await;
    let done = adopted(&admin, &app["vmid"]).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(
        admin.get("/api/v1/apps/uptime-kuma").await.body["state"],
        "running"
    );
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}

/// The container has all that it takes to run and to be looked at, whatever became of the entry that it was made of.
#[tokio::test]
async fn an_app_that_the_catalog_has_no_more_is_taken_back_from_its_container_alone() {
    let shelf = tempfile::tempdir().unwrap();
    let entry = shelf.path().join("apps/notes");
    std::fs::create_dir_all(&entry).unwrap();
    let built_in = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    for file in ["catalog.yaml", "categories.yaml"] {
        std::fs::copy(built_in.join(file), shelf.path().join(file)).unwrap();
    }
    std::fs::write(entry.join("app.yaml"), NOTES).unwrap();
    std::fs::write(entry.join("compose.yaml"), NOTES_COMPOSE).unwrap();
    let mut world = World::new().catalog(shelf.path().to_owned()).start().await;
    let admin = world.admin().await;
    let wish = json!({"catalog_id": "notes", "parameters": {"GREETING": "it's $me"}});
    let app = admin.deployed(wish).await;
    let env = file(&world, &app, ".env").await;

    world.service().stop().await;
    world.lose_database();
    std::fs::remove_dir_all(&entry).unwrap();
    world.service().launch().await;
    let admin = world.admin().await;
    assert_eq!(admin.get("/api/v1/catalog").await.body["items"], json!([]));
    let path = format!("/api/v1/containers/{}/adopt", app["vmid"]);
    let plan = admin.post(&format!("{path}?plan=true"), json!({})).await;
    assert_eq!(plan.body["in_catalog"], false, "{plan:?}");
    let done = adopted(&admin, &app["vmid"]).await;
    assert_eq!(done["status"], "completed", "{done:#}");

    let back = admin.get("/api/v1/apps/notes").await.body;
    for same in [
        "id",
        "name",
        "catalog_id",
        "vmid",
        "node",
        "state",
        "address",
    ] {
        assert_eq!(back[same], app[same], "{same}: {back:#}");
    }
    for kind in ["restart", "stop", "start"] {
        admin.done("notes", kind).await;
    }
    assert_eq!(file(&world, &app, ".env").await, env);
    admin.done("notes", "delete").await;
    assert_eq!(world.containers().await, []);
    world.end().await;
}
