//! What every handler can reach.

use axum::extract::FromRef;
use control::Control;
use tokio::time::Instant;

use crate::{extract::Proxies, web::Web};

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct Site {
    /// The application.
    pub(crate) control: Control,
    /// When the router was made: as good as when the service started.
    pub(crate) started: Instant,
    /// What pages are made with.
    pub(crate) web: Web,
    /// Whose word is taken for where a request comes from.
    pub(crate) proxies: Proxies,
}

impl FromRef<Site> for Control {
    fn from_ref(site: &Site) -> Self {
        site.control.clone()
    }
}

impl FromRef<Site> for Web {
    fn from_ref(site: &Site) -> Self {
        site.web.clone()
    }
}

impl FromRef<Site> for Proxies {
    fn from_ref(site: &Site) -> Self {
        site.proxies.clone()
    }
}
