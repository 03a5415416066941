//! A form that somebody sent from one of our pages.

use axum::{
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use control::Credential;

use super::{Viewer, viewer::is_foreign};
use crate::{
    error::Error,
    extract::{Needs, session_cookie},
    router::BODY_LIMIT,
    site::Site,
};

/// A form of somebody with a session, which carries the session's CSRF token (or sends it as `X-CSRF-Token`).
pub(crate) struct Posted<N> {
    /// Who sent it.
    pub(crate) viewer: Viewer<N>,
    /// What it says.
    pub(crate) fields: Fields,
}

/// What a form says, in the order of its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A form as browsers send it (`application/x-www-form-urlencoded`), or a query.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// What was typed, the ends trimmed; nothing where nothing was.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let text = self.exact(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// What was typed, as it was: for passwords.
    pub(crate) fn exact(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name)?;
        Some(&found.1)
    }

    /// Whether a box was ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// Every value of a field that may be there several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(field, _)| field == name);
        values.map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, site: &S) -> Result<Self, Error> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_form = kind
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form || is_foreign(request.headers()) {
            return Err(control::Error::BadCsrf.into());
        }
        let bytes =
            Bytes::from_request(request, site)
                .await
                .map_err(|error| match error.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: BODY_LIMIT },
                    _ => Error::CutBody,
                })?;
        Ok(Self::parse(&bytes))
    }
}

impl<N: Needs> FromRequest<Site> for Posted<N> {
    type Rejection = Error;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let cookie = session_cookie(&parts.headers).ok_or(control::Error::Unauthenticated)?;
        let fields = Fields::from_request(Request::from_parts(parts.clone(), body), site).await?;
        let header = parts.headers.get("x-csrf-token");
        let credential = Credential::Session {
            cookie: &cookie,
            csrf: fields
                .exact("csrf")
                .or_else(|| header.and_then(|token| token.to_str().ok())),
            is_write: true,
        };
        let mut viewer = Viewer::known(credential, &cookie, &parts, site).await?;
        // Where a page is shown in answer to a form, its own address cannot be asked for again.
        viewer.asked.idempotency_key = fields
            .text("idempotency_key")
            .filter(|key| key.len() <= 200 && key.bytes().all(|byte| byte.is_ascii_graphic()))
            .map(str::to_owned);
        Ok(Self { viewer, fields })
    }
}

/// On to another page after a write: 303, so that a reload repeats nothing.
pub(crate) fn on_to(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_typed() {
        let form =
            Fields::parse(b"name=+Caf%C3%A9+&p.TZ=Etc%2FUTC&p.A=1&tag=a&tag=b&empty=&password=+x+");
        assert_eq!(form.text("name"), Some("Café"));
        assert_eq!(form.exact("password"), Some(" x "));
        assert_eq!(form.text("empty"), None);
        assert!(form.is_ticked("name") && !form.is_ticked("empty") && !form.is_ticked("none"));
        assert_eq!(form.all("tag").collect::<Vec<_>>(), ["a", "b"]);
    }
}
