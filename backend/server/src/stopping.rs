//! Word that the service is about to stop, as requests get it.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio_util::sync::CancellationToken;

/// Trips when the service is about to stop: what would go on for ever ends then. [`crate::serve()`] puts it
/// into every request; a request that came another way never hears of a stop.
#[derive(Clone, Default)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

impl<S: Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
