//! A service of its own for each test, and the people who ask it.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use control::{Control, Parts, SecretKey, Settings, SshTargets};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The password of `admin`.
pub(crate) const PASSWORD: &str = "correct horse";

/// A service.
pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) router: Router,
    _folder: TempDir,
}

/// Who asks, and how they show who they are.
#[derive(Clone, Default)]
pub(crate) struct Actor {
    router: Router,
    headers: Vec<(&'static str, String)>,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store::Store::open(&folder.path().join("db"), Arc::new(store::SystemClock))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
        let control = Control::new(Parts {
            store,
            cluster: silent_cluster(),
            pool: ssh::Pool::new(ssh::Settings::new("root", ssh::Auth::Password("x".into()))),
            targets: SshTargets {
                hosts: BTreeMap::new(),
                single_host: "127.0.0.1".to_owned(),
                port: 1,
                keys: BTreeMap::new(),
                connect_timeout: Duration::from_secs(1),
            },
            catalog: catalog::Catalog::from_dir(&catalog).unwrap(),
            secrets: SecretKey::ephemeral(),
            settings: Settings::default(),
        });
        control.first_administrator(Some(PASSWORD)).await.unwrap();
        let router = server::router(control.clone(), server::Options::default());
        Self {
            control,
            router,
            _folder: folder,
        }
    }

    /// Somebody whom nobody knows.
    pub(crate) fn stranger(&self) -> Actor {
        Actor {
            router: self.router.clone(),
            headers: Vec::new(),
        }
    }

    /// Somebody with a session, who sends the CSRF token.
    pub(crate) async fn admin(&self) -> Actor {
        let stranger = self.stranger();
        let login = stranger
            .post(
                "/api/v1/sessions",
                &json!({"username": "admin", "password": PASSWORD}),
            )
            .await;
        assert_eq!(login.status, 201);
        let cookie = login.headers["set-cookie"]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let csrf = login.json()["csrf_token"].as_str().unwrap().to_owned();
        stranger.with("cookie", cookie).with("x-csrf-token", csrf)
    }

    /// A script with a token of these scopes.
    pub(crate) async fn script(&self, scopes: &[&str]) -> Actor {
        let made = self
            .admin()
            .await
            .post(
                "/api/v1/tokens",
                &json!({"name": "script", "scopes": scopes}),
            )
            .await;
        assert_eq!(made.status, 201);
        self.stranger().with(
            "authorization",
            format!("Bearer {}", made.json()["token"].as_str().unwrap()),
        )
    }
}

/// A cluster on a port where nobody listens.
fn silent_cluster() -> proxmox::Client {
    let fingerprint = ["AB"; 32].join(":").parse().unwrap();
    proxmox::Client::new(proxmox::Config {
        hosts: vec!["127.0.0.1:1".parse().unwrap()],
        auth: proxmox::Auth::Password {
            user: "root@pam".to_owned(),
            password: "x".into(),
        },
        trust: proxmox::Trust::Fingerprints(vec![fingerprint]),
        timeout: Duration::from_secs(2),
    })
    .unwrap()
}

impl Actor {
    /// The same with a header more, or another value of it.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(there, _)| *there != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.retain(|(there, _)| *there != name);
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.clone()
            .with("content-type", "application/json")
            .send(Method::POST, path, body.to_string())
            .await
    }

    /// A form, as a browser sends it.
    pub(crate) async fn form(&self, path: &str, body: &str) -> Answer {
        self.clone()
            .with("content-type", "application/x-www-form-urlencoded")
            .send(Method::POST, path, body.to_owned())
            .await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            bytes,
        }
    }

    /// The headers as they go over a wire.
    pub(crate) fn lines(&self) -> String {
        self.headers
            .iter()
            .flat_map(|(name, value)| [*name, ": ", value, "\r\n"])
            .collect()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The body, once it is sure that it is a problem of this kind, complete and about this request.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.header("content-type")),
            (status, "application/problem+json")
        );
        let problem = self.json();
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(status)),
            "{problem}"
        );
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for field in ["type", "title", "detail"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} in {problem}"
            );
        }
        problem
    }
}
