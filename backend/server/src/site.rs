//! What every handler can reach.

use axum::extract::FromRef;
use control::Control;
use tokio::time::Instant;

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct Site {
    /// The application.
    pub(crate) control: Control,
    /// When the router was made: as good as when the service started.
    pub(crate) started: Instant,
}

impl FromRef<Site> for Control {
    fn from_ref(site: &Site) -> Self {
        site.control.clone()
    }
}
