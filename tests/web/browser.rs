//! A browser of one test, with a profile of its own, that can reach nothing but this machine.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource as _, KeyAction, KeyActions},
    elements::Element,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{PASSWORD, PATIENCE, World};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(40);

/// What a browser is started with.
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// Width and height of the window.
    pub(super) size: (u32, u32),
    /// Whether pages may run scripts.
    pub(super) scripts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: (1280, 900),
            scripts: true,
        }
    }
}

/// A browser.
pub(super) struct Browser {
    client: Client,
    driver: Child,
    base: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one that looks at this world. `None` where there is no browser.
    pub(super) async fn start(world: &World, options: Options) -> Option<Self> {
        if Command::new("chromedriver")
            .arg("--version")
            .output()
            .is_err()
        {
            assert!(
                std::env::var_os("CI").is_none(),
                "in CI the browser tests must run: chromedriver is missing"
            );
            eprintln!("skipped: there is no chromedriver (Debian: chromium-driver)");
            return None;
        }
        let port = free_port();
        let profile = tempfile::tempdir().expect("a folder");
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let (width, height) = options.size;
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--lang=en",
            // Whatever a page asks of another host fails, and is seen in the log.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let javascript = if options.scripts { 1 } else { 2 };
        let capabilities = json!({
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {"profile.managed_default_content_settings.javascript": javascript},
            },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let deadline = Instant::now() + PATIENCE;
        let client = loop {
            match builder.connect(&format!("http://127.0.0.1:{port}")).await {
                Ok(client) => break client,
                Err(error) => assert!(Instant::now() < deadline, "no browser: {error}"),
            }
            tokio::time::sleep(LOOK).await;
        };
        let browser = Self {
            client,
            driver,
            base: world.url(),
            _profile: profile,
        };
        browser.size(width, height).await;
        Some(browser)
    }

    /// The program listens somewhere else after a restart; the page that is open is not left.
    pub(super) fn at(&mut self, url: &str) {
        url.clone_into(&mut self.base);
    }

    /// Opens a page.
    pub(super) async fn open(&self, path: &str) {
        self.client
            .goto(&format!("{}{path}", self.base))
            .await
            .expect("a page");
    }

    /// Logs in by the form, as the administrator.
    pub(super) async fn log_in(&self) {
        self.open("/login").await;
        self.fill("#username", "admin").await;
        self.fill("#password", PASSWORD).await;
        self.click("#login button.button-primary").await;
        self.until("#content").await;
    }

    /// Path of the page that is open.
    pub(super) async fn path(&self) -> String {
        self.client
            .current_url()
            .await
            .expect("an address")
            .path()
            .to_owned()
    }

    /// The element, once it is there.
    pub(super) async fn until(&self, css: &str) -> Element {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(element) = self.client.find(Locator::Css(css)).await {
                return element;
            }
            if Instant::now() >= deadline {
                let text = self.text("body").await;
                panic!("there is no {css} at {}:\n{text}", self.path().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until an element has this text in it.
    pub(super) async fn says(&self, css: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.text(css).await;
            if said.contains(text) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{css} does not say {text:?} at {}, but:\n{said}",
                self.path().await
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the open page's path is as expected.
    pub(super) async fn comes_to(&self, expected: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let path = self.path().await;
            if expected(&path) {
                return path;
            }
            assert!(
                Instant::now() < deadline,
                "it is still at {path}:\n{}",
                self.text("body").await
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What an element shows; nothing where it is not there, or was replaced just now.
    pub(super) async fn text(&self, css: &str) -> String {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// How many there are.
    pub(super) async fn count(&self, css: &str) -> usize {
        self.client
            .find_all(Locator::Css(css))
            .await
            .map_or(0, |found| found.len())
    }

    /// Clicks it once it is there; again where it was replaced in that moment.
    pub(super) async fn click(&self, css: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.until(css).await.click().await {
                Ok(()) => return,
                Err(error) => assert!(
                    Instant::now() < deadline,
                    "{css} cannot be clicked: {error}"
                ),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Types into a field, in the place of what was there.
    pub(super) async fn fill(&self, css: &str, text: &str) {
        let field = self.until(css).await;
        field.clear().await.expect("a field");
        field
            .send_keys(text)
            .await
            .expect("a field that can be typed into");
    }

    /// Presses keys, wherever the focus is.
    pub(super) async fn press(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys.chars() {
            actions = actions
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key });
        }
        self.client.perform_actions(actions).await.expect("keys");
    }

    /// Runs a script in the page.
    pub(super) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client
            .execute(script, arguments)
            .await
            .expect("the script runs")
    }

    /// Runs a script that calls back its last argument.
    pub(super) async fn run_async(&self, script: &str) -> Value {
        self.client
            .execute_async(script, Vec::new())
            .await
            .expect("the script calls back")
    }

    /// Loads the page again.
    pub(super) async fn reload(&self) {
        self.client.refresh().await.expect("a page");
    }

    /// Sizes the window.
    pub(super) async fn size(&self, width: u32, height: u32) {
        self.client
            .set_window_size(width, height)
            .await
            .expect("a window");
    }

    /// The page as a PNG.
    pub(super) async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }

    /// Lines of one of the browser's logs since the last look: `browser` or `performance`.
    pub(super) async fn log(&self, kind: &str) -> Vec<Value> {
        let url = self
            .client
            .session_id()
            .await
            .ok()
            .flatten()
            .expect("a session");
        let port = self.driver_port();
        let answer = reqwest::Client::new()
            .post(format!("http://127.0.0.1:{port}/session/{url}/se/log"))
            .json(&json!({"type": kind}))
            .send()
            .await
            .expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        answer["value"].as_array().cloned().unwrap_or_default()
    }

    /// What the browser complained of since the last look, such as scripts that failed or were not allowed.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let lines = self.log("browser").await;
        let grave = lines
            .iter()
            .filter(|line| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING")));
        grave
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn driver_port(&self) -> u16 {
        let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", self.driver.id()));
        let arguments = arguments.expect("the driver runs");
        let port = arguments
            .split('\0')
            .find_map(|argument| argument.strip_prefix("--port="));
        port.and_then(|port| port.parse().ok())
            .expect("it was given")
    }

    /// Ends it.
    pub(super) async fn end(self) {
        let _ = self.client.clone().close().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with it.
        let _ = Command::new("kill")
            .args(["-TERM", &self.driver.id().to_string()])
            .status();
        let _ = self.driver.wait();
    }
}

/// Where pictures for people to look at are written.
pub(super) fn pictures() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let folder = target.join("screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
