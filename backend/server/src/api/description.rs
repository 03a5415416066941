//! The API's own description.

use axum::{http::header, response::IntoResponse};

use crate::{
    extract::{Caller, Read},
    openapi,
};

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "service", responses(
    (status = 200, description = "OpenAPI 3.1.", body = Object),
))]
pub(crate) async fn openapi(_: Caller<Read>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        openapi::json(),
    )
}
