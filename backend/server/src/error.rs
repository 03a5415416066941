//! Why a request is refused, by what its sender can do about it.

use std::sync::Arc;

use api::FieldError;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why a request is refused. What [`control`] says, or what HTTP itself has against the request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The application said no.
    #[error("{}", .0.detail())]
    Control(#[from] control::Error),
    /// Look the path up in the description.
    #[error("There is nothing under this path; /docs tells what there is.")]
    NoSuchPath,
    /// Use one of the methods in `Allow`.
    #[error("This path does not take this method; the header Allow tells which it takes.")]
    MethodNotAllowed,
    /// Send JSON and say so.
    #[error("The body must be JSON, and Content-Type must say application/json.")]
    NotJson,
    /// Correct the syntax.
    #[error("The body is not JSON: {reason}.")]
    MalformedJson {
        /// What the parser found, with line and column.
        reason: String,
    },
    /// Correct the field.
    #[error("{}: {}", if .0.pointer.is_empty() { "The body" } else { &.0.pointer }, .0.message)]
    Field(FieldError),
    /// Send less.
    #[error("The body is larger than {limit} bytes.")]
    TooLarge {
        /// Most bytes of a body.
        limit: usize,
    },
    /// Send it again; it did not arrive whole.
    #[error("The body did not arrive whole.")]
    CutBody,
    /// Correct the query.
    #[error("The query is not valid: {reason}.")]
    MalformedQuery {
        /// What the parser found.
        reason: String,
    },
    /// Correct the header.
    #[error("The header {header} {reason}.")]
    MalformedHeader {
        /// Its name.
        header: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Ask again in a while; look first, where the request was a write.
    #[error(
        "This took too long and was given up. If it was to change something, look whether it did."
    )]
    TimedOut,
    /// Set it up first.
    #[error("Proximity is not set up yet; open /setup at this address in a browser.")]
    NotConfigured,
    /// Ask another replica, or again in a while.
    #[error("The service is about to stop.")]
    Stopping,
    /// Nothing that the sender could do.
    #[error("Something went wrong inside Proximity; its log tells more under this request id.")]
    Panicked,
}

impl Error {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Control(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MalformedJson { .. }
            | Self::CutBody
            | Self::MalformedQuery { .. }
            | Self::MalformedHeader { .. } => StatusCode::BAD_REQUEST,
            Self::Field(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::NotConfigured | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The kind of problem, for a program.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Control(error) => error.code(),
            Self::NoSuchPath => "no_such_path",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotJson => "unsupported_media_type",
            Self::MalformedJson { .. } => "malformed_json",
            Self::Field(_) => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::CutBody => "cut_body",
            Self::MalformedQuery { .. } => "malformed_query",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::TimedOut => "timed_out",
            Self::NotConfigured => "not_configured",
            Self::Stopping => "stopping",
            Self::Panicked => "internal",
        }
    }

    /// The kind of problem, in a few words.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Control(error) => error.title(),
            Self::NoSuchPath => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NotJson => "Not JSON",
            Self::MalformedJson { .. } | Self::CutBody => "Malformed body",
            Self::Field(_) => "Not valid",
            Self::TooLarge { .. } => "Body too large",
            Self::MalformedQuery { .. } => "Malformed query",
            Self::MalformedHeader { .. } => "Malformed header",
            Self::TimedOut => "Took too long",
            Self::NotConfigured => "Not set up",
            Self::Stopping => "Service is stopping",
            Self::Panicked => "Internal error",
        }
    }

    /// What is wrong with which field of the body.
    pub(crate) fn fields(&self) -> &[FieldError] {
        match self {
            Self::Control(error) => error.fields(),
            Self::Field(error) => std::slice::from_ref(error),
            _ => &[],
        }
    }
}

impl IntoResponse for Error {
    /// The status alone; the body is written by [`crate::layer::write_problems`], which knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
