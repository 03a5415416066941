//! What keeps one request from harming the service: a limit of time, and a net under panics.

use std::{any::Any, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::time;

use crate::error::Error;

/// Gives a request up whose answer has not begun within `limit`. Streams have begun by then and go on.
pub(crate) async fn limit_time(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TimedOut.into_response(),
    }
}

/// The answer where a handler panicked. What it said is for the log.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of a panic handler"
)]
pub(crate) fn answer_panic(said: Box<dyn Any + Send + 'static>) -> Response {
    let said = said
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| said.downcast_ref::<&str>().copied())
        .unwrap_or("something that is not text");
    tracing::error!(said, "a handler panicked");
    Error::Panicked.into_response()
}
