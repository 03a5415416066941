//! The way in: by the code that the process printed or, once there is an administrator, by logging in.

use std::net::SocketAddr;

use api::Login;
use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    SetupSite, Step, Trouble,
    visit::{address, cookie, lead},
};
use crate::{
    error::Error,
    extract::{Query, is_secure},
    web::{
        page::{self, Frame, Head},
        posted::{Fields, on_to},
        theme::Look,
    },
};

/// The code, where the address carries it.
#[derive(Deserialize)]
pub(crate) struct Code {
    code: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    steps: Vec<()>,
    trouble: Option<Trouble>,
    by_login: bool,
    username: &'a str,
}

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// `GET /setup`: on to the step that is due, or the question who asks.
pub(crate) async fn page(
    State(site): State<SetupSite>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
    Query(code): Query<Code>,
) -> Result<Response, Error> {
    if let Some(cookie) = cookie(&headers)
        && site.setup.admit(&cookie).await.is_ok()
    {
        let progress = site.setup.progress().await?;
        return Ok(on_to(Step::due(&progress).path()));
    }
    let Some(code) = code.code else {
        return ask(&site, &headers, "", None).await;
    };
    let peer = peer.map(|peer| peer.0);
    match site
        .setup
        .enter_by_code(address(peer.as_ref()), &code)
        .await
    {
        // The address of what follows does not carry the code, so that no history and no proxy keeps it.
        Ok(cookie) => Ok(lead("/setup", &cookie, is_secure(&uri, &headers))),
        Err(error) => ask(&site, &headers, "", Some(error)).await,
    }
}

/// `POST /setup` with a code, or with user name and password.
pub(crate) async fn enter(
    State(site): State<SetupSite>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let peer = peer.map(|peer| peer.0);
    let address = address(peer.as_ref());
    let username = fields.text("username").unwrap_or_default();
    let entered = if let Some(code) = fields.text("code") {
        site.setup.enter_by_code(address, code).await
    } else {
        let login = Login {
            username: username.to_owned(),
            password: fields.exact("password").unwrap_or_default().to_owned(),
        };
        site.setup.enter_by_login(address, login).await
    };
    match entered {
        Ok(cookie) => Ok(lead("/setup", &cookie, is_secure(&uri, &headers))),
        Err(error) => ask(&site, &headers, username, Some(error)).await,
    }
}

/// Asks who it is.
async fn ask(
    site: &SetupSite,
    headers: &HeaderMap,
    username: &str,
    error: Option<control::Error>,
) -> Result<Response, Error> {
    let by_login = site.setup.has_administrator().await?;
    let (status, message) = match error {
        None => (StatusCode::OK, None),
        Some(control::Error::Unauthenticated) if by_login => (
            StatusCode::UNAUTHORIZED,
            Some("There is no such user, or this is not their password.".to_owned()),
        ),
        Some(control::Error::Unauthenticated) => (
            StatusCode::UNAUTHORIZED,
            Some("This is not the code. A restart prints a new one.".to_owned()),
        ),
        Some(error @ control::Error::TooMany { .. }) => {
            (StatusCode::TOO_MANY_REQUESTS, Some(error.to_string()))
        }
        Some(error) => return Err(error.into()),
    };
    let view = View {
        steps: Vec::new(),
        trouble: message.map(|message| Trouble {
            message,
            hint: None,
            evidence: Vec::new(),
        }),
        by_login,
        username,
    };
    let look = Look::of(headers);
    let mut frame = Frame::for_stranger(&site.web, Head::new("Setup"), look, site.setup.now());
    frame.path = "/setup";
    let html = site.web.page("setup_enter.html", &frame, &view)?;
    let mut answer = page::answer(html);
    *answer.status_mut() = status;
    Ok(answer)
}
