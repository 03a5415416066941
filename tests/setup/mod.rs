//! The first run: the program with a database and no cluster, set up by a person with a browser that runs no script.

mod browser;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{PASSWORD, PATIENCE, World};
use browser::{Browser, plain};

/// Everything up to the page of credentials.
async fn to_credentials(world: &mut World) -> Browser {
    let mut browser = Browser::new(world.service().url());
    let code = world.service().setup_code();
    browser.get(&format!("/setup?code={code}")).await;
    assert_eq!(browser.path, "/setup/administrator", "{}", browser.text);
    let account = [
        ("username", "admin"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    browser.send("/setup/administrator", &account).await;
    assert_eq!(browser.path, "/setup/cluster", "{}", plain(&browser.text));
    let api = world.cluster().api;
    let address = [
        ("PROXMOX_HOST", api.ip().to_string()),
        ("PROXMOX_PORT", api.port().to_string()),
    ];
    let address = address
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    browser.send("/setup/cluster", &address).await;
    assert_eq!(
        browser.path,
        "/setup/certificate",
        "{}",
        plain(&browser.text)
    );
    let fingerprint = browser.hidden("fingerprint");
    assert_eq!(fingerprint, world.cluster().fingerprint);
    browser.sees(&fingerprint);
    browser
        .send(
            "/setup/certificate",
            &[("fingerprint", &fingerprint), ("compared", "on")],
        )
        .await;
    assert_eq!(
        browser.path,
        "/setup/credentials",
        "{}",
        plain(&browser.text)
    );
    browser
}

fn root(password: &str) -> [(&str, &str); 4] {
    [
        ("identity", "password"),
        ("PROXMOX_USER", "root@pam"),
        ("PROXMOX_PASSWORD", password),
        ("ssh", "same"),
    ]
}

#[tokio::test]
async fn from_nothing_to_a_deployed_app() {
    let mut world = World::new().nodes(2).unset().start().await;
    let mut browser = to_credentials(&mut world).await;
    let password = world.cluster().password.clone();
    browser.send("/setup/credentials", &root(&password)).await;
    assert_eq!(browser.path, "/setup/test");
    browser.sees("Everything works");
    browser.sees("The Proxmox API lets `root@pam` in.");
    assert!(
        !browser.text.contains(&password),
        "a secret came back into a page"
    );
    browser.get("/setup/credentials").await;
    assert!(
        !browser.text.contains(&password),
        "a secret came back into a page"
    );
    browser.sees("User and password");
    browser.get("/setup/test").await;
    browser.send("/setup/save", &[]).await;
    // Logged in already: the catalog, not the login.
    assert_eq!(
        (browser.path.as_str(), browser.status),
        ("/catalog", 200),
        "{}",
        browser.text
    );

    let admin = world.admin().await;
    admin.deployed(json!({"catalog_id": "memos"})).await;
    // There is nothing to set up any more.
    let mut stranger = Browser::new(world.service().url());
    stranger.get("/setup").await;
    assert_eq!(stranger.path, "/login", "{}", stranger.text);
    // What was saved is enough for the next start, without a word of it in the environment.
    world.service().stop().await;
    world.service().launch().await;
    let admin = world.admin().await;
    let settings = admin.get("/api/v1/settings").await;
    assert!(!settings.text.contains(&password), "a secret is told");
    let told = settings.body.as_array().unwrap().iter();
    let host = { told }.find(|setting| setting["name"] == "PROXMOX_HOST");
    assert_eq!(host.unwrap()["origin"], "setup", "{settings:?}");
    let apps = admin.get("/api/v1/apps").await;
    assert_eq!(apps.body["items"].as_array().unwrap().len(), 1, "{apps:?}");
    world.end().await;
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let mut world = World::new().unset().start().await;
    let url = world.service().url().to_owned();
    let mut stranger = Browser::new(&url);
    for path in [
        "/",
        "/catalog",
        "/setup/administrator",
        "/setup/test",
        "/setup/credentials",
        "/login",
    ] {
        stranger.get(path).await;
        assert_eq!(
            (stranger.path.as_str(), stranger.status),
            ("/setup", 200),
            "{path}"
        );
        stranger.sees("Set Proximity up");
    }
    stranger
        .get("/setup?code=0123456789abcdef0123456789abcdef")
        .await;
    assert_eq!(stranger.status, 401);
    stranger.sees("This is not the code.");
    // A form without having been let in, and one of another site.
    let account = [
        ("username", "evil"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    stranger
        .go(Method::POST, "/setup/administrator", &account)
        .await;
    assert_eq!(stranger.path, "/setup");
    let mut forged = Browser::new(&url);
    let code = world.service().setup_code();
    forged.get(&format!("/setup?code={code}")).await;
    forged
        .go(Method::POST, "/setup/administrator", &account)
        .await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    // Guessing is slow.
    let mut status = 0;
    for _ in 0..10 {
        stranger
            .go(Method::POST, "/setup", &[("code", "guess")])
            .await;
        status = stranger.status;
    }
    assert_eq!(status, 429, "{}", stranger.text);

    let api = world.stranger().get("/api/v1/apps").await;
    assert_eq!(
        (api.status, &api.body["code"]),
        (503, &json!("not_configured")),
        "{api:?}"
    );
    assert!(
        api.body["detail"].as_str().unwrap().contains("/setup"),
        "{api:?}"
    );
    assert_eq!(world.stranger().get("/healthz").await.status, 200);
    assert_eq!(world.stranger().get("/readyz").await.status, 503);
    assert!(!world.log().contains(&code), "the code is in the log");

    // The command says what there is to do.
    let config = tempfile::tempdir().unwrap();
    let mut login = std::process::Command::new(env!("CARGO_BIN_EXE_proximity"));
    login
        .args([
            "login",
            "--url",
            &url,
            "--username",
            "admin",
            "--password-stdin",
        ])
        .env_clear()
        .env("HOME", config.path())
        .stdin(std::process::Stdio::null());
    let password = config.path().join("password");
    std::fs::write(&password, "hunter2hunter2\n").unwrap();
    login.stdin(std::fs::File::open(&password).unwrap());
    let said = tokio::task::spawn_blocking(move || login.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.contains("is not set up yet") && said.contains(&format!("{url}/setup")),
        "{said}"
    );
    world.abandon().await;
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one walk through the form, field by field"
)]
async fn what_is_wrong_stands_beside_its_field() {
    let mut world = World::new().unset().start().await;
    let mut browser = Browser::new(world.service().url());
    let code = world.service().setup_code();
    browser.get("/setup").await;
    browser.go(Method::POST, "/setup", &[("code", &code)]).await;
    assert_eq!(browser.path, "/setup/administrator", "{}", browser.text);
    browser
        .send(
            "/setup/administrator",
            &[
                ("username", "admin"),
                ("password", "short"),
                ("again", "short"),
            ],
        )
        .await;
    assert_eq!(browser.status, 422);
    browser.sees("Must have at least 10 characters");
    browser
        .send(
            "/setup/administrator",
            &[
                ("username", "admin"),
                ("password", PASSWORD),
                ("again", "else"),
            ],
        )
        .await;
    browser.sees("Is not the same password.");
    assert!(!browser.text.contains(PASSWORD));
    // Nothing can be skipped.
    browser.get("/setup/credentials").await;
    assert_eq!(browser.path, "/setup/administrator");
    browser
        .send(
            "/setup/administrator",
            &[
                ("username", "admin"),
                ("password", PASSWORD),
                ("again", PASSWORD),
            ],
        )
        .await;

    browser
        .send(
            "/setup/cluster",
            &[("PROXMOX_HOST", "not a host"), ("PROXMOX_PORT", "8006")],
        )
        .await;
    assert_eq!(browser.status, 422);
    browser.sees("Must be a name or an address of one node");
    assert!(
        browser.text.contains("value=\"not a host\""),
        "what was typed is kept"
    );
    browser
        .send(
            "/setup/cluster",
            &[("PROXMOX_HOST", "127.0.0.1"), ("PROXMOX_PORT", "1")],
        )
        .await;
    browser.sees("127.0.0.1:1 does not answer. Check the address and the port");
    let port = world.cluster().api.port().to_string();
    browser
        .send(
            "/setup/cluster",
            &[("PROXMOX_HOST", "127.0.0.1"), ("PROXMOX_PORT", &port)],
        )
        .await;

    let fingerprint = browser.hidden("fingerprint");
    browser
        .send("/setup/certificate", &[("fingerprint", &fingerprint)])
        .await;
    browser.sees("only the comparison proves that this is your cluster");
    let other = ["AA"; 32].join(":");
    browser
        .send(
            "/setup/certificate",
            &[("fingerprint", &other), ("compared", "on")],
        )
        .await;
    assert_eq!(browser.status, 409);
    browser.sees("Another certificate was looked at meanwhile; compare that one.");
    browser
        .send(
            "/setup/certificate",
            &[("fingerprint", &fingerprint), ("compared", "on")],
        )
        .await;

    browser
        .send(
            "/setup/credentials",
            &[
                ("identity", "token"),
                ("PROXMOX_TOKEN_ID", "a@pve!b"),
                ("PROXMOX_TOKEN_SECRET", "s"),
                ("ssh", "same"),
            ],
        )
        .await;
    browser.sees("an API token opens no SSH");
    browser.send("/setup/credentials", &root("hunter22")).await;
    assert_eq!(browser.path, "/setup/test");
    browser.sees("It does not work yet");
    browser.sees("The Proxmox API does not let `root@pam` in. Check the user with its realm");
    assert!(!browser.text.contains("Save"), "{}", plain(&browser.text));
    // Not even when the button is not waited for.
    browser.send("/setup/save", &[]).await;
    browser.get("/setup/credentials").await;
    browser.send("/setup/save", &[]).await;
    browser.sees("Nothing was saved.");

    world.fault(json!({"on": "ssh_connect", "do": "refuse"}));
    let password = world.cluster().password.clone();
    browser.get("/setup/credentials").await;
    browser.send("/setup/credentials", &root(&password)).await;
    browser.sees("Something will not work");
    browser.sees("The node does not answer over SSH");
    browser.sees("Save all the same");
    browser.send("/setup/save", &[]).await;
    assert_eq!(
        (browser.path.as_str(), browser.status),
        ("/catalog", 200),
        "{}",
        plain(&browser.text)
    );
    world.end().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing_and_asks_who_it_is() {
    let mut world = World::new().unset().start().await;
    let mut browser = to_credentials(&mut world).await;
    let code = world.service().setup_code();
    world.service().stop().await;
    world.service().launch().await;
    assert_eq!(
        world.service().setup_code(),
        "",
        "there is an administrator: no code is made"
    );
    let mut again = Browser::new(world.service().url());
    again.cookies.clone_from(&browser.cookies);
    again.get("/setup/credentials").await;
    assert_eq!(again.path, "/setup", "a cookie of before opens nothing");
    again.go(Method::POST, "/setup", &[("code", &code)]).await;
    assert_eq!(again.status, 401);
    again
        .go(
            Method::POST,
            "/setup",
            &[("username", "admin"), ("password", "wrong")],
        )
        .await;
    assert_eq!(again.status, 401);
    again.sees("There is no such user, or this is not their password.");
    again
        .go(
            Method::POST,
            "/setup",
            &[("username", "admin"), ("password", PASSWORD)],
        )
        .await;
    // The certificate is confirmed already.
    assert_eq!(again.path, "/setup/credentials", "{}", again.text);
    let password = world.cluster().password.clone();
    again.send("/setup/credentials", &root(&password)).await;
    again.sees("Everything works");
    again.send("/setup/save", &[]).await;
    assert_eq!(again.path, "/catalog");
    browser.url.clear();
    world.end().await;
}

#[tokio::test]
async fn settings_of_the_environment_go_before_and_are_named() {
    let mut world = World::new()
        .unset()
        .set("PROXMOX_BRIDGE", "vmbr9")
        .start()
        .await;
    let mut browser = to_credentials(&mut world).await;
    browser.sees("PROXMOX_BRIDGE");
    let password = world.cluster().password.clone();
    let mut fields = root(&password).to_vec();
    fields.push(("PROXMOX_BRIDGE", "vmbr0"));
    browser.send("/setup/credentials", &fields).await;
    browser.sees("There is no active bridge `vmbr9`.");
    world.abandon().await;
}

#[tokio::test]
async fn a_password_of_the_settings_makes_the_administrator() {
    let mut world = World::new()
        .unset()
        .set("PROXIMITY_ADMIN_PASSWORD", PASSWORD)
        .start()
        .await;
    assert_eq!(world.service().setup_code(), "");
    let mut browser = Browser::new(world.service().url());
    browser.get("/setup").await;
    browser.sees("Log in as the administrator to go on.");
    browser
        .go(
            Method::POST,
            "/setup",
            &[("username", "admin"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(browser.path, "/setup/cluster", "{}", browser.text);
    world.abandon().await;
}

#[tokio::test]
async fn another_replica_notices_what_was_saved() {
    let mut world = World::new().unset().start().await;
    let mut other = world.second().await;
    let mut browser = to_credentials(&mut world).await;
    let password = world.cluster().password.clone();
    browser.send("/setup/credentials", &root(&password)).await;
    browser.send("/setup/save", &[]).await;
    assert_eq!(browser.path, "/catalog");
    let actor = crate::world::Actor::new(other.url());
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let answer: Value = actor.get("/readyz").await.body;
        if answer["status"] == "ready" {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "it did not notice: {answer}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    other.stop().await;
    world.end().await;
}
