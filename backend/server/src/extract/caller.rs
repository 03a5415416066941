//! Who asks.

use std::marker::PhantomData;

use api::Scope;
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use control::{Asked, Control, Credential, Shown};

use super::session_cookie;
use crate::{
    error::Error,
    layer::{RequestId, Visitor},
};

/// Longest idempotency key.
const LONGEST_KEY: usize = 200;

/// Somebody who is known and may do what `N` needs. Named first among a handler's arguments, so that a stranger
/// learns nothing but that they are one.
pub(crate) struct Caller<N> {
    /// Who asks, with which request.
    pub(crate) asked: Asked,
    needs: PhantomData<N>,
}

/// What a call needs of whoever makes it.
pub(crate) trait Needs {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

needs! {
    /// The call looks.
    Read
    /// The call changes apps or operations.
    Write
    /// The call manages the service.
    Admin
}

impl<S, N> FromRequestParts<S> for Caller<N>
where
    S: Send + Sync,
    Control: FromRef<S>,
    N: Needs,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let control = Control::from_ref(state);
        let cookie = session_cookie(&parts.headers);
        let credential = match (bearer(&parts.headers), cookie.as_deref()) {
            (Some(token), _) => Credential::Token(token),
            (None, Some(cookie)) => Credential::Session {
                cookie,
                csrf: parts
                    .headers
                    .get("x-csrf-token")
                    .and_then(|token| token.to_str().ok()),
                is_write: !parts.method.is_safe(),
            },
            (None, None) => return Err(control::Error::Unauthenticated.into()),
        };
        let who = control.authenticate(credential).await?;
        let shown = Shown::from(credential);
        if let Some(visitor) = parts.extensions.get::<Visitor>() {
            visitor.is(&who.username);
        }
        who.require(N::SCOPE)?;
        let request_id = parts
            .extensions
            .get::<RequestId>()
            .map(ToString::to_string)
            .unwrap_or_default();
        let idempotency_key = idempotency_key(&parts.headers)?;
        parts.extensions.insert(shown);
        Ok(Self {
            asked: Asked {
                who,
                request_id,
                idempotency_key,
            },
            needs: PhantomData,
        })
    }
}

/// The token of `Authorization: Bearer`. Other schemes are passed over: they may be meant for a proxy in front.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    const HEADER: &str = "Idempotency-Key";
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let malformed = || Error::MalformedHeader {
        header: HEADER,
        reason: "must be 1 to 200 printable ASCII characters",
    };
    // `to_str` lets a tab pass and nothing else that cannot be printed.
    let key = value.to_str().map_err(|_| malformed())?;
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('\t') {
        return Err(malformed());
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        HeaderMap::from_iter([(HeaderName::from_static(name), value)])
    }

    #[test]
    fn only_a_bearer_token_is_a_token() {
        assert_eq!(
            bearer(&headers("authorization", "Bearer prx_1")),
            Some("prx_1")
        );
        assert_eq!(
            bearer(&headers("authorization", "bearer  prx_1 ")),
            Some("prx_1")
        );
        assert_eq!(bearer(&headers("authorization", "Basic YTpi")), None);
        assert_eq!(bearer(&headers("authorization", "Bearer")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn an_idempotency_key_is_short_and_printable() {
        let key = |value: &str| idempotency_key(&headers("idempotency-key", value));
        assert_eq!(key("deploy 7").unwrap().as_deref(), Some("deploy 7"));
        assert_eq!(
            key(&"k".repeat(200)).unwrap().map(|key| key.len()),
            Some(200)
        );
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "a\tb", "schlüssel", &"k".repeat(201)] {
            assert!(
                matches!(key(wrong), Err(Error::MalformedHeader { .. })),
                "{wrong:?} passed"
            );
        }
    }
}
