//! Somebody who uses the REST API.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use super::PATIENCE;

/// How an actor is known.
#[derive(Clone)]
enum Known {
    Not,
    Token(String),
    Session { cookie: String, csrf: String },
}

/// Somebody who uses the REST API.
#[derive(Clone)]
pub(crate) struct Actor {
    client: Client,
    /// Each request goes to the next of these: whoever answers, it must make no difference.
    urls: Arc<[String]>,
    turn: Arc<AtomicUsize>,
    known: Known,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body, where it is JSON; null otherwise.
    pub(crate) body: Value,
    /// Body as text.
    pub(crate) text: String,
}

impl Actor {
    /// A stranger.
    pub(crate) fn new(url: &str) -> Self {
        Self::among([url.to_owned()].into())
    }

    /// A stranger who asks each replica in turn.
    pub(crate) fn among(urls: Arc<[String]>) -> Self {
        // ring everywhere: see the workspace manifest.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        Self {
            client,
            urls,
            turn: Arc::default(),
            known: Known::Not,
        }
    }

    /// The same one with a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            known: Known::Token(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same session without its CSRF token, as a forged request would come.
    pub(crate) fn forged(&self) -> Self {
        let mut forged = self.clone();
        if let Known::Session { csrf, .. } = &mut forged.known {
            csrf.clear();
        }
        forged
    }

    /// The same one at another address: the program listens somewhere else after a restart.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            urls: [url.to_owned()].into(),
            ..self.clone()
        }
    }

    /// The token.
    pub(crate) fn token(&self) -> &str {
        match &self.known {
            Known::Token(token) => token,
            _ => panic!("this actor has no token"),
        }
    }

    /// Logs in by password; the answer is known by its cookie.
    pub(crate) async fn login(&self, username: &str, password: &str) -> Self {
        let answer = self
            .post(
                "/api/v1/sessions",
                json!({"username": username, "password": password}),
            )
            .await;
        assert!(answer.status < 300, "{answer:?}");
        let cookie = answer.headers["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("name=value").to_owned();
        let csrf = answer.body["csrf_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        Self {
            known: Known::Session { cookie, csrf },
            ..self.clone()
        }
    }

    /// A request to be changed before it is sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let is_write = method != Method::GET;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        let url = &self.urls[turn];
        let request = self.client.request(method, format!("{url}{path}"));
        match &self.known {
            Known::Not => request,
            Known::Token(token) => request.bearer_auth(token),
            Known::Session { cookie, csrf } if is_write => request
                .header("cookie", cookie)
                .header("x-csrf-token", csrf),
            Known::Session { cookie, .. } => request.header("cookie", cookie),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// Asks for a deployment and answers its operation's id and the app's.
    pub(crate) async fn deploy(&self, body: Value) -> (String, String) {
        let answer = self.post("/api/v1/apps", body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
        (id(&answer.body["operation"]), id(&answer.body["app"]))
    }

    /// Starts an operation on an app (`start`, `stop`, `restart`, `delete`) and answers its id.
    pub(crate) async fn begin(&self, app: &str, kind: &str) -> String {
        let answer = match kind {
            "delete" => self.delete(&format!("/api/v1/apps/{app}")).await,
            kind => {
                self.post(&format!("/api/v1/apps/{app}/{kind}"), json!({}))
                    .await
            }
        };
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body["operation"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// The operation once it rests.
    pub(crate) async fn finished(&self, operation: &str) -> Value {
        self.until(operation, |now| {
            matches!(
                now["status"].as_str(),
                Some("completed" | "unwound" | "stuck")
            )
        })
        .await
    }

    /// The operation once it is as expected.
    pub(crate) async fn until(&self, operation: &str, expected: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(&format!("/api/v1/operations/{operation}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            if expected(&answer.body) {
                return answer.body;
            }
            assert!(
                Instant::now() < deadline,
                "it did not come to be as expected: {:#}",
                answer.body
            );
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Deploys and expects it to work; answers the app.
    pub(crate) async fn deployed(&self, body: Value) -> Value {
        let (operation, app) = self.deploy(body).await;
        let operation = self.finished(&operation).await;
        assert_eq!(operation["status"], "completed", "{operation:#}");
        self.get(&format!("/api/v1/apps/{app}")).await.body
    }

    /// Runs an operation and expects it to work.
    pub(crate) async fn done(&self, app: &str, kind: &str) {
        let operation = self.finished(&self.begin(app, kind).await).await;
        assert_eq!(operation["status"], "completed", "{operation:#}");
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::to(request).await.expect("a whole answer")
}

impl Answer {
    /// What comes of a request to somebody who may die while answering.
    pub(crate) async fn to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        })
    }
}
