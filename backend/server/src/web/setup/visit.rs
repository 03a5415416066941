//! Somebody who was let in to the setup.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use axum_extra::extract::CookieJar;
use control::Progress;
use subtle::ConstantTimeEq as _;

use super::{SetupSite, Step};
use crate::{
    error::Error,
    web::{
        posted::{Fields, on_to},
        theme::Look,
    },
};

/// Name of the cookie.
const COOKIE: &str = "proximity_setup";

/// Somebody who was let in, and how far the setup is.
pub(super) struct Visit {
    /// Their cookie.
    pub(super) cookie: String,
    pub(super) progress: Progress,
    pub(super) look: Look,
}

impl Visit {
    /// Where they must go instead, when this step is not due yet.
    pub(super) fn too_early(&self, step: Step) -> Option<Response> {
        let due = Step::due(&self.progress);
        (step > due).then(|| on_to(due.path()))
    }
}

/// A form of theirs, which carries the token that belongs to the cookie.
pub(super) struct Sent {
    pub(super) visit: Visit,
    pub(super) fields: Fields,
}

/// Who is not let in is led to the entrance.
pub(super) enum Refused {
    ToEntrance,
    Error(Error),
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::ToEntrance => on_to("/setup"),
            Self::Error(error) => error.into_response(),
        }
    }
}

impl From<control::Error> for Refused {
    fn from(error: control::Error) -> Self {
        match error {
            control::Error::Unauthenticated => Self::ToEntrance,
            error => Self::Error(error.into()),
        }
    }
}

impl FromRequestParts<SetupSite> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &SetupSite) -> Result<Self, Refused> {
        let cookie = cookie(&parts.headers).ok_or(Refused::ToEntrance)?;
        site.setup.admit(&cookie).await?;
        Ok(Self {
            cookie,
            progress: site.setup.progress().await?,
            look: Look::of(&parts.headers),
        })
    }
}

impl FromRequest<SetupSite> for Sent {
    type Rejection = Refused;

    async fn from_request(request: Request, site: &SetupSite) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, site).await?;
        let request = Request::from_parts(parts, body);
        let fields = Fields::from_request(request, site)
            .await
            .map_err(Refused::Error)?;
        let wanted = control::csrf_token(&visit.cookie);
        let sent = fields.exact("csrf").unwrap_or_default();
        if !bool::from(sent.as_bytes().ct_eq(wanted.as_bytes())) {
            return Err(control::Error::BadCsrf.into());
        }
        Ok(Self { visit, fields })
    }
}

/// The cookie of whoever asks.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    Some(jar.get(COOKIE)?.value().to_owned())
}

/// On to a path, with the cookie that opens it; an empty one takes it away.
pub(super) fn lead(path: &str, cookie: &str, secure: bool) -> Response {
    let secure = if secure { "; Secure" } else { "" };
    let gone = if cookie.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{COOKIE}={cookie}; Path=/setup; HttpOnly; SameSite=Lax{gone}{secure}");
    ([(header::SET_COOKIE, cookie)], on_to(path)).into_response()
}

/// The address of whoever asks.
pub(super) fn address(peer: Option<&ConnectInfo<SocketAddr>>) -> IpAddr {
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}
