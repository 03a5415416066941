//! Everything is backed up in the middle of things, put back somewhere else, and goes on; and what a database that
//! cannot be used is told as.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::world::{Actor, PATIENCE, World};

#[tokio::test]
async fn a_backup_made_in_the_middle_of_twenty_deployments_goes_on_elsewhere() {
    let mut world = World::new().nodes(3).start().await;
    let admin = world.admin().await;
    // Whatever is driven stays there, so that backup and cluster show the same moment.
    world.fault(json!({"on": "pull", "do": "hang"}));
    let mut begun = Vec::new();
    for number in 0..20 {
        let wish = json!({"catalog_id": "memos", "name": format!("memos-{number}")});
        begun.push(admin.deploy(wish).await.0);
    }
    all_driven_hang(&admin).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.tar.gz");
    let path = file.to_str().unwrap();
    let (code, said) = world.service().run(&["backup", path]);
    assert_eq!(code, 0, "{said}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is in it");
    let (code, said) = world.service().run(&["backup", path]);
    assert!(code == 1 && said.contains("exists already"), "{said}");

    world.service().kill();
    world.faults(Vec::new());
    let elsewhere = folder.path().join("elsewhere");
    world
        .service()
        .set("PROXIMITY_DATA_DIR", elsewhere.to_str().unwrap());
    let (code, said) = world.service().run(&["restore", path]);
    assert_eq!(code, 0, "{said}");
    assert!(left_over(&elsewhere).is_empty());
    let (code, said) = world.service().run(&["restore", path]);
    assert!(code == 1 && said.contains("--force"), "{said}");
    world.service().launch().await;
    let admin = admin.at(world.service().url());
    for operation in &begun {
        let done = admin.finished(operation).await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
    assert_eq!(world.containers().await.len(), 20);

    // At rest, over what is there: a backup of that comes first.
    let second = folder.path().join("second.tar.gz");
    let second = second.to_str().unwrap();
    assert_eq!(world.service().run(&["backup", second]).0, 0);
    world.service().stop().await;
    let (code, said) = world.service().run(&["restore", "--force", second]);
    assert!(code == 0 && said.contains("before-restore-"), "{said}");
    world.service().launch().await;
    world.end().await;
}

/// Waits until nothing moves any more: at least one operation pulls images, and the others wait for it or behind it.
async fn all_driven_hang(admin: &Actor) {
    let deadline = Instant::now() + PATIENCE;
    let (mut same, mut before) = (0, Vec::new());
    while same < 10 {
        assert!(
            Instant::now() < deadline,
            "the deployments come to their images: {before:#?}"
        );
        let running = admin
            .get("/api/v1/operations?status=running&limit=100")
            .await
            .body;
        let mut now = Vec::new();
        for row in running["items"].as_array().expect("a page") {
            let id = row["id"].as_str().expect("an id");
            let operation = admin.get(&format!("/api/v1/operations/{id}")).await.body;
            now.push(operation["steps"].as_array().expect("steps").clone());
        }
        let pulls = now
            .iter()
            .flatten()
            .any(|step| step["name"] == "pull_images" && step["status"] == "running");
        same = if pulls && now == before { same + 1 } else { 0 };
        before = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a restore must have taken away again.
fn left_over(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.') || name.contains("before-"))
        .collect()
}

#[tokio::test]
async fn the_history_of_a_deleted_app_stays_and_is_found() {
    let world = World::new().start().await;
    let admin = world.admin().await;
    let first = admin.deployed(json!({"catalog_id": "memos"})).await;
    admin.done("memos", "delete").await;
    let between = chrono_now(&admin).await;
    let second = admin.deployed(json!({"catalog_id": "memos"})).await;
    let ids = |answer: &crate::world::Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:?}");
        let items = answer.body["items"].as_array().expect("a page");
        let id = |row: &serde_json::Value| {
            format!(
                "{} {}",
                row["kind"].as_str().unwrap(),
                row["app"]["id"].as_str().unwrap()
            )
        };
        items.iter().map(id).collect()
    };
    let (old, new) = (
        first["id"].as_str().unwrap(),
        second["id"].as_str().unwrap(),
    );
    let list = async |query: &str| ids(&admin.get(&format!("/api/v1/operations?{query}")).await);
    let (deleted, deployed) = (format!("delete {old}"), format!("deploy {old}"));
    let again = format!("deploy {new}");
    assert_eq!(
        list("app=memos").await,
        [again.clone(), deleted.clone(), deployed.clone()]
    );
    assert_eq!(
        list(&format!("app={old}")).await,
        [deleted.clone(), deployed.clone()]
    );
    assert_eq!(
        list("app=memos&kind=delete&status=completed,stuck").await,
        std::slice::from_ref(&deleted)
    );
    assert_eq!(list(&format!("since={between}")).await, [again]);
    assert_eq!(list(&format!("until={between}")).await, [deleted, deployed]);
    assert_eq!(admin.get("/api/v1/operations?app=nobody").await.status, 404);
    assert_eq!(
        admin.get("/api/v1/operations?since=yesterday").await.status,
        400
    );
    let gone = admin.get(&format!("/api/v1/apps/{old}")).await;
    assert_eq!(
        (gone.status, gone.body["state"].as_str()),
        (200, Some("deleted")),
        "{gone:?}"
    );
    let events = admin
        .get("/api/v1/events?format=json&after=0&limit=1000")
        .await
        .body;
    let of_old = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["app"] == old);
    assert!(of_old.count() > 20);
    world.end().await;
}

/// A time after everything that has happened, by the service's own clock.
async fn chrono_now(admin: &Actor) -> String {
    let newest = admin.get("/api/v1/operations?limit=1").await.body;
    newest["items"][0]["finished_at"]
        .as_str()
        .expect("it rests")
        .to_owned()
}

#[tokio::test]
async fn what_is_older_than_wanted_is_forgotten_after_a_restart() {
    let mut world = World::new()
        .set("PROXIMITY_KEEP_OPERATIONS", "1s")
        .start()
        .await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "memos"})).await;
    admin.done("memos", "delete").await;
    let kept = admin.deployed(json!({"catalog_id": "ntfy"})).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Restarted until it is old enough: it looks at its start and then every hour.
        world.service().stop().await;
        world.service().launch().await;
        let admin = admin.at(world.service().url());
        tokio::time::sleep(Duration::from_millis(200)).await;
        let gone = admin
            .get(&format!("/api/v1/apps/{}", app["id"].as_str().unwrap()))
            .await;
        if gone.status == 404 {
            let left = admin.get("/api/v1/operations").await.body;
            let left = left["items"].as_array().unwrap();
            assert_eq!(left.len(), 1);
            assert_eq!(left[0]["app"]["id"], kept["id"]);
            break;
        }
        assert!(Instant::now() < deadline, "it is forgotten");
    }
    world.end().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_used_stops_the_start_with_a_sentence() {
    let mut world = World::new().start().await;
    world.service().stop().await;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("proximity.db");
    fs::write(&odd, "this is a text and no database. ".repeat(100)).unwrap();
    let url = format!("sqlite://{}", odd.display());
    world.service().set("DATABASE_URL", &url);
    let (code, said) = world.service().run(&["serve"]);
    assert_eq!(code, 1);
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: `") && last.contains("is not a database of Proximity"),
        "{said}"
    );
    world.service().set("DATABASE_URL", "");
    world.service().launch().await;
    world.end().await;
}
