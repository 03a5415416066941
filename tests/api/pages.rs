//! Deploying by the form: the button runs the plan that was shown, once, or nothing.

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::world::{PASSWORD, PATIENCE, World};

/// Somebody with a browser that does not run scripts.
struct Browser {
    client: Client,
    url: String,
    cookie: String,
    csrf: String,
}

/// A page, or where it leads to.
struct Shown {
    status: u16,
    location: String,
    html: String,
}

impl Browser {
    async fn login(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let login = client
            .post(format!("{url}/login"))
            .header("accept", "text/html")
            .form(&[("username", "admin"), ("password", PASSWORD)]);
        let answer = login.send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let mut browser = Self {
            client,
            url: url.to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: String::new(),
        };
        browser.csrf = browser.get("/").await.hidden("csrf");
        browser
    }

    async fn get(&self, path: &str) -> Shown {
        let request = self.client.get(format!("{}{path}", self.url));
        self.shown(request).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let mut form = vec![("csrf", self.csrf.as_str())];
        form.extend(fields);
        let request = self.client.post(format!("{}{path}", self.url)).form(&form);
        self.shown(request).await
    }

    async fn shown(&self, request: reqwest::RequestBuilder) -> Shown {
        let request = request
            .header("cookie", &self.cookie)
            .header("accept", "text/html");
        let answer = request.send().await.unwrap();
        let location = answer.headers().get("location");
        Shown {
            status: answer.status().as_u16(),
            location: location.map_or(String::new(), |to| to.to_str().unwrap().to_owned()),
            html: answer.text().await.unwrap(),
        }
    }

    /// The page of an entry, once the cluster has been seen and the plan is there.
    async fn planned(&self, id: &str) -> Shown {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let page = self.get(&format!("/catalog/{id}")).await;
            assert_eq!(page.status, 200);
            if page.html.contains("name=\"plan_digest\"") {
                return page;
            }
            assert!(tokio::time::Instant::now() < deadline, "no plan came");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

impl Shown {
    fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let value = self.html.split(&field).nth(1);
        let value = value.unwrap_or_else(|| panic!("{name} is not in {}", self.html));
        value.split('"').next().unwrap().to_owned()
    }

    /// What the form sends when nothing is changed but these fields.
    fn form<'a>(&self, fields: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
        let mut form = vec![
            ("idempotency_key", self.hidden("idempotency_key")),
            ("plan_node", self.hidden("plan_node")),
            ("plan_digest", self.hidden("plan_digest")),
        ];
        form.extend(
            fields
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        form
    }
}

fn fields<'a>(form: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    form.iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

#[tokio::test]
async fn the_button_runs_the_plan_that_was_shown_once() {
    let mut world = World::new().nodes(3).start().await;
    let url = world.service().url().to_owned();
    let (browser, admin) = (Browser::login(&url).await, world.admin().await);
    let page = browser.planned("memos").await;
    let node = page.hidden("plan_node");
    assert!(
        page.html.contains("not known yet"),
        "nothing was deployed so far"
    );
    let form = page.form(&[("/name", "Notes")]);
    // The plan of a form that was changed is another one: without a script, it is shown first.
    let other = browser.post("/catalog/memos", &fields(&form)).await;
    assert_eq!(other.status, 409, "{}", other.html);
    assert!(other.html.contains("Nothing was started."));
    assert_eq!(admin.get("/api/v1/apps").await.body["items"], json!([]));
    let form = other.form(&[("/name", "Notes")]);
    let form = fields(&form);
    let (once, twice) = tokio::join!(
        browser.post("/catalog/memos", &form),
        browser.post("/catalog/memos", &form)
    );
    assert_eq!(
        (once.status, twice.status),
        (303, 303),
        "{} {}",
        once.html,
        twice.html
    );
    assert_eq!(once.location, twice.location);
    let id = once.location.rsplit('/').next().unwrap();
    let operation = admin.finished(id).await;
    assert_eq!(operation["status"], "completed");
    let apps = admin.get("/api/v1/apps").await.body;
    assert_eq!(apps["items"].as_array().unwrap().len(), 1);
    assert_eq!(apps["items"][0]["node"], Value::from(node));
    // Sent again later, it still means the same deployment.
    let again = browser.post("/catalog/memos", &form).await;
    assert_eq!((again.status, &again.location), (303, &once.location));
    world.end().await;
}

#[tokio::test]
async fn a_plan_that_cannot_be_any_more_starts_nothing() {
    let mut world = World::new().nodes(2).start().await;
    let url = world.service().url().to_owned();
    let (browser, admin) = (Browser::login(&url).await, world.admin().await);
    let page = browser.planned("memos").await;
    let node = page.hidden("plan_node");
    let change = serde_json::from_value(json!({"maintenance": true})).unwrap();
    world.cluster().change_node(&node, &change).await.unwrap();
    // What the cluster told is good for a second.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let nodes = admin.get("/api/v1/nodes").await.body;
        let mut nodes = nodes["items"].as_array().unwrap().iter();
        if nodes.any(|other| other["name"] == node.as_str() && other["state"] == "maintenance") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "nobody sees it");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let form = page.form(&[]);
    let answer = browser.post("/catalog/memos", &fields(&form)).await;
    assert_eq!(answer.status, 409, "{}", answer.html);
    let said = format!("{node} cannot take it any more. It is in maintenance.");
    assert!(answer.html.contains(&said), "{}", answer.html);
    assert_ne!(
        answer.hidden("plan_node"),
        node,
        "the new plan is beside it"
    );
    assert_eq!(admin.get("/api/v1/apps").await.body["items"], json!([]));
    let form = answer.form(&[]);
    let answer = browser.post("/catalog/memos", &fields(&form)).await;
    assert_eq!(answer.status, 303, "{}", answer.html);
    let id = answer.location.rsplit('/').next().unwrap();
    assert_eq!(admin.finished(id).await["status"], "completed");
    let later = browser.get("/catalog/memos").await;
    assert!(!later.html.contains("The cluster has not been seen yet"));
    world.end().await;
}

