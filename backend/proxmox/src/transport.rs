//! Carries one request to one of the hosts and brings its answer.
//!
//! What may be sent twice is decided here and nowhere else. A connection that was never made has carried nothing, so the
//! next host is tried. Anything later means that the request may have arrived: a read goes to the next host, a change
//! ends in [`Error::Unknown`].

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::answer::Answer;
use crate::client::Trust;
use crate::request::Request;
use crate::session::Credentials;
use crate::{Error, HostPort, Result, percent, tls};

/// An answer longer than this is not from Proxmox.
const LONGEST_ANSWER: usize = 64 << 20;
/// pveproxy closes an idle connection after five seconds; nobody should write into one that is about to be closed.
const IDLE: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(10);

/// The hosts and the connections to them.
pub(crate) struct Transport {
    hosts: Vec<HostPort>,
    /// The last one that answered.
    good: AtomicUsize,
    reads: reqwest::Client,
    /// A change has a connection of its own: the race with a host that closes an idle one would make it "unknown".
    writes: reqwest::Client,
    timeout: Duration,
}

/// Why one host did not answer.
enum Failure {
    /// Nothing was sent.
    Connect(Error),
    /// The request may have arrived.
    Lost(String),
    /// It may have arrived, and there is no time left for another host.
    TimedOut(String),
}

impl Transport {
    pub(crate) fn new(hosts: Vec<HostPort>, trust: &Trust, timeout: Duration) -> Result<Self> {
        if hosts.is_empty() {
            return Err(Error::parameter("hosts", "none given"));
        }
        if let Some(host) = hosts.iter().find(|host| !host.is_valid()) {
            return Err(Error::parameter(
                "hosts",
                format!("{:?} is not a host", host.host),
            ));
        }
        let tls = tls::client_config(trust)?;
        let client = |idle: usize| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .no_proxy()
                // Credentials go to the hosts that were named, nowhere else.
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .connect_timeout(CONNECT.min(timeout / 2))
                .timeout(timeout)
                .build()
                .map_err(|error| Error::parameter("tls", chain(&error)))
        };
        Ok(Self {
            hosts,
            good: AtomicUsize::new(0),
            reads: client(4)?,
            writes: client(0)?,
            timeout,
        })
    }

    /// The same for each host alone.
    pub(crate) fn each_host(&self) -> Vec<(HostPort, Self)> {
        let alone = |host: &HostPort| Self {
            hosts: vec![host.clone()],
            good: AtomicUsize::new(0),
            reads: self.reads.clone(),
            writes: self.writes.clone(),
            timeout: self.timeout,
        };
        self.hosts
            .iter()
            .map(|host| (host.clone(), alone(host)))
            .collect()
    }

    /// Asks the last good host, then the others as far as that is safe.
    ///
    /// A lost read is asked once more of the first one in the end: it may have closed a connection that it thought idle.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        credentials: Option<&Credentials>,
    ) -> Result<Answer> {
        let first = self.good.load(Ordering::Relaxed);
        let repeatable = request.endpoint().is_repeatable();
        let mut failures = Vec::new();
        let mut rounds = self.hosts.len();
        while failures.len() < rounds {
            let index = (first + failures.len()) % self.hosts.len();
            let host = self.hosts[index].to_string();
            let error = match self.ask(&host, request, credentials).await {
                Ok(answer) => {
                    self.good.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Failure::Connect(error)) => error,
                Err(Failure::Lost(reason)) if repeatable => {
                    if failures.is_empty() {
                        rounds += 1;
                    }
                    Error::Unreachable { host, reason }
                }
                Err(Failure::TimedOut(reason)) if repeatable => {
                    return Err(Error::Unreachable { host, reason });
                }
                Err(Failure::Lost(reason) | Failure::TimedOut(reason)) => {
                    let call = request.call();
                    return Err(Error::Unknown { call, reason });
                }
            };
            failures.push(error);
        }
        Err(summary(failures))
    }

    async fn ask(
        &self,
        host: &str,
        request: &Request,
        credentials: Option<&Credentials>,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let outcome = self.send(host, request, credentials).await;
        let (method, path, elapsed) = (
            request.endpoint().method(),
            request.path(),
            started.elapsed(),
        );
        match &outcome {
            Ok(answer) => {
                tracing::debug!(%method, path, host, status = answer.status, ?elapsed, "asked Proxmox");
            }
            Err(Failure::Connect(error)) => {
                tracing::debug!(%method, path, host, %error, ?elapsed, "could not ask Proxmox");
            }
            Err(Failure::Lost(error) | Failure::TimedOut(error)) => {
                tracing::debug!(%method, path, host, error, ?elapsed, "lost Proxmox's answer");
            }
        }
        outcome
    }

    async fn send(
        &self,
        host: &str,
        request: &Request,
        credentials: Option<&Credentials>,
    ) -> Result<Answer, Failure> {
        let method = request.endpoint().method();
        let form = percent::form(request.parameters());
        let mut url = format!("https://{host}/api2/json{}", request.path());
        // The server refuses a body with GET and DELETE (501).
        let in_query = method == Method::GET || method == Method::DELETE;
        if in_query && !form.is_empty() {
            write!(url, "?{form}").expect("writing to a String cannot fail");
        }
        let client = if request.endpoint().is_repeatable() {
            &self.reads
        } else {
            &self.writes
        };
        let mut builder = client.request(method, url);
        if !in_query {
            // Said here and not left to the client: the server refuses a chunked body (501), and wants a length even for none.
            builder = builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(CONTENT_LENGTH, form.len())
                .body(form);
        }
        if let Some(credentials) = credentials {
            builder = builder.headers(credentials.headers().clone());
        }
        let response = builder
            .send()
            .await
            .map_err(|error| self.failure(host, &error))?;
        self.receive(host, response).await
    }

    async fn receive(
        &self,
        host: &str,
        mut response: reqwest::Response,
    ) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let reason = response
            .extensions()
            .get::<hyper::ext::ReasonPhrase>()
            .map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_ANSWER => {
                    return Err(Failure::TimedOut(format!(
                        "the answer is longer than {LONGEST_ANSWER} bytes"
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The verdict is in the status line already; its text may be lost.
                Err(_) if status >= 400 => break,
                Err(error) => return Err(self.failure(host, &error)),
            }
        }
        Ok(Answer {
            host: host.to_owned(),
            status,
            reason,
            body: Bytes::from(body),
        })
    }

    fn failure(&self, host: &str, error: &reqwest::Error) -> Failure {
        if error.is_connect() {
            let host = host.to_owned();
            return Failure::Connect(match distrust(error) {
                Some(reason) => Error::Tls { host, reason },
                None => Error::Unreachable {
                    host,
                    reason: chain(error),
                },
            });
        }
        if error.is_timeout() {
            Failure::TimedOut(format!("no answer within {:?}", self.timeout))
        } else {
            Failure::Lost(chain(error))
        }
    }
}

