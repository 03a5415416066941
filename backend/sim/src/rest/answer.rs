//! Turning what a call says into an HTTP response, with Proxmox's envelope and its reason phrases.

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::ext::ReasonPhrase;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::options::ErrorStyle;

/// What a call answers.
#[derive(Debug)]
pub(crate) struct Answer {
    data: Value,
    /// How many rows there are in all, where only some are shown.
    total: Option<usize>,
}

impl Answer {
    /// Any data.
    pub(crate) fn new(data: Value) -> Self {
        Self { data, total: None }
    }

    /// One text, such as a UPID.
    pub(crate) fn text(text: String) -> Self {
        Self::new(Value::String(text))
    }

    /// `data: null`, for calls that are done when they return.
    pub(crate) fn nothing() -> Self {
        Self::new(Value::Null)
    }

    /// Some of so many rows.
    pub(crate) fn page(rows: Vec<Value>, total: usize) -> Self {
        Self {
            data: Value::Array(rows),
            total: Some(total),
        }
    }

    fn bytes(&self) -> Bytes {
        let mut body = json!({ "data": self.data });
        if let Some(total) = self.total {
            body["total"] = json!(total);
        }
        Bytes::from(body.to_string())
    }

    /// The whole answer.
    pub(crate) fn into_response(self) -> Response {
        response(200, None, self.bytes())
    }

    /// An answer that promises its whole length and breaks off in the middle, with the connection.
    pub(crate) fn into_broken_response(self) -> Response {
        let bytes = self.bytes();
        let mut response = response(200, None, Bytes::new());
        let half = bytes.slice(..bytes.len() / 2);
        let cut = std::io::Error::other("cut by a fault");
        let pieces = futures::stream::iter([Ok(half), Err(cut)]);
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        *response.body_mut() = Body::from_stream(pieces);
        response
    }
}

/// A refusal; after one the connection is closed.
pub(crate) fn refusal(failure: &Failure, style: ErrorStyle) -> Response {
    let body = if failure.has_body {
        let mut body = json!({ "data": null });
        if !failure.errors.is_empty() {
            body["errors"] = json!(failure.errors);
        }
        if style == ErrorStyle::Message {
            body["message"] = json!(format!("{}\n", failure.text));
        }
        Bytes::from(body.to_string())
    } else {
        Bytes::new()
    };
    let reason = failure.text.lines().next().unwrap_or_default();
    let mut response = response(failure.status, Some(reason), body);
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn response(status: u16, reason: Option<&str>, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(reason) = reason.and_then(|text| ReasonPhrase::try_from(text.as_bytes()).ok()) {
        response.extensions_mut().insert(reason);
    }
    headers(response.headers_mut());
    response
}

fn headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json;charset=UTF-8"),
        (header::CACHE_CONTROL, "max-age=0"),
        (header::PRAGMA, "no-cache"),
        (header::SERVER, "pve-api-daemon/3.0"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
