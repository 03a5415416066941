//! What can go wrong when somebody asks, by what they can do about it.

use std::time::Duration;

use api::{FieldError, OperationId, OperationKind, Scope};
use saga::Failure;

use crate::failures;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Log in, or send a token that is valid.
    #[error("Log in, or send an API token that is valid.")]
    Unauthenticated,
    /// Send the CSRF token that came with the session.
    #[error("A write that a cookie authenticates needs the session's token in X-CSRF-Token.")]
    BadCsrf,
    /// Ask somebody who may.
    #[error("This needs the scope `{scope}`.")]
    Forbidden {
        /// What is missing.
        scope: Scope,
    },
    /// Look up what there is.
    #[error("There is no such {what}.")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// Wait for the operation that is under way, or cancel it.
    #[error("`{app}` is busy: operation {operation} ({kind}) is not over yet.")]
    Busy {
        /// The operation that is under way.
        operation: OperationId,
        /// What it does.
        kind: OperationKind,
        /// The app's name.
        app: String,
    },
    /// Choose another name.
    #[error("There is an app named `{name}` already.")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The thing is not in the state that this needs.
    #[error("{message}")]
    Conflict {
        /// For a program.
        code: &'static str,
        /// For a person.
        message: String,
    },
    /// Use a new idempotency key for a new request.
    #[error("This Idempotency-Key was used with another request.")]
    IdempotencyMismatch,
    /// Correct the fields.
    #[error("{}", summary(.errors))]
    Invalid {
        /// What is wrong with which.
        errors: Vec<FieldError>,
    },
    /// Wait a little.
    #[error("Too many attempts; try again in {} seconds.", .retry_after.as_secs().max(1))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Something that Proximity depends on did not do its part; the failure explains it.
    #[error("{}", .0.message)]
    Unavailable(Failure),
    /// A fault of Proximity or its database; told in the log, never to a caller.
    #[error("Something went wrong inside Proximity; its log tells more under this request id.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The HTTP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::BadCsrf | Self::Forbidden { .. } => 403,
            Self::NotFound { .. } => 404,
            Self::Busy { .. } | Self::NameTaken { .. } | Self::Conflict { .. } => 409,
            Self::IdempotencyMismatch | Self::Invalid { .. } => 422,
            Self::TooMany { .. } => 429,
            Self::Internal(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// The kind of problem, for a program.
    pub fn code(&self) -> &str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::BadCsrf => "csrf_token_missing",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Busy { .. } => "app_busy",
            Self::NameTaken { .. } => "name_taken",
            Self::Conflict { code, .. } => code,
            Self::IdempotencyMismatch => "idempotency_key_reused",
            Self::Invalid { .. } => "invalid",
            Self::TooMany { .. } => "too_many_attempts",
            Self::Unavailable(failure) => &failure.code,
            Self::Internal(_) => "internal",
        }
    }

    /// The kind of problem, in a few words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Unavailable(failure) if failure.code == "database_unavailable" => {
                "Database cannot be used"
            }
            Self::Unauthenticated => "Not logged in",
            Self::BadCsrf => "CSRF token missing",
            Self::Forbidden { .. } => "Not allowed",
            Self::NotFound { .. } => "Not found",
            Self::Busy { .. } => "App is busy",
            Self::NameTaken { .. } => "Name is taken",
            Self::Conflict { .. } => "Not possible now",
            Self::IdempotencyMismatch => "Idempotency key reused",
            Self::Invalid { .. } => "Not valid",
            Self::TooMany { .. } => "Too many attempts",
            Self::Unavailable(_) => "Cluster did not do its part",
            Self::Internal(_) => "Internal error",
        }
    }

    /// This occurrence, in a sentence; with a hint where there is one.
    pub fn detail(&self) -> String {
        match self {
            Self::Unavailable(Failure {
                message,
                hint: Some(hint),
                ..
            }) => format!("{message} {hint}"),
            other => other.to_string(),
        }
    }

    /// What is wrong with which field.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid { errors } => errors,
            _ => &[],
        }
    }

    /// One field is wrong.
    pub(crate) fn field(pointer: &str, message: impl Into<String>) -> Self {
        let error = FieldError {
            pointer: pointer.to_owned(),
            message: message.into(),
        };
        Self::Invalid {
            errors: vec![error],
        }
    }
}

fn summary(errors: &[FieldError]) -> String {
    match errors {
        [only] => format!("{}: {}", only.pointer, only.message),
        [first, rest @ ..] => format!(
            "{}: {} (and {} more)",
            first.pointer,
            first.message,
            rest.len()
        ),
        [] => "The request is not valid.".to_owned(),
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound(what) => Self::NotFound { what },
            store::Error::Invalid(message) => Self::field("/cursor", message),
            store::Error::Unavailable(_) => Self::Unavailable(failures::database(&error)),
            error => Self::Internal(Box::new(error)),
        }
    }
}
