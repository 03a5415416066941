//! What the service is doing, and the emergency stop.

use api::{Park, Status};
use axum::{Json, extract::State};
use control::Control;

use crate::{
    error::Error,
    extract::{Admin, Body, Caller, Read},
};

/// What the service is doing.
#[utoipa::path(get, path = "/status", tag = "operations", responses(
    (status = 200, description = "As it stands.", body = Status),
))]
pub(crate) async fn status(
    State(control): State<Control>,
    _: Caller<Read>,
) -> Result<Json<Status>, Error> {
    Ok(Json(control.status().await?))
}

/// Park every operation: the emergency stop.
///
/// What is at work stops where it is within about a second, in every replica; nothing is undone. What is asked for
/// meanwhile is queued.
#[utoipa::path(post, path = "/park", tag = "operations", request_body = Park, responses(
    (status = 200, description = "Everything is parked.", body = Status),
    (status = 409, description = "It is parked already."),
    (status = 422, description = "There is no reason."),
))]
pub(crate) async fn park(
    State(control): State<Control>,
    caller: Caller<Admin>,
    Body(wish): Body<Park>,
) -> Result<Json<Status>, Error> {
    Ok(Json(control.park(&caller.asked, wish).await?))
}

/// Let everything that is parked go on.
#[utoipa::path(post, path = "/resume", tag = "operations", responses(
    (status = 200, description = "Everything goes on where it was.", body = Status),
    (status = 409, description = "Nothing is parked."),
))]
pub(crate) async fn resume(
    State(control): State<Control>,
    caller: Caller<Admin>,
) -> Result<Json<Status>, Error> {
    Ok(Json(control.resume(&caller.asked).await?))
}
