//! Pages: who sees them, where strangers are sent, and that they bring nothing along.

use serde_json::json;

use crate::world::{Actor, Answer, PASSWORD, World};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Somebody with a browser.
fn browser(actor: Actor) -> Actor {
    actor.with(
        "accept",
        "text/html,application/xhtml+xml,*/*;q=0.8".to_owned(),
    )
}

impl Answer {
    fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text());
        self.header("location")
    }

    /// The page, which carries its policy and no script or style of its own.
    fn page(&self) -> String {
        assert!(self.header("content-type").starts_with("text/html"));
        assert_eq!(self.header("content-security-policy"), POLICY);
        let page = self.text().to_owned();
        assert!(
            !page.contains("<style") && !page.contains(" style="),
            "{page}"
        );
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" type=\"module\" src=\"/static/"),
                "{script}"
            );
        }
        for loads in [" src=\"http", "<link rel=\"stylesheet\" href=\"http"] {
            assert!(!page.contains(loads), "a page loads from another host");
        }
        page
    }
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_login_and_comes_back_from_there() {
    let world = World::new().await;
    let stranger = browser(world.stranger());
    assert_eq!(stranger.get("/").await.location(), "/login");
    assert_eq!(
        stranger.get("/?cursor=x").await.location(),
        "/login?next=%2F%3Fcursor%3Dx"
    );
    assert_eq!(
        stranger.get("/docs").await.location(),
        "/login?next=%2Fdocs"
    );
    let login = stranger.get("/login?next=%2Fdocs").await.page();
    assert!(login.contains("name=\"next\" value=\"/docs\""), "{login}");
    let form = format!(
        "username=admin&password={}&next=%2Fdocs",
        PASSWORD.replace(' ', "+")
    );
    let answer = stranger.form("/login", &form).await;
    assert_eq!(answer.location(), "/docs");
    let cookie = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let admin = stranger.with("cookie", cookie);
    assert!(
        admin
            .get("/")
            .await
            .page()
            .contains("No app is installed yet")
    );
    assert_eq!(
        admin.get("/login?next=//evil.example").await.location(),
        "/"
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_beside_the_form_and_not_repeated() {
    let world = World::new().await;
    let answer = browser(world.stranger())
        .form("/login", "username=%3Cb%3Eann&password=hunter2")
        .await;
    assert_eq!(answer.status, 401);
    let page = answer.page();
    assert!(page.contains("There is no such user, or this is not their password."));
    assert!(page.contains("value=\"&lt;b&gt;ann\"") && !page.contains("hunter2"));
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let world = World::new().await;
    let admin = browser(world.admin().await).without("x-csrf-token");
    let answer = admin.form("/logout", "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.page().contains("data-status=\"403\""));
    let foreign = admin
        .clone()
        .with("sec-fetch-site", "cross-site".to_owned());
    assert_eq!(
        foreign
            .form("/login", "username=admin&password=x")
            .await
            .status,
        403
    );
    assert_eq!(
        admin.get("/").await.status,
        200,
        "the session is still there"
    );
}

#[tokio::test]
async fn a_form_with_its_token_logs_out() {
    let world = World::new().await;
    let admin = browser(world.admin().await).without("x-csrf-token");
    let page = admin.get("/").await.page();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let csrf = csrf.split('"').next().unwrap();
    let answer = admin.form("/logout", &format!("csrf={csrf}")).await;
    assert_eq!(answer.location(), "/login");
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(admin.get("/").await.location(), "/login");
}

#[tokio::test]
async fn errors_are_pages_for_people_and_problems_for_programs() {
    let world = World::new().await;
    let admin = world.admin().await;
    admin.get("/nowhere").await.problem(404, "no_such_path");
    let person = browser(admin);
    person
        .get("/api/v1/nowhere")
        .await
        .problem(404, "no_such_path");
    let answer = person.get("/nowhere").await;
    assert_eq!(answer.status, 404);
    let page = answer.page();
    assert!(page.contains(answer.header("x-request-id")), "{page}");
}

#[tokio::test]
async fn files_are_kept_for_ever_under_the_name_of_their_content() {
    let world = World::new().await;
    let login = browser(world.stranger()).get("/login").await.page();
    let mut files = 0;
    for file in login.split("\"/static/").skip(1) {
        let path = format!("/static/{}", file.split('"').next().unwrap());
        let answer = world.stranger().get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        files += 1;
    }
    assert!(files >= 5);
    let style = login
        .split("/static/app.")
        .nth(1)
        .unwrap()
        .split('.')
        .next()
        .unwrap();
    let zipped = world.stranger().with("accept-encoding", "gzip".to_owned());
    let answer = zipped.get(&format!("/static/app.{style}.css")).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    let older = world.stranger().get("/static/app.000000000000.css").await;
    assert_eq!(
        (older.status.as_u16(), older.header("cache-control")),
        (200, "no-cache")
    );
    assert_eq!(
        world.stranger().get("/static/../Cargo.toml").await.status,
        404
    );
}

#[tokio::test]
async fn the_look_is_a_cookie_that_the_page_is_painted_with() {
    let world = World::new().await;
    let stranger = browser(world.stranger());
    let answer = stranger
        .form("/appearance", "theme=dark&next=%2Flogin")
        .await;
    // The login would lead to itself.
    assert_eq!(answer.location(), "/");
    assert!(
        answer
            .header("set-cookie")
            .starts_with("proximity_theme=dark; Path=/; Max-Age=31536000")
    );
    let dark = stranger.with("cookie", "proximity_theme=dark".to_owned());
    assert!(
        dark.get("/login")
            .await
            .page()
            .contains("<html lang=\"en\" data-theme=\"dark\">")
    );
}

#[tokio::test]
async fn home_shows_what_is_installed_and_what_runs() {
    let world = World::new().await;
    let admin = browser(world.admin().await);
    let name = "<script>alert(1)</script>";
    let deployed = admin
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": name}),
        )
        .await;
    assert_eq!(deployed.status, 202);
    let page = admin.get("/").await.page();
    assert!(
        !page.contains(name) && page.contains("&lt;script&gt;alert(1)"),
        "{page}"
    );
    let id = deployed.json()["app"]["id"].as_str().unwrap().to_owned();
    assert!(page.contains(&format!("id=\"app-{id}\"")) && page.contains("Running now"));
    assert!(
        page.contains("data-tone=\"working\"") && page.contains("data-live=\"/live/home?after=")
    );
}

