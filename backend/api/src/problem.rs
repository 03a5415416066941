//! Errors on the wire: RFC 9457 problem details.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of every error answer, `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// URI of the kind of problem; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence in a sentence for a person.
    pub detail: String,
    /// The kind of problem for a program, e.g. `app_busy`.
    pub code: String,
    /// Names this request in the service's log.
    pub request_id: String,
    /// What is wrong with which field of the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, e.g. `/parameters/DB_PASSWORD`.
    pub pointer: String,
    /// What is wrong, in a sentence.
    pub message: String,
}
