//! The cluster.

use api::{Node, Page, Storage};
use axum::{Json, extract::State};
use control::Control;

use crate::{
    error::Error,
    extract::{Caller, Read},
};

/// The nodes, as apps are placed on them.
#[utoipa::path(get, path = "/nodes", tag = "cluster", responses(
    (status = 200, description = "Every node, with the reason why it would not be chosen now.", body = Page<Node>),
    (status = 503, description = "The cluster does not answer."),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    _: Caller<Read>,
) -> Result<Json<Page<Node>>, Error> {
    Ok(Json(Page {
        items: control.nodes().await?,
        next: None,
    }))
}

/// The storages of every node that answers.
#[utoipa::path(get, path = "/storages", tag = "cluster", responses(
    (status = 200, description = "A row for each node that sees a storage.", body = Page<Storage>),
    (status = 503, description = "The cluster does not answer."),
))]
pub(crate) async fn storages(
    State(control): State<Control>,
    _: Caller<Read>,
) -> Result<Json<Page<Storage>>, Error> {
    Ok(Json(Page {
        items: control.storages().await?,
        next: None,
    }))
}
