//! The table of contents of the service.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware,
    response::IntoResponse as _,
    routing::get,
};
use control::{Control, Setup};
use tokio::time::Instant;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api, docs,
    error::Error,
    extract::Proxies,
    health, layer, metrics, openapi,
    site::Site,
    web::{self, Web, setup::SetupSite},
};

/// Most bytes of a request's body.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// What can be chosen about the service.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest time until an answer begins. Longer than the cluster may take for one of its own answers
    /// (pveproxy gives up after 30 s), and SSH for a connection.
    pub request_timeout: Duration,
    /// Whether the cluster is a simulation, which every page says.
    pub simulation: bool,
    /// Reverse proxies whose word is taken for where a request comes from.
    pub proxies: Proxies,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(90),
            simulation: false,
            proxies: Proxies::default(),
        }
    }
}

/// The whole service as a [`Router`]: pages, the API under `/api/v1`, `/docs`, health and metrics.
pub fn router(control: Control, options: Options) -> Router {
    metrics::install();
    let site = Site {
        control,
        started: Instant::now(),
        web: Web::new(options.simulation),
        proxies: options.proxies,
    };
    let (routes, _) = routes().split_for_parts();
    let routes = routes
        .merge(web::routes())
        .with_state(site.clone())
        .fallback(async || Error::NoSuchPath);
    layered(routes, options.request_timeout, Some(site))
}

/// What there is before the first run is over: the setup page, and for everybody else the word that there is nothing yet.
pub fn setup_router(setup: Setup) -> Router {
    metrics::install();
    let web = Web::new(false);
    let ready = setup.clone();
    let routes = web::setup::routes()
        .with_state(SetupSite { setup, web })
        .route("/healthz", get(health::healthz))
        .route(
            "/readyz",
            get(async move || -> Result<(), Error> {
                ready.ready().await?;
                Err(Error::NotConfigured)
            }),
        )
        .fallback(async |request: Request| {
            if web::wants_page(&request) {
                web::to_setup()
            } else {
                Error::NotConfigured.into_response()
            }
        });
    layered(routes, Options::default().request_timeout, None)
}

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::with_openapi(openapi::frame())
        .nest("/api/v1", api::routes())
        .routes(routes!(docs::page))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::scrape))
}

/// `routes` as the world sees them: observed, guarded, and every error a problem body; with a `site`, a page for
/// those who read pages.
fn layered(routes: Router, request_timeout: Duration, site: Option<Site>) -> Router {
    routes
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(
            request_timeout,
            layer::limit_time,
        ))
        .layer(CatchPanicLayer::custom(layer::answer_panic))
        .layer(middleware::from_fn_with_state(site, layer::write_problems))
        .layer(CompressionLayer::new().compress_when(layer::may_compress))
        .layer(middleware::from_fn(layer::add_headers))
        .layer(middleware::from_fn(layer::watch))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, Response},
        routing::get,
    };
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(path: &str) -> Response<Body> {
        let routes = Router::new()
            .route(
                "/panic",
                get(async || -> &'static str { panic!("the password is hunter2") }),
            )
            .route(
                "/slow",
                get(async || std::future::pending::<&'static str>().await),
            )
            .fallback(async || Error::NoSuchPath);
        layered(routes, Duration::from_millis(20), None)
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    async fn problem(path: &str) -> ::api::Problem {
        let response = ask(path).await;
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let id = response.headers()["x-request-id"].clone();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let problem: ::api::Problem = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(problem.request_id, id.to_str().unwrap());
        problem
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_the_inside() {
        let problem = problem("/panic").await;
        assert_eq!((problem.status, problem.code.as_str()), (500, "internal"));
        assert!(!problem.detail.contains("hunter2"));
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_given_up() {
        let problem = problem("/slow").await;
        assert_eq!((problem.status, problem.code.as_str()), (504, "timed_out"));
    }

    #[tokio::test]
    async fn the_fall_backs_are_problems_too() {
        assert_eq!(problem("/nothing").await.code, "no_such_path");
    }
}
