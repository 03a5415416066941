//! Somebody with an app: deploys, stops, starts, restarts, deletes and cancels it in turn, whatever happens to the
//! service meanwhile.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Actor, Answer, PATIENCE};

/// An operation that was asked for and accepted.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) kind: &'static str,
    /// Whether cancelling it was asked for and accepted.
    pub(crate) cancelled: bool,
}

/// A person at work.
pub(crate) struct Hand {
    actor: Actor,
    name: String,
    rng: StdRng,
    catalog: &'static [&'static str],
    /// The app, unless there is none now.
    app: Option<String>,
    keys: u32,
    asked: Vec<Asked>,
    /// Requests whose answer was lost, and that were sent again.
    pub(crate) repeated: u32,
}

impl Hand {
    /// Asks for apps of `catalog`; what it does follows from `seed` and from how operations end.
    pub(crate) fn new(
        actor: Actor,
        number: u64,
        seed: u64,
        catalog: &'static [&'static str],
    ) -> Self {
        Self {
            actor,
            name: format!("hand-{number}"),
            rng: StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number)),
            catalog,
            app: None,
            keys: 0,
            asked: Vec::new(),
            repeated: 0,
        }
    }

    /// Works until told to stop, then waits for the last operation; answers what it had asked for.
    pub(crate) async fn work(mut self, stop: CancellationToken) -> (Vec<Asked>, u32) {
        while !stop.is_cancelled() {
            let kind = self.choose().await;
            let key = self.key();
            let operation = self.ask(kind, &key).await;
            let cancelled = self.rng.random_ratio(1, 4) && self.cancel(&operation).await;
            self.asked.push(Asked {
                operation: operation.clone(),
                kind,
                cancelled,
            });
            self.rest(&operation).await;
        }
        (self.asked, self.repeated)
    }

    /// What may be done now with the app as it is.
    async fn choose(&mut self) -> &'static str {
        let Some(app) = self.app.clone() else {
            return "deploy";
        };
        let app = self.get(&format!("/api/v1/apps/{app}")).await;
        let choices: &[&str] = match app["state"].as_str() {
            Some("running") => &["stop", "restart", "delete"],
            Some("stopped") => &["start", "start", "delete"],
            Some("deleted") => {
                self.app = None;
                &["deploy"]
            }
            _ => panic!("an app that rests: {app:#}"),
        };
        choices[self.rng.random_range(0..choices.len())]
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("{}-{}", self.name, self.keys)
    }

    /// Asks until there is an answer; answers the operation's id.
    async fn ask(&mut self, kind: &str, key: &str) -> String {
        let app = self.app.clone().unwrap_or_default();
        let (method, path) = match kind {
            "deploy" => (Method::POST, "/api/v1/apps".to_owned()),
            "delete" => (Method::DELETE, format!("/api/v1/apps/{app}")),
            kind => (Method::POST, format!("/api/v1/apps/{app}/{kind}")),
        };
        let catalog = self.catalog[self.rng.random_range(0..self.catalog.len())];
        let body = match kind {
            "deploy" => json!({"catalog_id": catalog, "name": key}),
            _ => json!({}),
        };
        let answer = self.insist(method, &path, &body, Some(key)).await;
        assert_eq!(answer.status, 202, "{kind} by {}: {answer:?}", self.name);
        if kind == "deploy" {
            let id = answer.body["app"]["id"].as_str().expect("an id");
            self.app = Some(id.to_owned());
        }
        let id = answer.body["operation"]["id"].as_str().expect("an id");
        id.to_owned()
    }

    /// Wishes it to be cancelled after a while; whether that came early enough.
    async fn cancel(&mut self, operation: &str) -> bool {
        let wait = self.rng.random_range(0..400);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let path = format!("/api/v1/operations/{operation}/cancel");
        let answer = self.insist(Method::POST, &path, &json!({}), None).await;
        assert!(matches!(answer.status, 202 | 409), "{answer:?}");
        // 409 may be the second answer to a wish that was heard at once: what became of it tells.
        answer.status == 202 || self.get(&path.replace("/cancel", "")).await["status"] == "unwound"
    }

    async fn rest(&mut self, operation: &str) {
        // Longer than otherwise: it is struck again and again, and has few quiet moments on a busy machine.
        let deadline = Instant::now() + PATIENCE * 10;
        loop {
            let now = self.get(&format!("/api/v1/operations/{operation}")).await;
            if matches!(
                now["status"].as_str(),
                Some("completed" | "unwound" | "stuck")
            ) {
                return;
            }
            assert!(Instant::now() < deadline, "it finds no rest: {now:#}");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    async fn get(&mut self, path: &str) -> Value {
        let answer = self.insist(Method::GET, path, &Value::Null, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Sends a request until somebody answers it who lives long enough. With a key it is done once even so.
    async fn insist(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut request = self.actor.request(method.clone(), path);
            if method == Method::POST {
                request = request.json(body);
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            match Answer::to(request).await {
                Ok(answer) if answer.status != 503 => return answer,
                Ok(answer) => assert!(Instant::now() < deadline, "only {answer:?}"),
                Err(error) => {
                    assert!(Instant::now() < deadline, "no answer: {error}");
                    // Refused means that nobody listens; anything else may have been heard.
                    self.repeated += u32::from(key.is_some() && !error.is_connect());
                }
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }
}
