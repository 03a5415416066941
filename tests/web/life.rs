//! The life of an app in the browser: its logs, stop, start, delete.

use super::{Browser, Options, app};
use crate::world::World;

#[tokio::test]
async fn an_app_is_stopped_started_and_deleted() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    app(&world, "memos", "notes").await;
    browser.log_in().await;
    for (action, said, word) in [
        ("stop", "notes is stopped", "Stopped"),
        ("start", "notes is up", "Running"),
    ] {
        browser.open("/apps/notes").await;
        browser
            .click(&format!("form[action$='/{action}'] button"))
            .await;
        browser
            .comes_to(|path| path.starts_with("/operations/"))
            .await;
        browser.says("#outcome", said).await;
        browser.open("/apps/notes").await;
        browser.says("#app-head", word).await;
    }
    browser.open("/apps/notes/settings").await;
    browser.fill("#delete-name", "something else").await;
    browser.click("#delete-form button").await;
    browser
        .says("#delete-form", "This is not the app’s name")
        .await;
    assert_eq!(world.containers().await.len(), 1);
    browser.fill("#delete-name", "notes").await;
    browser.click("#delete-form button").await;
    browser
        .comes_to(|path| path.starts_with("/operations/"))
        .await;
    browser.says("#outcome", "notes is gone").await;
    assert_eq!(world.containers().await, []);
    browser.open("/").await;
    browser.until(".empty").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn logs_are_shown_searched_and_loaded() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    let admin = app(&world, "memos", "notes").await;
    browser.log_in().await;
    browser.open("/apps/notes/logs").await;
    browser.until("#log .log-line").await;
    let all = browser.count("#log .log-line").await;
    browser.fill("#log-search", "no line says this").await;
    browser.press("\u{e007}").await;
    browser.says("#log-none", "No line has").await;
    browser.open("/apps/notes/logs").await;
    // What is written while one looks comes by itself.
    admin.done("notes", "restart").await;
    browser.open("/apps/notes/logs").await;
    browser.until("#log .log-line").await;
    assert!(browser.count("#log .log-line").await >= all);
    browser.click("#log-pause").await;
    browser.says("#log-pause", "Go on").await;
    browser.click("#log-wrap").await;
    browser.until("#log.log-unwrapped").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn a_first_login_is_shown_once_and_then_for_ones_own_password() {
    let world = World::new().start().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    app(&world, "postgresql", "base").await;
    browser.log_in().await;
    browser.open("/apps/base/settings").await;
    browser.click("#login form button").await;
    let secret = browser.until("#login .secret").await.text().await.unwrap();
    assert!(secret.len() >= 16, "a generated password");
    browser.open("/apps/base/settings").await;
    browser.click("#login form button").await;
    browser.says("#login", "Your own password is needed").await;
    browser.fill("#own-password", crate::world::PASSWORD).await;
    browser.click("#login form button").await;
    assert_eq!(
        browser.until("#login .secret").await.text().await.unwrap(),
        secret
    );
    assert!(!world.log().contains(&secret), "a secret is in the log");
    browser.end().await;
    world.end().await;
}
