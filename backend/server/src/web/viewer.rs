//! Who looks at a page: somebody with a session. Anybody else is sent to the login.

use std::{marker::PhantomData, path::Path};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::Response,
};
use chrono::{DateTime, Utc};
use control::{Asked, Credential, Pulse, Shown};
use serde::Serialize;

use super::{
    page::{self, Frame, Head},
    site::Web,
    theme::Look,
};
use crate::{
    error::Error,
    extract::{Needs, session_cookie},
    layer::{RequestId, Visitor},
    site::Site,
};

/// Somebody with a session who may see what `N` needs.
pub(crate) struct Viewer<N> {
    /// Who asks, with which request.
    pub(crate) asked: Asked,
    /// What their forms carry.
    csrf: String,
    /// Path and query that they asked for.
    path: String,
    look: Look,
    now: DateTime<Utc>,
    pulse: Pulse,
    parked: Option<String>,
    web: Web,
    needs: PhantomData<N>,
}

impl<N: Needs> FromRequestParts<Site> for Viewer<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Error> {
        let cookie = session_cookie(&parts.headers).ok_or(control::Error::Unauthenticated)?;
        let credential = Credential::Session {
            cookie: &cookie,
            csrf: None,
            is_write: false,
        };
        let viewer = Self::known(credential, &cookie, parts, site).await?;
        parts.extensions.insert(Shown::from(credential));
        Ok(viewer)
    }
}

impl<N: Needs> Viewer<N> {
    /// Whoever has this credential, if they may.
    pub(crate) async fn known(
        credential: Credential<'_>,
        cookie: &str,
        parts: &Parts,
        site: &Site,
    ) -> Result<Self, Error> {
        let who = site.control.authenticate(credential).await?;
        if let Some(visitor) = parts.extensions.get::<Visitor>() {
            visitor.is(&who.username);
        }
        who.require(N::SCOPE)?;
        let path = parts.uri.path_and_query();
        Ok(Self {
            asked: Asked {
                who,
                request_id: request_id(parts),
                idempotency_key: None,
            },
            csrf: control::csrf_token(cookie),
            path: path.map_or("/", |path| path.as_str()).to_owned(),
            look: Look::of(&parts.headers),
            now: site.control.now(),
            pulse: site.control.pulse().await?,
            parked: site
                .control
                .parked()
                .await?
                .map(|parked| format!("Everything is parked by {}: {}", parked.by, parked.reason)),
            web: site.web.clone(),
            needs: PhantomData,
        })
    }

    /// The page of `view` as `template` writes it; `view` and `page` are what it sees.
    pub(crate) fn show(
        &self,
        template: &str,
        head: Head,
        view: &impl Serialize,
    ) -> Result<Response, Error> {
        let html = self.web.page(template, &self.frame(head), view)?;
        Ok(page::answer(html))
    }

    /// One component alone, for a part of a page that a script asks for.
    pub(crate) fn fragment(
        &self,
        component: &str,
        arguments: &impl Serialize,
    ) -> Result<String, Error> {
        self.fragment_at(self.now, component, arguments)
    }

    /// One component alone at this time, for a part of a page that changes while somebody looks.
    pub(crate) fn fragment_at(
        &self,
        now: DateTime<Utc>,
        component: &str,
        arguments: &impl Serialize,
    ) -> Result<String, Error> {
        let frame = Frame {
            now,
            ..self.frame(Head::default())
        };
        self.web.component(component, &frame, arguments)
    }

    fn frame(&self, mut head: Head) -> Frame<'_> {
        head.tone = head.tone.or(Some(tone(self.pulse)));
        Frame {
            head,
            look: self.look,
            username: Some(&self.asked.who.username),
            is_admin: self.asked.who.may(api::Scope::Admin),
            csrf: &self.csrf,
            path: &self.path,
            now: self.now,
            simulation: self.web.is_simulation(),
            parked: self.parked.clone(),
            request_id: &self.asked.request_id,
        }
    }
}

/// What favicon and title show of the whole service.
pub(crate) fn tone(pulse: Pulse) -> &'static str {
    match pulse {
        Pulse { stuck: 1.., .. } => "attention",
        Pulse { working: 1.., .. } => "working",
        _ => "ok",
    }
}

/// The name of the request.
pub(super) fn request_id(parts: &Parts) -> String {
    parts
        .extensions
        .get::<RequestId>()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Whether a browser says that another site made it send this.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
}

/// A path of ours to go to, or the home page: never another site.
pub(crate) fn local(next: Option<&str>) -> &str {
    let Some(next) = next else {
        return "/";
    };
    let mut bytes = next.bytes();
    let is_path = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic()) && !next.contains('\\');
    // The login would lead to itself.
    let is_login = Path::new(next).starts_with("/login") || next.starts_with("/login?");
    if is_path && is_plain && !is_login {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_of_ours() {
        for path in ["/", "/catalog?q=a%20b", "/apps/memos/logs#L3"] {
            assert_eq!(local(Some(path)), path);
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\r\nb",
            "/a b",
            "/login",
            "/login?next=/",
            "/a\\b",
        ] {
            assert_eq!(local(Some(other)), "/", "{other:?}");
        }
        assert_eq!(local(None), "/");
    }

    #[test]
    fn what_waits_for_a_person_is_shown_before_what_works() {
        assert_eq!(
            tone(Pulse {
                working: 2,
                stuck: 1
            }),
            "attention"
        );
        assert_eq!(
            tone(Pulse {
                working: 2,
                stuck: 0
            }),
            "working"
        );
        assert_eq!(tone(Pulse::default()), "ok");
    }
}
