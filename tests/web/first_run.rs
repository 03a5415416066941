//! The first run in a real browser: each page filled in as a person does, pictured, and looked at for barriers.

use super::{
    Browser, Options,
    browser::pictures,
    looks::{axe, barriers},
};
use crate::world::{PASSWORD, World};

/// The page as it is in both themes and two widths: a picture each, nothing too wide, no barrier.
async fn look(browser: &Browser, axe: Option<&str>, name: &str) {
    let folder = pictures();
    for (theme, width) in [("light", 1280), ("dark", 390)] {
        browser.size(width, 900).await;
        browser
            .click(&format!("button[name=theme][value={theme}]"))
            .await;
        browser.until(&format!("html[data-theme={theme}]")).await;
        browser.until("h1").await;
        let overflow =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        let over = browser.run(overflow, vec![]).await;
        assert!(
            over.as_i64() <= Some(0),
            "{name} is {over} px too wide at {width}"
        );
        let height = "return document.documentElement.scrollHeight";
        let height = browser.run(height, vec![]).await.as_u64().unwrap_or(900);
        let height = u32::try_from(height).unwrap_or(900).clamp(900, 2600);
        browser.size(width, height + 100).await;
        let file = folder.join(format!("setup-{name}-{theme}-{width}.png"));
        std::fs::write(file, browser.picture().await).unwrap();
        if let Some(axe) = axe {
            let found = barriers(browser, axe, &format!("{name}, {theme}, {width} px")).await;
            assert!(found.is_empty(), "{}", found.join("\n"));
        }
    }
    browser.size(1280, 900).await;
    let complaints = browser.complaints().await;
    assert_eq!(complaints, Vec::<String>::new(), "{name}");
}

async fn first_run(options: Options) {
    let mut world = World::new().nodes(2).unset().start().await;
    let code = world.service().setup_code();
    let Some(browser) = Browser::start(&world, options).await else {
        return world.abandon().await;
    };
    let axe = axe().filter(|_| options.scripts);
    let look = async |name: &str| {
        if options.scripts {
            self::look(&browser, axe.as_deref(), name).await;
        }
    };
    browser.open("/catalog").await;
    browser.until("#enter").await;
    assert_eq!(browser.path().await, "/setup");
    look("entrance").await;
    browser.fill("#code", &code).await;
    browser.click("#go-on").await;

    browser
        .comes_to(|path| path == "/setup/administrator")
        .await;
    look("administrator").await;
    browser.fill("#username", "admin").await;
    browser.fill("#password", PASSWORD).await;
    browser.fill("#again", PASSWORD).await;
    browser.click("#go-on").await;

    browser.comes_to(|path| path == "/setup/cluster").await;
    look("cluster").await;
    let api = world.cluster().api;
    browser.fill("#host", &api.ip().to_string()).await;
    browser.fill("#port", &api.port().to_string()).await;
    browser.click("#go-on").await;

    browser.comes_to(|path| path == "/setup/certificate").await;
    browser
        .says("#fingerprint", &world.cluster().fingerprint)
        .await;
    look("certificate").await;
    browser.click("#compared").await;
    browser.click("#go-on").await;

    browser.comes_to(|path| path == "/setup/credentials").await;
    look("credentials").await;
    browser.fill("#user", "root@pam").await;
    browser.fill("#api-password", "not the password").await;
    browser.click("#go-on").await;
    browser.comes_to(|path| path == "/setup/test").await;
    browser.says("#test", "does not let `root@pam` in").await;
    if options.scripts {
        look("refused").await;
    }
    browser.open("/setup/credentials").await;
    browser
        .fill("#api-password", &world.cluster().password.clone())
        .await;
    browser.click("#go-on").await;
    browser.comes_to(|path| path == "/setup/test").await;
    browser.says("#test", "Everything works").await;
    look("test").await;
    browser.click("form[action='/setup/save'] button").await;
    browser.comes_to(|path| path == "/catalog").await;
    browser.says("#content", "Uptime Kuma").await;
    browser.end().await;
    world.end().await;
}

#[tokio::test]
async fn the_first_run_leads_from_a_code_to_the_catalog() {
    first_run(Options::default()).await;
}

#[tokio::test]
async fn the_first_run_needs_no_script() {
    let options = Options {
        scripts: false,
        ..Options::default()
    };
    first_run(options).await;
}
