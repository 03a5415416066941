//! Measures of the service in Prometheus' text format.
//!
//! Measures go through the `metrics` facade, so that every crate can add its own without knowing this one.

use std::{sync::OnceLock, time::Duration};

use api::{OperationKind, OperationStatus};
use axum::{
    extract::State,
    http::{Method, header},
    response::IntoResponse,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{
    error::Error,
    extract::{Caller, Read},
    site::Site,
};

const REQUESTS: &str = "proximity_http_requests_total";
const DURATION: &str = "proximity_http_request_duration_seconds";
const OPERATIONS: &str = "proximity_operations";
const UPTIME: &str = "proximity_uptime_seconds";
const BUILD: &str = "proximity_build_info";

/// Upper bounds in seconds: answers from the database take milliseconds, those that ask the cluster seconds.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0,
];

/// The recorder of this process, installed the first time somebody asks for it.
fn handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .expect("there is at least one bucket");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of measures is installed; /metrics will be empty");
        }
        describe();
        handle
    })
}

fn describe() {
    metrics::describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
    metrics::describe_histogram!(
        DURATION,
        "Seconds from a request to the head of its answer."
    );
    metrics::describe_gauge!(
        OPERATIONS,
        "Operations in the database, by kind and status."
    );
    metrics::describe_gauge!(UPTIME, "Seconds since the service started.");
    metrics::describe_gauge!(BUILD, "Always 1; the labels tell what is running.");
}

/// Begins to record.
pub(crate) fn install() {
    handle();
}

/// Puts samples together that nobody has fetched yet; without it they would pile up where nobody scrapes.
pub(crate) fn upkeep() {
    handle().run_upkeep();
}

/// Counts one answered request.
pub(crate) fn answered(method: &Method, route: Option<&str>, status: u16, took: Duration) {
    // Labels are what the router knows, never what a client made up: each value costs memory for ever.
    let route = route.unwrap_or("unmatched").to_owned();
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => {
            known.to_owned()
        }
        _ => "other".to_owned(),
    };
    metrics::histogram!(DURATION, "method" => method.clone(), "route" => route.clone())
        .record(took.as_secs_f64());
    metrics::counter!(REQUESTS, "method" => method, "route" => route, "status" => status.to_string()).increment(1);
}

/// Measures of the service.
#[utoipa::path(get, path = "/metrics", tag = "service", responses(
    (status = 200, description = "Prometheus' text format, version 0.0.4.", body = String, content_type = "text/plain"),
))]
pub(crate) async fn scrape(
    State(site): State<Site>,
    _: Caller<Read>,
) -> Result<impl IntoResponse, Error> {
    let counts = site.control.operation_counts().await?;
    for (kind, status) in OperationKind::ALL.iter().flat_map(|kind| {
        OperationStatus::ALL
            .iter()
            .map(move |status| (*kind, *status))
    }) {
        let count = counts
            .iter()
            .find(|count| (count.0, count.1) == (kind, status))
            .map_or(0, |count| count.2);
        metrics::gauge!(OPERATIONS, "kind" => kind.as_str(), "status" => status.as_str())
            .set(approximately(count));
    }
    metrics::gauge!(UPTIME).set(site.started.elapsed().as_secs_f64());
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok((
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        handle().render(),
    ))
}

/// A count as Prometheus knows numbers.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53, which no count of rows reaches"
)]
fn approximately(count: u64) -> f64 {
    count as f64
}
