//! A cluster whose guests are as plain as can be, and a client that knows only HTTP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;
use sim::guests::{GuestInterface, GuestSpec, Guests, Process};
use sim::{Cluster, GuestsKind, Options, Running};

/// Guests that are there, run, and have an address; nothing else.
#[derive(Default)]
pub(crate) struct Plain {
    known: Mutex<BTreeMap<u32, (GuestSpec, bool)>>,
}

impl Plain {
    pub(crate) fn count(&self) -> usize {
        self.known.lock().unwrap().len()
    }

    pub(crate) fn spec(&self, vmid: u32) -> GuestSpec {
        self.known.lock().unwrap()[&vmid].0.clone()
    }

    fn switch(&self, vmid: u32, on: bool) -> Result<(), String> {
        let mut known = self.known.lock().unwrap();
        known.get_mut(&vmid).ok_or("no such guest")?.1 = on;
        Ok(())
    }
}

#[async_trait]
impl Guests for Plain {
    async fn create(
        &self,
        spec: &GuestSpec,
        log: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), String> {
        log("unpacked".to_owned());
        let mut known = self.known.lock().unwrap();
        known.insert(spec.vmid, (spec.clone(), false));
        Ok(())
    }

    async fn reconfigure(&self, spec: &GuestSpec) -> Result<(), String> {
        let mut known = self.known.lock().unwrap();
        known.get_mut(&spec.vmid).ok_or("no such guest")?.0 = spec.clone();
        Ok(())
    }

    async fn start(&self, vmid: u32) -> Result<(), String> {
        self.switch(vmid, true)
    }

    async fn shutdown(&self, vmid: u32) -> Result<(), String> {
        self.switch(vmid, false)
    }

    async fn stop(&self, vmid: u32) -> Result<(), String> {
        self.switch(vmid, false)
    }

    async fn destroy(&self, vmid: u32) -> Result<(), String> {
        self.known.lock().unwrap().remove(&vmid);
        Ok(())
    }

    async fn is_running(&self, vmid: u32) -> bool {
        let known = self.known.lock().unwrap();
        known.get(&vmid).is_some_and(|(_, on)| *on)
    }

    async fn interfaces(&self, vmid: u32) -> Option<Vec<GuestInterface>> {
        self.is_running(vmid).await.then(|| {
            vec![GuestInterface {
                name: "eth0".to_owned(),
                hwaddr: self.spec(vmid).hwaddr.to_lowercase(),
                addresses: vec![(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), 24)],
            }]
        })
    }

    async fn disk_used(&self, _: u32) -> u64 {
        10_000_000
    }

    async fn memory_used(&self, _: u32) -> u64 {
        20_000_000
    }

    async fn exec(&self, _: u32, _: Process) -> i32 {
        127
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn data(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["data"].clone()
    }

    pub(crate) fn text(self) -> String {
        self.data().as_str().expect("a text").to_owned()
    }
}

/// Who asks.
#[derive(Clone, Default)]
pub(crate) struct Actor {
    headers: Vec<(String, String)>,
}

impl Actor {
    /// The same caller, who has forgotten the token against forged writes.
    pub(crate) fn without_csrf(other: &Self) -> Self {
        let mut headers = other.headers.clone();
        headers.retain(|(name, _)| name != "CSRFPreventionToken");
        Self { headers }
    }

    /// Puts what proves the caller into a request.
    pub(crate) fn sign(&self, mut request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }
}

/// One cluster and a client for it.
pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) guests: Arc<Plain>,
    pub(crate) http: reqwest::Client,
}

pub(crate) type Form<'a> = &'a [(&'a str, &'a str)];

impl World {
    /// A cluster of plain guests.
    pub(crate) async fn new(options: Options) -> Self {
        let guests = Arc::new(Plain::default());
        let kind = GuestsKind::Custom(guests.clone());
        Self::start(options, kind, guests).await
    }

    /// A cluster of modelled guests; the plain ones stay unused.
    pub(crate) async fn modelled(options: Options) -> Self {
        Self::start(options, GuestsKind::Modelled, Arc::default()).await
    }

