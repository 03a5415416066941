//! Every error becomes a problem body, or a page for those who read pages; here and nowhere else.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
};

use super::RequestId;
use crate::{
    error::Error,
    problem,
    site::Site,
    web::{Reader, wants_page},
};

/// Writes the body of an error, which carries the request's name.
pub(crate) async fn write_problems(
    State(site): State<Option<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let reader = wants_page(&request).then(|| Reader::of(&request));
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Arc<Error>>() else {
        return response;
    };
    tell(&error);
    let id = id.as_ref().map_or("", RequestId::as_str);
    let mut answer = match (reader, &site) {
        (Some(reader), Some(site)) => reader.answer(&site.web, &error, id, site.control.now()),
        _ => problem::answer(&error, id),
    };
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
