//! What stands around the content of every page, and the answer that a page is.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{site::Web, theme::Look};

/// What a page may do: load our own files, talk to us, and nothing else (CSP 3).
pub(crate) const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
);

/// What a page says of itself.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Head {
    /// Its title.
    pub(crate) title: String,
    /// Which entry of the navigation it belongs to.
    pub(crate) nav: &'static str,
    /// The stream that keeps it up to date.
    pub(crate) live: Option<String>,
    /// `ok`, `working` or `attention`: what favicon and title show. Absent: what the whole service does.
    pub(crate) tone: Option<&'static str>,
    /// Whether it takes the whole width.
    pub(crate) wide: bool,
}

impl Head {
    /// A page with this title.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Under this entry of the navigation: `home`, `catalog`, `operations`, `nodes`, `settings`.
    pub(crate) fn under(mut self, nav: &'static str) -> Self {
        self.nav = nav;
        self
    }

    /// Kept up to date by the stream at this address.
    pub(crate) fn live(mut self, address: impl Into<String>) -> Self {
        self.live = Some(address.into());
        self
    }

    /// With this state in favicon and title: `ok`, `working` or `attention`.
    pub(crate) fn tone(mut self, tone: &'static str) -> Self {
        self.tone = Some(tone);
        self
    }
}

/// What stands around the content; `page` in templates.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Frame<'a> {
    /// What the page says of itself.
    #[serde(flatten)]
    pub(crate) head: Head,
    /// How it looks.
    #[serde(flatten)]
    pub(crate) look: Look,
    /// Who is logged in.
    pub(crate) username: Option<&'a str>,
    /// Whether they manage the service.
    pub(crate) is_admin: bool,
    /// What their forms carry.
    pub(crate) csrf: &'a str,
    /// Path and query of the page, where it can be asked for again.
    pub(crate) path: &'a str,
    /// When it was made.
    pub(crate) now: DateTime<Utc>,
    /// Whether the cluster is a simulation.
    pub(crate) simulation: bool,
    /// Why and by whom every operation is parked, in a sentence.
    pub(crate) parked: Option<String>,
    /// Name of the request.
    pub(crate) request_id: &'a str,
}

impl<'a> Frame<'a> {
    /// For somebody who is not logged in.
    pub(crate) fn for_stranger(web: &Web, head: Head, look: Look, now: DateTime<Utc>) -> Frame<'a> {
        Frame {
            head,
            look,
            username: None,
            is_admin: false,
            csrf: "",
            path: "/",
            now,
            simulation: web.is_simulation(),
            parked: None,
            request_id: "",
        }
    }
}

/// The answer of this HTML.
pub(crate) fn answer(html: String) -> Response {
    ([POLICY], Html(html)).into_response()
}
