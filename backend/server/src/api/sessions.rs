//! Logging in and out.

use api::{Login, Principal, Session};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use control::Control;

use crate::{
    error::Error,
    extract::{Body, Caller, Header, Origin, Read, ending, is_secure, session_cookie, starting},
};

/// Log in.
///
/// The session itself is in the cookie `proximity_session`. Every write that it authenticates carries
/// `csrf_token` as `X-CSRF-Token`.
#[utoipa::path(post, path = "/sessions", tag = "sessions", security(()), request_body = Login, responses(
    (status = 201, description = "Logged in.", body = Session,
        headers(("Set-Cookie" = String, description = "`proximity_session`, out of reach of scripts."))),
    (status = 401, description = "No such user, or not this password."),
    (status = 429, description = "Too many attempts; `Retry-After` tells how long to wait."),
))]
pub(crate) async fn log_in(
    State(control): State<Control>,
    uri: Uri,
    headers: HeaderMap,
    Origin(from): Origin,
    Body(login): Body<Login>,
) -> Result<(StatusCode, Header, Json<Session>), Error> {
    let login = control.login(login, from).await?;
    let cookie = starting(&login.cookie, is_secure(&uri, &headers));
    Ok((StatusCode::CREATED, cookie, Json(login.session)))
}

/// Who is asking.
#[utoipa::path(get, path = "/sessions/current", tag = "sessions", responses(
    (status = 200, description = "Who, and what they may do.", body = Principal),
))]
pub(crate) async fn current(caller: Caller<Read>) -> Json<Principal> {
    let who = caller.asked.who;
    Json(Principal {
        username: who.username,
        scopes: who.scopes,
    })
}

/// Log out.
#[utoipa::path(delete, path = "/sessions/current", tag = "sessions", responses(
    (status = 204, description = "Logged out."),
    (status = 404, description = "The request was authenticated by a token, and there is no session to end."),
))]
pub(crate) async fn log_out(
    State(control): State<Control>,
    _: Caller<Read>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<(StatusCode, Header), Error> {
    let cookie = session_cookie(&headers).ok_or(control::Error::NotFound { what: "session" })?;
    control.logout(&cookie).await?;
    Ok((StatusCode::NO_CONTENT, ending(is_secure(&uri, &headers))))
}
