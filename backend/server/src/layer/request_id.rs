//! The name of a request: in its answer, in problem bodies, in the log and in the audit.

use std::{convert::Infallible, fmt};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};
use uuid::Uuid;

/// The header, in requests and in answers.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest name that is taken over from a client or a proxy.
const LONGEST: usize = 128;

/// The name of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The name that the sender gave, if it cannot do harm in a log, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(given) if is_harmless(given.as_bytes()) => Self(given.clone()),
            _ => Self(made_up()),
        }
    }

    /// As a header's value.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        self.0
            .to_str()
            .expect("names are visible ASCII: see `is_harmless` and `made_up`")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(|| Self(made_up())))
    }
}

fn is_harmless(name: &[u8]) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

fn made_up() -> HeaderValue {
    let name = format!("req_{}", Uuid::now_v7().simple());
    HeaderValue::try_from(name).expect("hexadecimal digits make a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &str) -> RequestId {
        RequestId::of(&HeaderMap::from_iter([(
            HEADER,
            HeaderValue::from_str(given).unwrap(),
        )]))
    }

    #[test]
    fn a_harmless_name_is_taken_over() {
        assert_eq!(of("trace-1.2:3_x").as_str(), "trace-1.2:3_x");
    }

    #[test]
    fn any_other_name_is_replaced() {
        let long = "x".repeat(LONGEST + 1);
        for given in ["", "a b", "a\tb", "\"quoted\"", &long] {
            let id = of(given);
            assert!(
                id.as_str().starts_with("req_") && id.as_str().len() == 36,
                "{given:?} became {id}"
            );
        }
        assert!(
            RequestId::of(&HeaderMap::new())
                .as_str()
                .starts_with("req_")
        );
    }
}
