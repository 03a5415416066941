//! Every error becomes a problem body, here and nowhere else.

use std::sync::Arc;

use axum::{extract::Request, http::header, middleware::Next, response::Response};

use super::RequestId;
use crate::{error::Error, problem};

/// Writes the body of an error, which carries the request's name.
pub(crate) async fn write_problems(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Arc<Error>>() else {
        return response;
    };
    tell(&error);
    let mut answer = problem::answer(&error, id.as_ref().map_or("", RequestId::as_str));
    // The router has written down which methods there are.
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

/// Tells the log what the caller is not told. Once, here, where the error ends.
fn tell(error: &Error) {
    match error {
        Error::Control(fault @ control::Error::Internal(_)) => {
            tracing::error!(cause = causes(fault), "a request met a fault");
        }
        Error::Control(control::Error::Unavailable(failure)) => {
            tracing::warn!(code = %failure.code, "a request could not be served: {}", failure.message);
        }
        Error::TimedOut => tracing::warn!("a request took too long and was given up"),
        _ => {}
    }
}

/// What lies under an error, each with what lies under it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}
