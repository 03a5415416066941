//! Logging in and out.

use api::{Login, Scope};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    page::{self, Frame, Head},
    posted::{Fields, Posted, on_to},
    theme::Look,
    viewer::local,
};
use crate::{
    error::Error,
    extract::{Origin, Query, Read, ending, is_secure, session_cookie, starting},
    site::Site,
};

/// Where to go on afterwards.
#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    username: &'a str,
    next: &'a str,
    problem: Option<String>,
}

/// `GET /login`. Whoever is logged in already goes on at once.
pub(crate) async fn page(
    State(site): State<Site>,
    Query(next): Query<Next>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let next = local(next.next.as_deref());
    if let Some(cookie) = session_cookie(&headers) {
        let credential = control::Credential::Session {
            cookie: &cookie,
            csrf: None,
            is_write: false,
        };
        match site.control.authenticate(credential).await {
            Ok(who) if who.may(Scope::Read) => return Ok(on_to(next)),
            Ok(_) | Err(control::Error::Unauthenticated) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let view = View {
        username: "",
        next,
        problem: None,
    };
    show(&site, &headers, &view)
}

/// `POST /login`.
pub(crate) async fn log_in(
    State(site): State<Site>,
    uri: Uri,
    headers: HeaderMap,
    Origin(from): Origin,
    fields: Fields,
) -> Result<Response, Error> {
    let next = local(fields.text("next"));
    let username = fields.text("username").unwrap_or_default();
    let login = Login {
        username: username.to_owned(),
        password: fields.exact("password").unwrap_or_default().to_owned(),
    };
    let error = match site.control.login(login, from).await {
        Ok(login) => {
            let cookie = starting(&login.cookie, is_secure(&uri, &headers));
            return Ok((cookie, on_to(next)).into_response());
        }
        Err(error) => error,
    };
    let (status, problem) = match &error {
        control::Error::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "There is no such user, or this is not their password.".to_owned(),
        ),
        control::Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        _ => return Err(error.into()),
    };
    let view = View {
        username,
        next,
        problem: Some(problem),
    };
    let mut answer = show(&site, &headers, &view)?;
    *answer.status_mut() = status;
    if let control::Error::TooMany { retry_after } = error {
        let seconds = HeaderValue::from(retry_after.as_secs());
        answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(answer)
}

/// `POST /logout`.
pub(crate) async fn log_out(
    State(site): State<Site>,
    uri: Uri,
    headers: HeaderMap,
    _: Posted<Read>,
) -> Result<Response, Error> {
    if let Some(cookie) = session_cookie(&headers) {
        site.control.logout(&cookie).await?;
    }
    Ok((ending(is_secure(&uri, &headers)), on_to("/login")).into_response())
}

fn show(site: &Site, headers: &HeaderMap, view: &View<'_>) -> Result<Response, Error> {
    let (look, now) = (Look::of(headers), site.control.now());
    let frame = Frame::for_stranger(&site.web, Head::new("Log in"), look, now);
    let html = site.web.page("login.html", &frame, view)?;
    Ok(page::answer(html))
}
