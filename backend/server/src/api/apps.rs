//! Apps: deploy, look, start, stop, restart, delete.

use api::{App, Deploy, Deployed, OperationKind, Page, Plan, Scope, Started};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use control::Control;
use serde::Deserialize;
use utoipa::IntoParams;

use super::accepted::{accepted, started};
use crate::{
    error::Error,
    extract::{AppName, Body, Caller, Query, Read, Segment, Write},
};

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page.
    limit: Option<u32>,
}

/// How to deploy.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Tell what would be done, and do nothing.
    #[serde(default)]
    #[param(required = false)]
    plan: bool,
}

/// Installed apps.
#[utoipa::path(get, path = "/apps", tag = "apps", params(Which), responses(
    (status = 200, description = "A page of apps, newest first.", body = Page<App>),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    _: Caller<Read>,
    Query(which): Query<Which>,
) -> Result<Json<Page<App>>, Error> {
    Ok(Json(
        control.apps(which.cursor.as_deref(), which.limit).await?,
    ))
}

/// Deploy an app, or plan it.
///
/// With `?plan=true` it tells node, number, storage, address and steps, does nothing, and needs only the scope
/// `read`.
#[utoipa::path(post, path = "/apps", tag = "apps", request_body = Deploy,
    params(How, ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        description = "What you call this request. Sent again within 24 hours, it gets the same answer and nothing is done twice.")),
    responses(
        (status = 202, description = "Written down and under way.", body = Deployed,
            headers(("Location" = String, description = "Address of the operation."))),
        (status = 200, description = "The plan; nothing was done.", body = Plan),
        (status = 404, description = "There is no such catalog entry."),
        (status = 409, description = "The name is taken."),
        (status = 422, description = "Fields are wrong, or the Idempotency-Key was used with another request."),
        (status = 503, description = "The cluster does not answer; only where a plan is asked for."),
    ))]
pub(crate) async fn deploy(
    State(control): State<Control>,
    caller: Caller<Read>,
    Query(how): Query<How>,
    Body(request): Body<Deploy>,
) -> Result<Response, Error> {
    if how.plan {
        return Ok(Json(control.plan(&caller.asked, request).await?).into_response());
    }
    caller.asked.who.require(Scope::Write)?;
    let deployed = control.deploy(&caller.asked, request).await?;
    Ok(accepted(deployed.operation.id, &deployed))
}

/// An app.
#[utoipa::path(get, path = "/apps/{id}", tag = "apps", params(("id" = String, Path, description = "Id or name.")), responses(
    (status = 200, description = "As it stands.", body = App),
    (status = 404, description = "There is no such app."),
))]
pub(crate) async fn show(
    State(control): State<Control>,
    _: Caller<Read>,
    Segment(AppName(app)): Segment<AppName>,
) -> Result<Json<App>, Error> {
    Ok(Json(control.app(&app).await?))
}

/// A call that starts an operation on an app.
macro_rules! starts {
    ($(#[$doc:meta])* $name:ident = $method:ident $path:literal, $kind:ident) => {
        $(#[$doc])*
        #[utoipa::path($method, path = $path, tag = "apps",
            params(("id" = String, Path, description = "Id or name."),
                ("Idempotency-Key" = Option<String>, Header, max_length = 200,
                    description = "What you call this request, so that sending it twice does it once.")),
            responses(
                (status = 202, description = "Written down and under way.", body = Started,
                    headers(("Location" = String, description = "Address of the operation."))),
                (status = 404, description = "There is no such app."),
                (status = 409, description = "An operation on the app is not over yet; `detail` names it. Or the app is not in a state that allows this."),
                (status = 422, description = "The Idempotency-Key was used with another request."),
            ))]
        pub(crate) async fn $name(
            State(control): State<Control>,
            caller: Caller<Write>,
            Segment(AppName(app)): Segment<AppName>,
        ) -> Result<Response, Error> {
            Ok(started(control.start_operation(&caller.asked, &app, OperationKind::$kind).await?))
        }
    };
}

starts! {
    /// Delete an app with its container and data.
    delete = delete "/apps/{id}", Delete
}
starts! {
    /// Start a stopped app.
    start = post "/apps/{id}/start", Start
}
starts! {
    /// Stop a running app and its container.
    stop = post "/apps/{id}/stop", Stop
}
starts! {
    /// Stop an app, then start it.
    restart = post "/apps/{id}/restart", Restart
}
