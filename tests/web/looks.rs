//! How pages look, to people and to their tools: pictures of every page, an accessibility check, what they weigh, and
//! that nothing is asked of another host.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use super::{Browser, Options, app, browser::pictures};
use crate::world::World;

/// Kilobytes that a first visit may weigh, compressed, and each later one.
const FIRST: u64 = 150 << 10;
const LATER: u64 = 20 << 10;

/// Every page, with a name for its picture.
fn pages(operation: &str) -> Vec<(&'static str, String)> {
    [
        ("home", "/"),
        ("catalog", "/catalog"),
        ("deploy", "/catalog/postgresql"),
        ("app", "/apps/notes"),
        ("logs", "/apps/notes/logs"),
        ("history", "/apps/notes/history"),
        ("app-settings", "/apps/base/settings"),
        ("operations", "/operations"),
        ("nodes", "/nodes"),
        ("settings", "/settings"),
        ("audit", "/settings/audit"),
    ]
    .into_iter()
    .map(|(name, path)| (name, path.to_owned()))
    .chain([
        ("progress", format!("/operations/{operation}")),
        (
            "missing",
            "/operations/op_00000000000000000000000000000007".to_owned(),
        ),
    ])
    .collect()
}

async fn lively() -> (World, String) {
    let world = World::new().nodes(3).start().await;
    let admin = app(&world, "memos", "notes").await;
    admin
        .deployed(json!({"catalog_id": "postgresql", "name": "base"}))
        .await;
    let (operation, _) = admin
        .deploy(json!({"catalog_id": "uptime-kuma", "name": "status"}))
        .await;
    admin.finished(&operation).await;
    (world, operation)
}

#[tokio::test]
async fn every_page_is_pictured_in_both_themes_and_two_widths() {
    let (world, operation) = lively().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log_in().await;
    let folder = pictures();
    for theme in ["light", "dark"] {
        browser.open("/settings").await;
        browser
            .click(&format!(".side button[name=theme][value={theme}]"))
            .await;
        browser.until(&format!("html[data-theme={theme}]")).await;
        for width in [390, 1440] {
            for (name, path) in pages(&operation) {
                browser.size(width, 900).await;
                browser.open(&path).await;
                browser.until("h1").await;
                let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                let over = browser
                    .run(overflow, vec![])
                    .await
                    .as_i64()
                    .unwrap_or_default();
                assert!(over <= 0, "{name} is {over} px too wide at {width}");
                let height = browser
                    .run("return document.documentElement.scrollHeight", vec![])
                    .await;
                let height = u32::try_from(height.as_u64().unwrap_or(900)).unwrap_or(900);
                browser.size(width, height.clamp(900, 2600) + 100).await;
                let file = folder.join(format!("{name}-{theme}-{width}.png"));
                std::fs::write(file, browser.picture().await).unwrap();
                assert_eq!(
                    complaints(&browser, name).await,
                    Vec::<String>::new(),
                    "{name}"
                );
            }
        }
    }
    println!("pictures of every page: {}", folder.display());
    browser.end().await;
    world.end().await;
}

/// What the browser complained of; a page that is not there answers 404, which it tells as well.
async fn complaints(browser: &Browser, name: &str) -> Vec<String> {
    let mut complaints = browser.complaints().await;
    if name == "missing" {
        complaints.retain(|line| !line.contains("404"));
    }
    complaints
}

#[tokio::test]
async fn no_page_has_a_serious_barrier() {
    let Some(axe) = axe() else { return };
    let (world, operation) = lively().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.open("/login").await;
    let mut barriers = barriers(&browser, &axe, "login").await;
    browser.log_in().await;
    for (theme, width) in [("light", 1280), ("dark", 1280), ("light", 390)] {
        browser.size(1280, 900).await;
        browser.open("/settings").await;
        browser
            .click(&format!(".side button[name=theme][value={theme}]"))
            .await;
        browser.until(&format!("html[data-theme={theme}]")).await;
        browser.size(width, 900).await;
        for (name, path) in pages(&operation) {
            browser.open(&path).await;
            browser.until("h1").await;
            let place = format!("{name}, {theme}, {width} px");
            barriers.extend(self::barriers(&browser, &axe, &place).await);
        }
    }
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
    browser.end().await;
    world.end().await;
}

