//! The catalog.

use api::{CatalogApp, CatalogDetail, CheckRequest, Checked, Page};
use axum::{Json, extract::State};
use control::Control;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    error::Error,
    extract::{Body, Caller, CatalogId, Query, Read, Segment},
};

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Words that are in the name, the tagline or the tags.
    q: Option<String>,
    /// Only this category.
    category: Option<String>,
}

/// The catalog.
#[utoipa::path(get, path = "/catalog", tag = "catalog", params(Which), responses(
    (status = 200, description = "Every entry that matches.", body = Page<CatalogApp>),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    _: Caller<Read>,
    Query(which): Query<Which>,
) -> Json<Page<CatalogApp>> {
    let items = control.catalog(which.q.as_deref(), which.category.as_deref());
    Json(Page { items, next: None })
}

/// A catalog entry with its parameters.
#[utoipa::path(get, path = "/catalog/{id}", tag = "catalog", params(("id" = String, Path)), responses(
    (status = 200, description = "All that a deployment asks for.", body = CatalogDetail),
    (status = 404, description = "There is no such entry."),
))]
pub(crate) async fn show(
    State(control): State<Control>,
    _: Caller<Read>,
    Segment(CatalogId(id)): Segment<CatalogId>,
) -> Result<Json<CatalogDetail>, Error> {
    Ok(Json(control.catalog_app(&id)?))
}

/// Check a compose file.
///
/// Tells what would go wrong in an unprivileged container, by line. Nothing is kept.
#[utoipa::path(post, path = "/catalog/check", tag = "catalog", request_body = CheckRequest, responses(
    (status = 200, description = "What was found; `ok` when none of it is an error.", body = Checked),
))]
pub(crate) async fn check(
    State(control): State<Control>,
    _: Caller<Read>,
    Body(request): Body<CheckRequest>,
) -> Json<Checked> {
    Json(control.check(&request))
}