    async fn start(options: Options, kind: GuestsKind, guests: Arc<Plain>) -> Self {
        let options = Options {
            guests: kind,
            ..options
        };
        // A second world in the same process finds the provider set, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            running: Cluster::start(options).await.unwrap(),
            guests,
            http,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.api)
    }

    pub(crate) async fn login(&self, user: &str) -> Actor {
        let password = self.running.password.clone();
        let form = [("username", user), ("password", &password)];
        let reply = self
            .call(&Actor::default(), "POST", "/access/ticket", &form)
            .await;
        let data = reply.data();
        let text = |key: &str| data[key].as_str().unwrap().to_owned();
        let ticket = text("ticket")
            .replace('%', "%25")
            .replace('+', "%2B")
            .replace('=', "%3D");
        Actor {
            headers: vec![
                ("Cookie".to_owned(), format!("PVEAuthCookie={ticket}")),
                (
                    "CSRFPreventionToken".to_owned(),
                    text("CSRFPreventionToken"),
                ),
            ],
        }
    }

    pub(crate) async fn root(&self) -> Actor {
        self.login("root@pam").await
    }

    pub(crate) fn token(&self, name: &str) -> Actor {
        let secret = self.running.token_secret_of(name);
        let value = format!("PVEAPIToken={name}={secret}");
        Actor {
            headers: vec![("Authorization".to_owned(), value)],
        }
    }

    /// Form in the body for POST and PUT, in the query otherwise.
    pub(crate) async fn call(
        &self,
        who: &Actor,
        method: &str,
        path: &str,
        form: Form<'_>,
    ) -> Reply {
        self.try_call(who, method, path, form).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        who: &Actor,
        method: &str,
        path: &str,
        form: Form<'_>,
    ) -> reqwest::Result<Reply> {
        let url = self.url(&format!("/api2/json{path}"));
        let method_name = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = who.sign(self.http.request(method_name, url));
        request = if ["POST", "PUT"].contains(&method) {
            request.form(form)
        } else {
            request.query(form)
        };
        let response = request.send().await?;
        let status = response.status();
        let reason = response
            .extensions()
            .get::<hyper::ext::ReasonPhrase>()
            .map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned())
            .or_else(|| status.canonical_reason().map(str::to_owned))
            .unwrap_or_default();
        let bytes = response.bytes().await?;
        Ok(Reply {
            status: status.as_u16(),
            reason,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }

    pub(crate) async fn get(&self, who: &Actor, path: &str) -> Reply {
        self.call(who, "GET", path, &[]).await
    }

    /// Creates a container with the usual parameters and `more`.
    pub(crate) async fn create(
        &self,
        who: &Actor,
        node: &str,
        vmid: &str,
        more: Form<'_>,
    ) -> Reply {
        let template = format!("local:vztmpl/{ALPINE}");
        let mut form = vec![
            ("vmid", vmid),
            ("ostemplate", template.as_str()),
            ("hostname", "whoami"),
            ("unprivileged", "1"),
            ("features", "nesting=1"),
            ("rootfs", "local-lvm:8"),
            ("net0", "name=eth0,bridge=vmbr0,ip=dhcp"),
        ];
        form.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
        form.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        let path = format!("/nodes/{node}/lxc");
        self.call(who, "POST", &path, &form).await
    }

    /// Waits for the end of a task and returns its exit status.
    pub(crate) async fn finish(&self, who: &Actor, upid: &str) -> String {
        self.running.settled().await;
        let node = upid.split(':').nth(1).unwrap();
        let status = self
            .get(who, &format!("/nodes/{node}/tasks/{upid}/status"))
            .await
            .data();
        assert_eq!(status["status"], "stopped");
        status["exitstatus"].as_str().unwrap().to_owned()
    }
}

pub(crate) const ALPINE: &str = "alpine-3.24-default_20260714_amd64.tar.xz";

/// Three nodes, everything at once.
pub(crate) fn three() -> Options {
    Options::default().nodes(3)
}
