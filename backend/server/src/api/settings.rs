//! The settings that the service runs with.

use api::Setting;
use axum::{Json, extract::State};
use control::Control;

use crate::{
    error::Error,
    extract::{Admin, Caller},
};

/// Every setting, with where its value comes from.
///
/// The environment goes before the TOML file, and that before what the setup page saved. Secrets are named and never told.
#[utoipa::path(get, path = "/settings", tag = "service", responses(
    (status = 200, description = "The settings.", body = [Setting]),
))]
pub(crate) async fn list(
    _caller: Caller<Admin>,
    State(control): State<Control>,
) -> Result<Json<Vec<Setting>>, Error> {
    Ok(Json(control.told_settings().to_vec()))
}