#[tokio::test]
async fn pictures_are_the_sign_or_what_the_entry_brings_and_strangers_see_a_letter() {
    let mut world = World::new().start().await;
    let url = world.service().url().to_owned();
    let mut browser = Browser::login(&url).await;
    let own = browser.get("/pictures/memos.svg").await;
    assert!(own.html.contains("aria-label=\"Memos\""), "{}", own.html);
    let sign = browser.get("/pictures/gitea.svg").await;
    assert!(!sign.html.contains("aria-label") && sign.html.contains("<path"));
    let letter = browser.get("/pictures/nothing-like-it.svg").await;
    assert!(letter.html.contains(">N</text>"));
    browser.cookie.clear();
    let stranger = browser.get("/pictures/memos.svg").await;
    assert!(stranger.html.contains(">M</text>"), "{}", stranger.html);
    world.end().await;
}

#[tokio::test]
async fn several_apps_are_ticked_and_stopped_by_one_button() {
    let mut world = World::new().start().await;
    let admin = world.admin().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let app = admin
            .deployed(json!({"catalog_id": "memos", "name": name}))
            .await;
        ids.push(app["id"].as_str().unwrap().to_owned());
    }
    let browser = Browser::login(world.service().url()).await;
    let home = browser.get("/").await;
    for id in &ids {
        let tick = format!("name=\"app\" value=\"{id}\" form=\"several\"");
        assert!(home.html.contains(&tick), "{tick}");
    }
    let ticked = [
        ("kind", "stop"),
        ("app", ids[0].as_str()),
        ("app", ids[2].as_str()),
    ];
    let begun = browser.post("/apps", &ticked).await;
    assert_eq!(
        (begun.status, begun.location.as_str()),
        (303, "/operations?kind=stop")
    );
    let operations = admin.get("/api/v1/operations?kind=stop").await.body;
    for operation in operations["items"].as_array().unwrap() {
        admin.finished(operation["id"].as_str().unwrap()).await;
    }
    // What is not there any more is named, and the other one starts.
    let ticked = [
        ("kind", "start"),
        ("app", ids[0].as_str()),
        ("app", "app_nobody"),
    ];
    let told = browser.post("/apps", &ticked).await;
    assert_eq!(told.status, 409);
    assert!(
        told.html.contains("app_nobody") && told.html.contains("Under way"),
        "{}",
        told.html
    );
    // Nothing ticked is nothing done, and neither is what is not among the buttons.
    for ticked in [
        vec![("kind", "deploy"), ("app", ids[1].as_str())],
        vec![("kind", "stop")],
        vec![("kind", "delete")],
    ] {
        assert_eq!(browser.post("/apps", &ticked).await.location, "/#several");
    }
    let started = admin.get("/api/v1/operations?kind=start").await.body;
    admin
        .finished(started["items"][0]["id"].as_str().unwrap())
        .await;
    assert_eq!(admin.get("/api/v1/apps/two").await.body["state"], "running");
    world.end().await;
}

#[tokio::test]
async fn several_apps_are_deleted_once_it_is_confirmed_in_words() {
    let mut world = World::new().start().await;
    let admin = world.admin().await;
    let mut ids = Vec::new();
    for name in ["one", "two & <more>", "three"] {
        let app = admin
            .deployed(json!({"catalog_id": "memos", "name": name}))
            .await;
        ids.push(app["id"].as_str().unwrap().to_owned());
    }
    let browser = Browser::login(world.service().url()).await;
    let chosen = |ids: &[String], confirm: Option<&'static str>| {
        let mut fields = vec![("kind", "delete".to_owned())];
        fields.extend(ids.iter().map(|id| ("app", id.clone())));
        fields.extend(confirm.map(|words| ("confirm", words.to_owned())));
        fields
    };
    let post = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = { fields.iter() }
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        browser.post("/apps", &fields).await
    };

    let asked = post(chosen(&ids[..2], None)).await;
    assert_eq!(asked.status, 200);
    for told in [
        "two &amp; &lt;more&gt;",
        "delete 2 apps",
        "all data of the apps",
    ] {
        assert!(asked.html.contains(told), "{told}: {}", asked.html);
    }
    assert!(!asked.html.contains("Nothing was done"));
    for wrong in ["delete", "delete 3 apps", "Delete 2 apps", ""] {
        let refused = post(chosen(&ids[..2], Some(wrong))).await;
        // Nothing typed is the same as not asked yet.
        let status = if wrong.is_empty() { 200 } else { 422 };
        assert_eq!(refused.status, status, "{wrong}");
        assert_eq!(refused.html.contains("Nothing was done"), status == 422);
    }
    let one = post(chosen(&ids[2..], None)).await;
    assert!(one.html.contains("delete three"), "{}", one.html);
    assert_eq!(world.containers().await.len(), 3);

    let gone = post(chosen(&ids[..2], Some("delete 2 apps"))).await;
    assert_eq!(gone.location, "/operations?kind=delete");
    let operations = admin.get("/api/v1/operations?kind=delete").await.body;
    let operations = operations["items"].as_array().unwrap();
    assert_eq!(operations.len(), 2);
    for operation in operations {
        let done = admin.finished(operation["id"].as_str().unwrap()).await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
    assert_eq!(world.containers().await.len(), 1);
    // An app that is gone is none of several any more.
    let asked = post(chosen(&ids, None)).await;
    assert!(asked.html.contains("delete three"), "{}", asked.html);
    world.end().await;
}
