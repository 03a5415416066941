//! What pages offer besides their buttons: the same as commands, what differs from the cluster, filters by time.

use serde_json::json;

use crate::world::{Actor, World};

async fn deployed(admin: &Actor, name: &str) -> (String, String) {
    let answer = admin
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": name}),
        )
        .await
        .json();
    let id = |of: &str| answer[of]["id"].as_str().unwrap().to_owned();
    (id("app"), id("operation"))
}

#[tokio::test]
async fn pages_tell_the_same_as_commands() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (app, operation) = deployed(&admin, "My notes").await;
    // Quotes are written as HTML wants them.
    let page = |text: &str| text.replace("&#x27;", "'").replace("&#39;", "'");
    let overview = page(admin.get(&format!("/apps/{app}")).await.text());
    assert!(overview.contains("proximity stop 'My notes'"), "{overview}");
    assert!(overview.contains("/api/v1/apps/My%20notes/"), "{overview}");
    let settings = page(admin.get(&format!("/apps/{app}/settings")).await.text());
    assert!(settings.contains("proximity delete 'My notes'"));
    let progress = page(admin.get(&format!("/operations/{operation}")).await.text());
    assert!(progress.contains(&format!("proximity cancel {operation}")));
    assert!(!progress.contains("proximity retry"), "it is not stuck");
    let service = page(admin.get("/settings").await.text());
    assert!(service.contains("proximity park") && service.contains("proximity resume"));
}

#[tokio::test]
async fn settings_say_what_differs_and_a_silent_cluster_is_told() {
    let world = World::new().await;
    let admin = world.admin().await;
    let page = admin.get("/settings").await;
    assert!(page.text().contains("id=\"differences\""));
    assert!(page.text().contains("It was not compared yet."));
    assert_eq!(admin.form("/settings/reconcile", "").await.status, 503);
    // The doctor says that it does not answer: that is what it is for.
    let doctor = admin.form("/settings/doctor", "").await;
    assert_eq!(doctor.status, 200, "{}", doctor.text());
    assert!(doctor.text().contains("data-state=\"failed\""));
    assert_eq!(
        admin
            .form("/containers/101/adopt", "node=pve1")
            .await
            .status,
        503
    );
    admin
        .form("/containers/x/adopt", "")
        .await
        .problem(404, "not_found");
    let careless = admin.without("x-csrf-token");
    assert_eq!(careless.form("/settings/reconcile", "").await.status, 403);
}

#[tokio::test]
async fn operations_are_filtered_by_the_day() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (_, operation) = deployed(&admin, "notes").await;
    let today = world.control.now().date_naive();
    let tomorrow = today.succ_opt().unwrap();
    let yesterday = today.pred_opt().unwrap();
    let found = async |query: String| {
        let answer = admin.get(&format!("/operations?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().contains(&operation)
    };
    // The last day belongs to it.
    assert!(found(format!("since={today}&until={tomorrow}")).await);
    assert!(found(format!("since={yesterday}&until=")).await);
    assert!(!found(format!("since=&until={yesterday}")).await);
    assert!(!found(format!("since={tomorrow}&until=")).await);
    admin
        .get("/operations?since=yesterday")
        .await
        .problem(400, "malformed_query");
}
