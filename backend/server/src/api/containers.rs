//! Containers as the cluster has them: what differs from the database, and taking apps back.

use api::{Adopt, AdoptionPlan, Deployed, Reconciliation};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use control::Control;
use serde::Deserialize;
use utoipa::IntoParams;

use super::accepted::accepted;
use crate::{
    error::Error,
    extract::{Admin, Body, Caller, ContainerNumber, Query, Segment},
};

/// How to adopt.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Only tell what would be done.
    #[serde(default)]
    plan: bool,
}

/// How the cluster differs from the database, as it was last looked for. Nothing is ever done about it.
#[utoipa::path(get, path = "/reconciliation", tag = "cluster", responses(
    (status = 200, description = "What differs, and since when that is known.", body = Reconciliation),
))]
pub(crate) async fn last(
    State(control): State<Control>,
    _: Caller<Admin>,
) -> Result<Json<Reconciliation>, Error> {
    Ok(Json(control.reconciliation().await?))
}

/// Compare the cluster with the database now. It only looks.
#[utoipa::path(post, path = "/reconciliation", tag = "cluster", responses(
    (status = 200, description = "What differs.", body = Reconciliation),
    (status = 503, description = "The cluster does not answer."),
))]
pub(crate) async fn reconcile(
    State(control): State<Control>,
    _: Caller<Admin>,
) -> Result<Json<Reconciliation>, Error> {
    Ok(Json(control.reconcile().await?))
}

/// Take an app back that only its container remembers.
///
/// The container must carry the proof of an app that is not here. With `?plan=true` nothing is done, and the answer
/// says what it found. A container of another installation that shares the cluster looks the same: look first.
#[utoipa::path(post, path = "/containers/{vmid}/adopt", tag = "cluster",
    params(("vmid" = u32, Path, description = "Number of the container."), How), request_body = Adopt, responses(
    (status = 202, description = "Written down and under way.", body = Deployed,
        headers(("Location" = String, description = "Address of the operation."))),
    (status = 200, description = "What would be adopted; nothing was done.", body = AdoptionPlan),
    (status = 404, description = "The cluster has no such container."),
    (status = 409, description = "It carries no proof, or that of an app that is here, or is locked, or its name is taken."),
    (status = 503, description = "The cluster does not answer."),
))]
pub(crate) async fn adopt(
    State(control): State<Control>,
    caller: Caller<Admin>,
    Segment(ContainerNumber(vmid)): Segment<ContainerNumber>,
    Query(how): Query<How>,
    Body(request): Body<Adopt>,
) -> Result<Response, Error> {
    if how.plan {
        return Ok(Json(control.adoption_plan(vmid, request).await?).into_response());
    }
    let adopted = control.adopt(&caller.asked, vmid, request).await?;
    Ok(accepted(adopted.operation.id, &adopted))
}
