//! Operations: look, cancel, retry, abandon.

use api::{
    Abandon, Bulk, BulkStarted, Operation, OperationId, OperationKind, OperationStatus, Page,
    Started,
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use control::{Control, OperationQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use super::accepted::started;
use crate::{
    error::Error,
    extract::{Body, Caller, List, Query, Read, Segment, Write},
};

/// Which operations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this app, by its id or by the name that it had then. A name finds the operations of deleted apps,
    /// too.
    app: Option<String>,
    /// Only those with this status, or with one of several separated by commas.
    #[param(value_type = Option<String>, example = "queued,running")]
    status: Option<List<OperationStatus>>,
    /// Only those of this kind.
    kind: Option<OperationKind>,
    /// Only those that were asked for at this time (RFC 3339) or later.
    since: Option<DateTime<Utc>>,
    /// Only those that were asked for before this time (RFC 3339).
    until: Option<DateTime<Utc>>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page.
    limit: Option<u32>,
}

/// Operations.
#[utoipa::path(get, path = "/operations", tag = "operations", params(Which), responses(
    (status = 200, description = "A page of operations, newest first, without their steps.", body = Page<Operation>),
    (status = 404, description = "There is no such app."),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    _: Caller<Read>,
    Query(Which {
        app,
        status,
        kind,
        since,
        until,
        cursor,
        limit,
    }): Query<Which>,
) -> Result<Json<Page<Operation>>, Error> {
    Ok(Json(
        control
            .operations(OperationQuery {
                app,
                statuses: status.map(|List(statuses)| statuses).unwrap_or_default(),
                kind,
                since,
                until,
                live: false,
                cursor,
                limit,
            })
            .await?,
    ))
}

/// Begin the same operation on several apps.
#[utoipa::path(post, path = "/operations", tag = "operations", request_body = Bulk,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200,
        description = "What you call this request, so that sending it twice does it once.")),
    responses(
        (status = 202, description = "What became of each app: an operation that is under way, or why there is none. \
            One that is refused does not keep the others.", body = BulkStarted),
        (status = 422, description = "The kind is another one, or there are no apps, or too many."),
    ))]
pub(crate) async fn begin(
    State(control): State<Control>,
    caller: Caller<Write>,
    Body(bulk): Body<Bulk>,
) -> Result<(StatusCode, Json<BulkStarted>), Error> {
    let begun = control.start_operations(&caller.asked, bulk).await?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// An operation with its steps.
#[utoipa::path(get, path = "/operations/{id}", tag = "operations", params(("id" = OperationId, Path)), responses(
    (status = 200, description = "As it stands.", body = Operation),
    (status = 404, description = "There is no such operation."),
))]
pub(crate) async fn show(
    State(control): State<Control>,
    _: Caller<Read>,
    Segment(id): Segment<OperationId>,
) -> Result<Json<Operation>, Error> {
    Ok(Json(control.operation(id).await?))
}

/// Cancel an operation: what it did is undone.
#[utoipa::path(post, path = "/operations/{id}/cancel", tag = "operations", params(("id" = OperationId, Path)), responses(
    (status = 202, description = "The wish is written down.", body = Started,
        headers(("Location" = String, description = "Address of the operation."))),
    (status = 404, description = "There is no such operation."),
    (status = 409, description = "It is over, or it has gone too far to be undone."),
))]
pub(crate) async fn cancel(
    State(control): State<Control>,
    caller: Caller<Write>,
    Segment(id): Segment<OperationId>,
) -> Result<Response, Error> {
    Ok(started(control.cancel(&caller.asked, id).await?))
}

/// Try a stuck operation again where it is stuck.
#[utoipa::path(post, path = "/operations/{id}/retry", tag = "operations", params(("id" = OperationId, Path)), responses(
    (status = 202, description = "Under way again.", body = Started,
        headers(("Location" = String, description = "Address of the operation."))),
    (status = 404, description = "There is no such operation."),
    (status = 409, description = "It is not stuck."),
))]
pub(crate) async fn retry(
    State(control): State<Control>,
    caller: Caller<Write>,
    Segment(id): Segment<OperationId>,
) -> Result<Response, Error> {
    Ok(started(control.retry(&caller.asked, id).await?))
}

/// Give a stuck operation up.
///
/// Its app is free for the next one; what may be left on the cluster is yours to look after.
#[utoipa::path(post, path = "/operations/{id}/abandon", tag = "operations", params(("id" = OperationId, Path)),
    request_body = Abandon, responses(
    (status = 200, description = "Given up, with your reason in its history.", body = Started),
    (status = 404, description = "There is no such operation."),
    (status = 409, description = "It is not stuck."),
))]
pub(crate) async fn abandon(
    State(control): State<Control>,
    caller: Caller<Write>,
    Segment(id): Segment<OperationId>,
    Body(wish): Body<Abandon>,
) -> Result<Json<Started>, Error> {
    Ok(Json(Started {
        operation: control.abandon(&caller.asked, id, wish).await?,
    }))
}
