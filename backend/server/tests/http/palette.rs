//! What the palette offers, and to whom.

use serde_json::{Value, json};

use crate::world::World;

/// Entries by the title of their group.
fn group<'a>(palette: &'a Value, title: &str) -> &'a [Value] {
    let groups = palette["groups"].as_array().unwrap();
    groups
        .iter()
        .find(|group| group["title"] == title)
        .map_or(&[], |group| group["entries"].as_array().unwrap())
}

#[tokio::test]
async fn the_palette_leads_to_places_apps_operations_and_the_catalog() {
    let world = World::new().await;
    let admin = world.admin().await;
    let deployed = admin
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": "notes"}),
        )
        .await
        .json();
    let (app, operation) = (
        deployed["app"]["id"].as_str().unwrap(),
        deployed["operation"]["id"].as_str().unwrap(),
    );
    let palette = admin.get("/parts/palette").await.json();
    let leads: Vec<&str> = group(&palette, "Apps")
        .iter()
        .map(|entry| entry["to"].as_str().unwrap())
        .collect();
    // It does not run yet: it cannot be opened.
    assert_eq!(
        leads,
        [
            format!("/apps/{app}"),
            format!("/apps/{app}/logs"),
            format!("/apps/{app}/settings")
        ]
    );
    let last = &group(&palette, "Last operations")[0];
    assert_eq!(last["to"], format!("/operations/{operation}"));
    assert_eq!(last["hint"], "Queued");
    let deploy = group(&palette, "Deploy");
    assert_eq!(
        deploy.len(),
        world.control.catalog(None, None).len(),
        "the whole catalog"
    );
    let memos = deploy.iter().find(|entry| entry["to"] == "/catalog/memos");
    assert_eq!(memos.unwrap()["label"], "Deploy Memos");
    // Every place that it names is one.
    for place in group(&palette, "Places") {
        let path = place["to"].as_str().unwrap();
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn only_somebody_with_a_session_sees_the_palette() {
    let world = World::new().await;
    world
        .stranger()
        .with("accept", "application/json")
        .get("/parts/palette")
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn pages_bring_the_parts_of_the_palette_and_the_login_does_not() {
    let world = World::new().await;
    let home = world.admin().await.get("/").await;
    assert!(home.text().contains("<template id=\"palette-parts\">"));
    assert!(home.text().contains("id=\"palette-place\""));
    let login = world.stranger().get("/login").await;
    assert!(!login.text().contains("palette-parts"));
}
