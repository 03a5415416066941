//! The REST API as this side calls it: one place that knows addresses, tokens and what an answer means.

use std::time::Duration;

use api::{Page, Problem};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Environment, config::Access, error::Error};

/// How long an address may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take that is not a stream. Planning asks every node.
const ANSWER: Duration = Duration::from_mins(2);
/// Most pages of a list: a service that always names a next one must not keep the command for ever.
const MOST_PAGES: usize = 1000;
/// Longest answer that is quoted when it is not one of the service.
const QUOTED: usize = 200;

/// A service, and what opens it. Not `Debug`: it holds a token.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    headers: HeaderMap,
}

impl Client {
    /// The service that the environment or `login` names, and its token.
    pub(crate) fn of(environment: &Environment) -> Result<Self, Error> {
        let Access { url, token } = Access::find(environment)?;
        let Some(token) = token else {
            return Err(Error::LoggedOut { url });
        };
        let mut client = Self::open(url)?;
        client.authorize(header::AUTHORIZATION, &format!("Bearer {token}"))?;
        Ok(client)
    }

    /// The service at `url`, as nobody.
    pub(crate) fn open(url: String) -> Result<Self, Error> {
        let parsed = reqwest::Url::parse(&url)
            .ok()
            .filter(|parsed| matches!(parsed.scheme(), "http" | "https") && parsed.host().is_some())
            .ok_or_else(|| {
                Error::Usage(format!(
                    "`{url}` is not an address such as http://pve.lan:8765"
                ))
            })?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            // A token must not follow wherever an answer points.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("proximity/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&parsed) {
            // A proxy of this network cannot reach what listens on this machine alone.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| Error::Unreachable {
            url: url.clone(),
            reason: because(&error),
        })?;
        Ok(Self {
            http,
            url,
            headers: HeaderMap::new(),
        })
    }

    /// Sends this header with every request from now on.
    pub(crate) fn authorize(&mut self, name: HeaderName, value: &str) -> Result<(), Error> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::Usage(format!(
                "what is to be sent as `{name}` has characters that no token has"
            ))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// Address of the service.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A request of `path` below `/api/v1`; its parts that people typed go through [`segment`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.url))
            .headers(self.headers.clone())
    }

    /// Reads one thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// Reads a whole list, page by page, up to `most` rows.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: Option<usize>,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = query.to_vec();
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self
                .answer(self.request(Method::GET, path).query(&query))
                .await?;
            rows.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || most.is_some_and(|most| rows.len() >= most) {
                break;
            }
        }
        rows.truncate(most.unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// Asks for something to be done.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Error> {
        let request = self.request(method, path);
        self.answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Asks for something to be done once, and asks again when the answer is lost: the service knows the
    /// request by its key, and does nothing twice.
    pub(crate) async fn ask_once<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Error> {
        let key = uuid::Uuid::new_v4().to_string();
        let request = || {
            let request = self
                .request(method.clone(), path)
                .header("Idempotency-Key", &key);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        match self.answer(request()).await {
            Err(Error::Unreachable { .. }) => self.answer(request()).await,
            answered => answered,
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request.timeout(ANSWER)).await?;
        let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.strange(format!("cannot read its answer: {error}")))
    }

    /// The answer's head, once it is a success.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let target = response
                .headers()
                .get(header::LOCATION)
                .and_then(|target| target.to_str().ok());
            let target = target
                .unwrap_or("elsewhere")
                .chars()
                .take(QUOTED)
                .collect::<String>();
            return Err(self.strange(format!(
                "it redirects to {target}; use the address that it means"
            )));
        }
        let body = response.bytes().await.map_err(|error| self.lost(&error))?;
        Err(self.refusal(status, &body))
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> Error {
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            if problem.code == "not_configured" {
                return Error::NotSetUp {
                    url: self.url.clone(),
                };
            }
            return Error::Refused(Box::new(problem));
        }
        match status {
            // What a proxy says whose service is away.
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Error::Unreachable {
                url: self.url.clone(),
                reason: format!("a proxy in front of it says {status}"),
            },
            _ => {
                let said = String::from_utf8_lossy(body);
                let said = said.trim().chars().take(QUOTED).collect::<String>();
                self.strange(if said.is_empty() {
                    status.to_string()
                } else {
                    format!("{status}: {said}")
                })
            }
        }
    }

    /// That no answer came, or only the beginning of one.
    pub(crate) fn lost(&self, error: &reqwest::Error) -> Error {
        Error::Unreachable {
            url: self.url.clone(),
            reason: because(error),
        }
    }

    /// That the answer is none of the service.
    pub(crate) fn strange(&self, reason: String) -> Error {
        Error::Strange {
            url: self.url.clone(),
            reason,
        }
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The deepest cause: the outer ones only say that sending failed.
fn because(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it takes too long".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Those parts of a query that have a value.
pub(crate) fn given<const N: usize>(
    query: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let pairs = query.into_iter();
    pairs
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// One part of a path, whatever a person typed.
pub(crate) fn segment(typed: &str) -> Result<String, Error> {
    // These two mean folders wherever they stand, escaped or not.
    if matches!(typed, "" | "." | "..") {
        return Err(Error::Usage(format!("`{typed}` is no name")));
    }
    let mut segment = String::with_capacity(typed.len());
    for byte in typed.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push('%');
            for half in [byte >> 4, byte & 15] {
                segment.extend(
                    char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_stays_one_part_of_the_path() {
        assert_eq!(
            segment("my app/../x?y#z").unwrap(),
            "my%20app%2F..%2Fx%3Fy%23z"
        );
        assert_eq!(segment("Zürich").unwrap(), "Z%C3%BCrich");
        for folder in ["", ".", ".."] {
            assert!(matches!(segment(folder), Err(Error::Usage(_))));
        }
    }

    #[test]
    fn only_this_machine_is_spared_the_proxy() {
        let is = |url: &str| is_loopback(&reqwest::Url::parse(url).unwrap());
        assert!(is("http://127.0.0.2:1") && is("http://[::1]:1") && is("http://localhost"));
        assert!(!is("http://10.0.0.1") && !is("http://localhost.example"));
    }
}
