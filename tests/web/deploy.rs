//! Deploying in the browser: the form, the plan, the progress, and what a person sees when it fails.

use serde_json::json;

use super::{Browser, Options};
use crate::world::World;

#[tokio::test]
async fn a_wrong_form_says_what_is_wrong_and_a_right_one_runs_its_plan() {
    let world = World::new().nodes(3).start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    browser.open("/catalog/uptime-kuma").await;
    browser.says("#plan", "On pve").await;
    browser
        .fill(
            "input[name='/name']",
            "app_00000000000000000000000000000007",
        )
        .await;
    browser.click("#go").await;
    browser.until("[data-field='/name'].field-wrong").await;
    assert_eq!(browser.path().await, "/catalog/uptime-kuma");
    browser.fill("input[name='/name']", "watcher").await;
    browser.says("#go", "Deploy watcher on pve").await;
    let button = browser.text("#go").await;
    let node = button.rsplit(' ').next().expect("a node").to_owned();
    browser.click("#go").await;
    browser
        .comes_to(|path| path.starts_with("/operations/op_"))
        .await;
    browser.says("#outcome", "watcher is up").await;
    let admin = world.admin().await;
    let app = admin.get("/api/v1/apps/watcher").await.body;
    assert_eq!(
        app["node"], node,
        "the plan that was shown is the plan that ran"
    );
    let open = browser.until("#open").await;
    let url = open.attr("href").await.unwrap().unwrap();
    assert_eq!(app["endpoints"][0]["url"], url);
    browser.open("/").await;
    browser.until("[data-app=watcher]").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn progress_survives_a_reload_and_a_restart_of_the_service() {
    let mut world = World::new().set("PROXIMITY_LEASE", "2s").start().await;
    let Some(mut browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin
        .deploy(json!({"catalog_id": "memos", "name": "slow"}))
        .await;
    browser.open(&format!("/operations/{operation}")).await;
    browser.until("#head-pull_images[data-state=running]").await;
    browser
        .until("#head-create_container[data-state=done]")
        .await;
    browser.reload().await;
    browser.until("#head-pull_images[data-state=running]").await;
    world.faults(Vec::new());
    world.service().kill();
    world.service().launch().await;
    browser.at(&world.url());
    browser.open(&format!("/operations/{operation}")).await;
    browser.says("#outcome", "slow is up").await;
    assert_eq!(browser.count(".step-done").await, 13);
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn a_deployment_is_cancelled_and_leaves_nothing() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let admin = world.admin().await;
    let (operation, _) = admin.deploy(json!({"catalog_id": "memos"})).await;
    browser.open(&format!("/operations/{operation}")).await;
    browser.until("#head-pull_images[data-state=running]").await;
    browser.click("form[action$='/cancel'] button").await;
    browser.says("#outcome", "Cancelled").await;
    browser
        .says("#outcome", "nothing is left on the cluster")
        .await;
    assert_eq!(world.containers().await, []);
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn a_failure_is_explained_with_what_to_do_next() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    world.fault(json!({"on": "pull", "do": "not_found"}));
    browser.open("/catalog/memos").await;
    browser.says("#plan", "On pve").await;
    browser.click("#go").await;
    browser
        .comes_to(|path| path.starts_with("/operations/op_"))
        .await;
    browser.says("#outcome", "“Pull the images” failed").await;
    browser
        .says("#outcome", "nothing is left on the cluster")
        .await;
    browser.until("#evidence").await;
    browser.until("body[data-tone=attention]").await;
    browser.click("#outcome a[href='/catalog/memos']").await;
    browser.until("#deploy").await;
    browser.end().await;
    world.end().await;
}
