//! The answer of calls that start something: 202 and where to watch it.

use api::{Operation, Started};
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

/// 202 with `{operation}`, and the operation's address in `Location`.
pub(crate) fn started(operation: Operation) -> Response {
    accepted(operation.id, &Started { operation })
}

/// 202 with `body`, and the operation's address in `Location`.
pub(crate) fn accepted(operation: api::OperationId, body: &impl Serialize) -> Response {
    let location = format!("/api/v1/operations/{operation}");
    (
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(body),
    )
        .into_response()
}
