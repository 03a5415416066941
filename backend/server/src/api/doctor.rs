//! The preflight.

use api::Checkup;
use axum::{Json, extract::State};
use control::Control;

use crate::{
    error::Error,
    extract::{Caller, Write},
};

/// Looks at everything that a deployment needs.
///
/// Each thing is looked at by itself, on the cluster, on every node and over SSH; a node that does not answer is a
/// finding. Nothing is changed on the cluster. It takes some seconds, longer where something does not answer.
///
/// It needs the scope `write`, as deploying does: it logs in on every node, and learns the SSH host key of one that it
/// meets for the first time.
#[utoipa::path(get, path = "/doctor", tag = "cluster", responses(
    (status = 200, description = "What was found.", body = Checkup),
))]
pub(crate) async fn examine(
    _caller: Caller<Write>,
    State(control): State<Control>,
) -> Result<Json<Checkup>, Error> {
    Ok(Json(control.doctor().await?))
}