#[tokio::test]
async fn the_picture_of_any_app_is_drawn() {
    let world = World::new().await;
    for id in ["gitea", "memos", "never-heard-of"] {
        let answer = world.stranger().get(&format!("/pictures/{id}.svg")).await;
        assert_eq!(answer.header("content-type"), "image/svg+xml");
    }
    assert_eq!(
        world
            .stranger()
            .get("/pictures/%3Cscript%3E.svg")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_catalog_is_searched_by_a_plain_form_and_as_one_types() {
    let world = World::new().await;
    let admin = browser(world.admin().await);
    let all = admin.get("/catalog").await.page();
    assert!(all.contains("data-entry=\"gitea\"") && all.contains("data-entry=\"memos\""));
    let page = admin.get("/catalog?q=notes&category=").await.page();
    assert!(page.contains("data-entry=\"memos\"") && !page.contains("data-entry=\"gitea\""));
    assert!(
        page.contains("value=\"notes\""),
        "what was looked for stays"
    );
    let part = admin.get("/parts/catalog?q=notes").await;
    assert!(
        part.text().starts_with("<div id=\"results\""),
        "{}",
        part.text()
    );
    let nothing = admin.get("/catalog?q=%3Cscript%3E").await.page();
    assert!(nothing.contains("Nothing is found for “&lt;script&gt;”"));
    assert_eq!(
        browser(world.stranger()).get("/catalog").await.location(),
        "/login?next=%2Fcatalog"
    );
}

#[tokio::test]
async fn the_form_asks_what_the_entry_asks() {
    let world = World::new().await;
    let admin = browser(world.admin().await);
    let page = admin.get("/catalog/vaultwarden").await.page();
    for name in [
        "/name",
        "/parameters/DOMAIN",
        "/parameters/ADMIN_TOKEN",
        "/resources/memory",
        "/network/address",
    ] {
        assert!(page.contains(&format!("name=\"{name}\"")), "{name}");
    }
    assert!(page.contains("The cluster has not been seen yet"));
    assert!(
        !page.contains("field-wrong"),
        "nobody has typed anything wrong"
    );
    assert!(page.contains("proximity deploy vaultwarden"));
    let wordpress = admin.get("/catalog/wordpress").await.page();
    assert!(
        !wordpress.contains("DB_ROOT_PASSWORD"),
        "what is hidden is not asked"
    );
    assert_eq!(admin.get("/catalog/never-heard-of").await.status, 404);
}

/// The form of an entry with its tokens and these fields, percent-encoded.
async fn filled(admin: &Actor, id: &str, fields: &str) -> String {
    let page = admin.get(&format!("/catalog/{id}")).await.page();
    let hidden = |name: &str| {
        let value = page
            .split(&format!("name=\"{name}\" value=\""))
            .nth(1)
            .unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    format!(
        "csrf={}&idempotency_key={}&{fields}",
        hidden("csrf"),
        hidden("idempotency_key")
    )
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays() {
    let world = World::new().await;
    let admin = browser(world.admin().await).without("x-csrf-token");
    let fields = "%2Fname=%3Cb%3Enotes&%2Fresources%2Fmemory=lots&%2Fnetwork%2Faddress=here\
                  &%2Fparameters%2FDOMAIN=nowhere&%2Fparameters%2FADMIN_TOKEN=hunter2";
    let form = filled(&admin, "vaultwarden", fields).await;
    let answer = admin.form("/catalog/vaultwarden", &form).await;
    assert_eq!(answer.status, 422);
    let page = answer.page();
    let wrong = |id: &str| {
        let after = page
            .split(&format!("id=\"{id}-error\">"))
            .nth(1)
            .unwrap_or_default();
        after.split("</p>").next().unwrap_or_default().to_owned()
    };
    assert!(
        wrong("f-resources-memory").contains("Must be a whole number."),
        "{page}"
    );
    let part = admin.form("/parts/plan/vaultwarden", &form).await;
    let patch = part.json();
    let parts = patch["parts"].as_array().unwrap();
    let said = |target: &str| {
        let part = parts.iter().find(|part| part["target"] == target).unwrap();
        part["html"].as_str().unwrap().to_owned()
    };
    assert!(said("f-network-address-error").contains("Must be an IPv4 address"));
    assert!(said("f-parameters-DOMAIN-error").contains("must be an absolute URL"));
    assert!(said("f-name-error").contains("hidden"));
    assert!(said("plan").contains("The plan appears as soon as the fields are right."));
    assert!(page.contains("value=\"&lt;b&gt;notes\"") && page.contains("value=\"lots\""));
    assert!(
        !page.contains("hunter2") && !part.text().contains("hunter2"),
        "a secret is not repeated"
    );
}

#[tokio::test]
async fn nothing_is_started_without_a_plan_that_can_be() {
    let world = World::new().await;
    let admin = browser(world.admin().await).without("x-csrf-token");
    for fields in ["", "plan_node=pve1&plan_digest=0123"] {
        let form = filled(&admin, "memos", fields).await;
        let answer = admin.form("/catalog/memos", &form).await;
        assert_eq!(answer.status, 503);
        assert!(answer.page().contains("Nothing was started."));
    }
    let apps = admin.get("/api/v1/apps").await.json();
    assert_eq!(apps["items"], json!([]));
    let stranger = browser(world.stranger());
    assert_eq!(
        stranger
            .form("/catalog/memos", "plan_node=a")
            .await
            .location(),
        "/login"
    );
}