/// One error for all hosts: distrust outweighs, because only a person can mend it.
fn summary(mut failures: Vec<Error>) -> Error {
    if let Some(index) = failures
        .iter()
        .position(|error| matches!(error, Error::Tls { .. }))
    {
        return failures.swap_remove(index);
    }
    failures.dedup();
    if failures.len() == 1 {
        return failures.swap_remove(0);
    }
    let mut hosts = BTreeSet::new();
    let mut reasons = Vec::new();
    for failure in &failures {
        if let Error::Unreachable { host, reason } = failure {
            hosts.insert(host.as_str());
            reasons.push(format!("{host}: {reason}"));
        }
    }
    let host = hosts.into_iter().collect::<Vec<_>>().join(", ");
    Error::Unreachable {
        host,
        reason: reasons.join("; "),
    }
}

/// What TLS has against the host, when it was TLS.
fn distrust(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) => {
                return Some(other.0.to_string());
            }
            Some(error) => return Some(error.to_string()),
            None => {}
        }
        // `io::Error::source` skips the very error that it wraps.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = wrapped
            .map(|wrapped| wrapped as &(dyn StdError + 'static))
            .or_else(|| error.source());
    }
    None
}

/// An error with all its causes. The URL is left out; it would repeat the parameters of a read.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            let separator = if text.is_empty() { "" } else { ": " };
            write!(text, "{separator}{cause_text}").expect("writing to a String cannot fail");
        }
        next = cause.source();
    }
    if text.is_empty() {
        "the request could not be made".to_owned()
    } else {
        text
    }
}
