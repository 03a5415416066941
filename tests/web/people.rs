//! Logging in, finding things, and getting along without a mouse or a script.

use serde_json::{Value, json};

use super::{Browser, Options, app};
use crate::world::{PASSWORD, World};

#[tokio::test]
async fn a_wrong_password_is_told_and_the_right_one_leads_where_one_wanted() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.open("/nodes").await;
    assert_eq!(browser.path().await, "/login");
    browser.fill("#username", "admin").await;
    browser.fill("#password", "wrong").await;
    browser.click("#login button.button-primary").await;
    browser
        .says("#login-problem", "this is not their password")
        .await;
    browser.fill("#password", PASSWORD).await;
    browser.click("#login button.button-primary").await;
    browser.comes_to(|path| path == "/nodes").await;
    browser.until("#node-pve1").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn the_catalog_is_searched_as_one_types() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    browser.open("/catalog").await;
    browser.says("#content", "Uptime Kuma").await;
    let all = browser.count("#results a[href^='/catalog/']").await;
    browser.fill("#q", "postgre").await;
    browser.says("#results", "PostgreSQL").await;
    while browser.count("#results a[href^='/catalog/']").await >= all {
        tokio::task::yield_now().await;
    }
    browser.fill("#q", "no such thing at all").await;
    browser.until("#results .empty").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn a_theme_is_chosen_and_stays() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    let ground = async |browser: &Browser| -> Value {
        browser
            .run(
                "return getComputedStyle(document.body).backgroundColor",
                vec![],
            )
            .await
    };
    browser.click("button[name=theme][value=light]").await;
    browser.until("html[data-theme=light]").await;
    let light = ground(&browser).await;
    browser.click("button[name=theme][value=dark]").await;
    browser.until("html[data-theme=dark]").await;
    let dark = ground(&browser).await;
    assert_ne!(light, dark);
    browser.open("/operations").await;
    browser.until("html[data-theme=dark]").await;
    assert_eq!(ground(&browser).await, dark);
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn everything_can_be_done_without_a_script() {
    let world = World::new().start().await;
    let options = Options {
        scripts: false,
        ..Options::default()
    };
    let Some(browser) = Browser::start(&world, options).await else {
        return world.end().await;
    };
    browser.log_in().await;
    browser.open("/catalog?q=memos").await;
    browser.click("#results a[href='/catalog/memos']").await;
    browser.fill("input[name='/name']", "plain").await;
    // Another name is another plan: it is shown first, and the second press runs it.
    browser.click("#go").await;
    browser.says("#notice", "Nothing was started").await;
    browser.click("#go").await;
    browser
        .comes_to(|path| path.starts_with("/operations/op_"))
        .await;
    while !browser.text("#outcome").await.contains("plain is up") {
        browser.reload().await;
    }
    browser.open("/apps/plain/logs").await;
    browser.until("#log .log-line").await;
    browser.open("/apps/plain/settings").await;
    browser.fill("#delete-name", "plain").await;
    browser.click("#delete-form button").await;
    browser
        .comes_to(|path| path.starts_with("/operations/op_"))
        .await;
    while !browser.text("#outcome").await.contains("plain is gone") {
        browser.reload().await;
    }
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn everything_can_be_reached_with_the_keyboard() {
    const TAB: char = '\u{e004}';
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.open("/login").await;
    browser
        .press(&format!("admin{TAB}{PASSWORD}\u{e007}"))
        .await;
    browser.comes_to(|path| path == "/").await;
    // The first stop leads past the navigation.
    browser.press(&TAB.to_string()).await;
    let focused = "const at = document.activeElement; const look = getComputedStyle(at); \
                   return [at.textContent.trim(), at.getAttribute('href'), look.outlineStyle]";
    let skip = browser.run(focused, vec![]).await;
    assert_eq!(skip[1], "#content", "{skip}");
    let mut stops = Vec::new();
    for _ in 0..40 {
        browser.press(&TAB.to_string()).await;
        let stop = browser.run(focused, vec![]).await;
        assert_ne!(stop[2], "none", "the focus cannot be seen at {stop}");
        stops.push(stop[1].as_str().unwrap_or_default().to_owned());
        if stops.last().is_some_and(|to| to == "/catalog") {
            browser.press("\u{e007}").await;
            browser.comes_to(|path| path == "/catalog").await;
            browser.end().await;
            return world.end().await;
        }
    }
    panic!("the catalog is not among {stops:?}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_works() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    browser.open("/settings").await;
    browser.fill("#token-name", "a script").await;
    browser.click("#new-token button").await;
    browser.until("#token-made").await;
    let token = browser.text("#token").await;
    let script = world.stranger().with_token(&token);
    assert_eq!(script.get("/api/v1/apps").await.status, 200);
    browser.open("/settings").await;
    assert_eq!(browser.count("#token-made").await, 0);
    browser.click("[data-token='a script'] button").await;
    browser.says("#tokens", "There is none yet").await;
    assert_eq!(script.get("/api/v1/apps").await.status, 401);
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn who_did_what_is_told_in_sentences() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    let admin = app(&world, "memos", "notes & more").await;
    let wrong = json!({"username": "admin", "password": "wrong"});
    world.stranger().post("/api/v1/sessions", wrong).await;
    browser.log_in().await;
    browser.open("/settings").await;
    browser.click("#audit a").await;
    browser.says("#audit", "admin deployed notes & more").await;
    browser.says("#audit", "admin tried to log in").await;
    browser.says("#audit .badge", "Denied").await;
    browser.open("/settings/audit?action=app").await;
    assert_eq!(browser.count("#audit li").await, 1);
    browser.click("#audit a").await;
    browser.says("#operations", "Deploy notes & more").await;
    browser.open("/settings/audit?by=nobody").await;
    browser.says(".empty", "Nothing fits these filters").await;
    admin.done("notes & more", "delete").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn everything_is_parked_and_goes_on_by_a_switch() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    browser.open("/settings").await;
    browser.fill("#park-reason", "new disks").await;
    browser.click("#park button").await;
    browser.says(".banner-warn", "new disks").await;
    let admin = world.admin().await;
    let (operation, _) = admin.deploy(json!({"catalog_id": "memos"})).await;
    browser.open(&format!("/operations/{operation}")).await;
    browser.says("#summary", "Queued").await;
    browser.open("/settings").await;
    browser
        .click("form[action='/settings/resume'] button")
        .await;
    assert_eq!(admin.finished(&operation).await["status"], "completed");
    browser.end().await;
    world.end().await;
}
