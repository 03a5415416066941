//! One line in the log, one span and one count for every request.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::request_id::{self, RequestId};
use crate::metrics;

/// Most characters of a path in the log.
const LONGEST_PATH: usize = 200;
/// What the log says where no answer was made, because the client did not wait for it (nginx's number).
const CLIENT_WENT_AWAY: u16 = 499;

/// Where whoever finds out who asks leaves the name for the log.
#[derive(Clone, Default)]
pub(crate) struct Visitor(Arc<OnceLock<String>>);

impl Visitor {
    /// Remembers the name; the first one counts.
    pub(crate) fn is(&self, name: &str) {
        // Two extractors of one request find the same person.
        let _ = self.0.set(name.to_owned());
    }
}

/// Gives the request its name and its span, and writes it down when it is answered.
pub(crate) async fn watch(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let visitor = Visitor::default();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(visitor.clone());
    let span = tracing::info_span!("request", request_id = %id);
    let mut line = Line::begin(&request, visitor, span.clone());
    let mut response = next.run(request).instrument(span).await;
    response
        .headers_mut()
        .insert(request_id::HEADER, id.header());
    line.status = response.status().as_u16();
    response
}

/// The request's line in the log, written when it is dropped: also when the client went away and the request
/// was never answered. Of a stream it tells how long its beginning took.
struct Line {
    started: Instant,
    method: Method,
    /// As the router writes it, e.g. `/api/v1/apps/{id}`; the query is left out, for there may be secrets in it.
    route: Option<String>,
    path: String,
    peer: Option<SocketAddr>,
    visitor: Visitor,
    status: u16,
    span: Span,
}

impl Line {
    fn begin(request: &Request, visitor: Visitor, span: Span) -> Self {
        let extensions = request.extensions();
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            route: extensions
                .get::<MatchedPath>()
                .map(|path| path.as_str().to_owned()),
            path: request.uri().path().chars().take(LONGEST_PATH).collect(),
            peer: extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|peer| peer.0),
            visitor,
            status: CLIENT_WENT_AWAY,
            span,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (method, status) = (&self.method, self.status);
        let path = self.route.as_deref().unwrap_or(&self.path);
        let who = self.visitor.0.get().map_or("-", String::as_str);
        let peer = self
            .peer
            .map_or_else(|| "-".to_owned(), |peer| peer.to_string());
        metrics::answered(method, self.route.as_deref(), status, took);
        self.span.in_scope(|| {
            // Those who watch the service ask every few seconds and would drown the rest.
            if matches!(path, "/healthz" | "/readyz" | "/metrics") && status < 500 {
                tracing::debug!(%method, path, status, ms, who, peer, "{method} {path} {status}");
            } else {
                tracing::info!(%method, path, status, ms, who, peer, "{method} {path} {status}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Mutex};

    use axum::{Router, body::Body, extract::Extension, middleware, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        /// Writes down what this thread logs from now on.
        fn keep(&self) -> tracing::subscriber::DefaultGuard {
            let log = self.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_writer(move || log.clone())
                .finish();
            tracing::subscriber::set_default(subscriber)
        }
    }

    fn router() -> Router {
        let greet = async |Extension(visitor): Extension<Visitor>| visitor.is("ann");
        Router::new()
            .route("/apps/{id}", get(greet))
            .route("/never", get(async || std::future::pending::<()>().await))
            .layer(middleware::from_fn(watch))
    }

    fn request(path: &str) -> Request {
        Request::get(path)
            .header("x-request-id", "r7")
            .body(Body::empty())
            .unwrap()
    }

    #[tokio::test]
    async fn a_request_is_one_line_that_keeps_the_query_to_itself() {
        let log = Log::default();
        let _kept = log.keep();
        router()
            .oneshot(request("/apps/notes?token=hunter2"))
            .await
            .unwrap();
        let text = log.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in [
            "request_id=r7",
            "GET /apps/{id} 200",
            "who=\"ann\"",
            "status=200",
            "ms=",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("hunter2"));
    }

    #[tokio::test]
    async fn a_client_that_goes_away_is_written_down_too() {
        let log = Log::default();
        let _kept = log.keep();
        let mut asked = Box::pin(router().oneshot(request("/never")));
        assert!(futures::poll!(&mut asked).is_pending());
        drop(asked);
        assert!(log.text().contains("GET /never 499"), "{}", log.text());
    }
}
