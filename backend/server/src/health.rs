//! Whether the service lives, and whether it can work: for those who watch it. Open to strangers, and silent
//! about everything else.

use axum::{Json, extract::State};
use control::Control;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::Error, stopping::Stopping};

/// Answer of the health endpoints.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `ready`.
    status: &'static str,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "service", security(()), responses(
    (status = 200, description = "It lives.", body = Health),
))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The process can work: its database can be written and it is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "service", security(()), responses(
    (status = 200, description = "It can work.", body = Health),
    (status = 503, description = "Its database cannot be written, or it is about to stop."),
))]
pub(crate) async fn readyz(
    State(control): State<Control>,
    stopping: Stopping,
) -> Result<Json<Health>, Error> {
    if stopping.0.is_cancelled() {
        return Err(Error::Stopping);
    }
    control.ready().await?;
    Ok(Json(Health { status: "ready" }))
}