/// What axe finds on the page that is open, one line each.
pub(super) async fn barriers(browser: &Browser, axe: &str, place: &str) -> Vec<String> {
    browser.run(axe, vec![]).await;
    let script = "const done = arguments[arguments.length - 1]; \
        axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations \
        .filter(v => ['serious', 'critical'].includes(v.impact)) \
        .map(v => v.id + ': ' + v.help + ' at ' + v.nodes.slice(0, 4).map(n => n.target.join(' ')).join(', '))))";
    let found = browser.run_async(script).await;
    let lines = found.as_array().cloned().unwrap_or_default();
    lines
        .iter()
        .map(|line| format!("{place}: {}", line.as_str().unwrap_or_default()))
        .collect()
}

/// axe-core, as the lock file in `tests/web` names it; `make test` installs it.
pub(super) fn axe() -> Option<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let file = target.join("web-tests/node_modules/axe-core/axe.min.js");
    match std::fs::read_to_string(&file) {
        Ok(script) => Some(script),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "in CI axe-core must be there: {error}"
            );
            eprintln!("skipped: axe-core is not installed; `make test` does it");
            None
        }
    }
}

#[tokio::test]
async fn pages_are_light_and_ask_nobody_else() {
    let (world, operation) = lively().await;
    let Some(browser) = Browser::start(&world, Options::default()).await else {
        return world.end().await;
    };
    browser.log("performance").await;
    browser.open("/login").await;
    browser.until("#login").await;
    let first = weighed(&browser).await;
    browser.log_in().await;
    println!("{:>8}  first visit: login", first.values().sum::<u64>());
    let mut seen = first;
    for (name, path) in pages(&operation) {
        browser.log("performance").await;
        browser.open(&path).await;
        browser.until("h1").await;
        let loaded = weighed(&browser).await;
        let fresh: u64 = loaded.values().sum();
        println!("{fresh:>8}  {name}");
        for address in loaded.keys() {
            let is_ours = address.starts_with(&world.url()) || address.starts_with("data:");
            assert!(is_ours, "{name} asks {address}");
        }
        // Pictures of apps and scripts of one page come once; a page itself each time.
        let page = loaded.iter().filter(|(address, _)| {
            !address.contains("/static/") && !address.contains("/pictures/")
        });
        let page: u64 = page.map(|(_, bytes)| bytes).sum();
        assert!(page <= LATER, "{name} weighs {page} bytes");
        seen.extend(loaded);
    }
    let all: u64 = seen.values().sum();
    println!("{all:>8}  everything together");
    let shared: u64 = seen
        .iter()
        .filter(|(address, _)| address.contains("/static/"))
        .map(|(_, bytes)| bytes)
        .sum();
    assert!(
        shared + LATER <= FIRST,
        "styles and scripts weigh {shared} bytes"
    );
    browser.end().await;
    world.end().await;
}

/// Bytes that came over the line since the last look, by address.
async fn weighed(browser: &Browser) -> BTreeMap<String, u64> {
    let (mut addresses, mut bytes) = (BTreeMap::new(), BTreeMap::new());
    for line in browser.log("performance").await {
        let text = line["message"].as_str().unwrap_or_default();
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let (method, params) = (&message["message"]["method"], &message["message"]["params"]);
        let id = params["requestId"].as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            Some("Network.requestWillBeSent") => {
                let address = params["request"]["url"].as_str().unwrap_or_default();
                addresses.insert(id, address.to_owned());
            }
            Some("Network.loadingFinished") => {
                let weight = params["encodedDataLength"].as_f64().unwrap_or_default();
                bytes.insert(id, weight);
            }
            _ => {}
        }
    }
    addresses
        .into_iter()
        .filter(|(_, address)| address.starts_with("http"))
        .map(|(id, address)| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of bytes"
            )]
            let weight = bytes.get(&id).copied().unwrap_or_default() as u64;
            (address, weight)
        })
        .collect()
}
