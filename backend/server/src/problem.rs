//! Problem bodies (RFC 9457), and the list of the kinds there are.

use api::Problem;
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::error::Error;

/// Media type of every error answer.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem that a program may want to tell from others.
pub(crate) struct Kind {
    /// `code` of the body.
    pub(crate) code: &'static str,
    /// The status it comes with.
    pub(crate) status: u16,
    /// What it means and what to do.
    pub(crate) meaning: &'static str,
}

const fn kind(code: &'static str, status: u16, meaning: &'static str) -> Kind {
    Kind {
        code,
        status,
        meaning,
    }
}

/// The kinds that are the same for every call. Failures of the cluster (503) come with codes of their own,
/// each explained in `detail`.
#[rustfmt::skip]
pub(crate) const KINDS: &[Kind] = &[
    kind("malformed_json", 400, "The body is not JSON."),
    kind("cut_body", 400, "The body did not arrive whole; send it again."),
    kind("malformed_query", 400, "A parameter of the query has a value that it cannot have."),
    kind("malformed_header", 400, "A header has a value that it cannot have."),
    kind("unauthenticated", 401, "Nobody is logged in, or the token is unknown, expired or revoked."),
    kind("csrf_token_missing", 403, "A write that a cookie authenticates needs X-CSRF-Token."),
    kind("forbidden", 403, "The token lacks the scope that this needs."),
    kind("not_found", 404, "There is no such thing, or you may not see it."),
    kind("no_such_path", 404, "There is no such path."),
    kind("method_not_allowed", 405, "The path takes other methods; see the header Allow."),
    kind("app_busy", 409, "An operation on the app is not over yet; `detail` names it."),
    kind("name_taken", 409, "There is an app with this name."),
    kind("too_large", 413, "The body is too large."),
    kind("unsupported_media_type", 415, "The body must be sent as application/json."),
    kind("invalid", 422, "Fields are missing, unknown or wrong; `errors` names them."),
    kind("idempotency_key_reused", 422, "The Idempotency-Key was used with another request."),
    kind("too_many_attempts", 429, "Wait as long as Retry-After says."),
    kind("internal", 500, "A fault of Proximity; its log tells more under the request id."),
    kind("not_configured", 503, "Proximity is not set up yet; a person does that at /setup."),
    kind("stopping", 503, "The service is about to stop."),
    kind("timed_out", 504, "It took too long. Look before you repeat a write."),
];

/// The answer for `error`, with the headers that the status asks for.
pub(crate) fn answer(error: &Error, request_id: &str) -> Response {
    let mut response = (error.status(), Json(body(error, request_id))).into_response();
    headers(error, response.headers_mut());
    response
}

/// The body for `error`.
pub(crate) fn body(error: &Error, request_id: &str) -> Problem {
    let code = error.code();
    let known = KINDS.iter().any(|kind| kind.code == code);
    Problem {
        kind: if known {
            format!("/docs#problem-{code}")
        } else {
            "about:blank".to_owned()
        },
        title: error.title().to_owned(),
        status: error.status().as_u16(),
        detail: error.to_string(),
        code: code.to_owned(),
        request_id: request_id.to_owned(),
        errors: error.fields().to_vec(),
    }
}

fn headers(error: &Error, headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    match error {
        Error::Control(control::Error::Unauthenticated) => {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"proximity\""),
            );
        }
        Error::Control(control::Error::TooMany { retry_after }) => {
            // Rounded up: whoever comes back at that second must not be early.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        let error = control::Error::TooMany {
            retry_after: Duration::from_millis(1200),
        };
        let response = answer(&error.into(), "r1");
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }

    #[test]
    fn the_inside_of_a_fault_stays_inside() {
        let error = Error::from(control::Error::Internal(
            "table users: password=hunter2".into(),
        ));
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn every_kind_that_the_server_makes_is_in_the_list() {
        let errors = [
            Error::NoSuchPath,
            Error::MethodNotAllowed,
            Error::NotJson,
            Error::MalformedJson {
                reason: String::new(),
            },
            Error::TooLarge { limit: 1 },
            Error::CutBody,
            Error::MalformedQuery {
                reason: String::new(),
            },
            Error::MalformedHeader {
                header: "",
                reason: "",
            },
            Error::TimedOut,
            Error::NotConfigured,
            Error::Stopping,
            Error::Panicked,
            control::Error::Unauthenticated.into(),
            control::Error::BadCsrf.into(),
            control::Error::Forbidden {
                scope: api::Scope::Read,
            }
            .into(),
            control::Error::NotFound { what: "app" }.into(),
            control::Error::NameTaken {
                name: String::new(),
            }
            .into(),
            control::Error::IdempotencyMismatch.into(),
            control::Error::Invalid { errors: Vec::new() }.into(),
            control::Error::TooMany {
                retry_after: Duration::ZERO,
            }
            .into(),
        ];
        for error in errors {
            let listed = KINDS
                .iter()
                .find(|kind| kind.code == error.code())
                .map(|kind| kind.status);
            assert_eq!(listed, Some(error.status().as_u16()), "{}", error.code());
        }
    }
}
