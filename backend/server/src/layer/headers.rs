//! Headers that every answer carries, and what may be compressed.

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};

/// Answers of the API may be kept by nobody, and no browser may make anything else of them.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the headers that the answer does not set itself.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in ALWAYS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Marks an answer that comes bit by bit: a compressor would hold back what should be seen at once.
#[derive(Clone)]
pub(crate) struct Streamed;

/// Whether an answer may be compressed: text that stands still.
pub(crate) fn may_compress(
    _: StatusCode,
    _: Version,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.starts_with("application/json");
    is_text && !kind.starts_with("text/event-stream") && extensions.get::<Streamed>().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(kind: &'static str, extensions: &Extensions) -> bool {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        may_compress(StatusCode::OK, Version::HTTP_11, &headers, extensions)
    }

    #[test]
    fn what_is_to_be_seen_at_once_is_not_compressed() {
        let still = Extensions::new();
        assert!(compressed("application/json", &still));
        assert!(compressed("text/html; charset=utf-8", &still));
        assert!(!compressed("text/event-stream", &still));
        let mut streamed = Extensions::new();
        streamed.insert(Streamed);
        assert!(!compressed("text/plain; charset=utf-8", &streamed));
    }
}
