//! How long a stream may go on.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use control::{Control, Shown};
use tokio::time::timeout;

use crate::stopping::Stopping;

/// How often it is looked whether whoever listens still may: their session ends, or a token is revoked in another
/// replica.
const LOOK: Duration = Duration::from_secs(15);

/// Until when a stream may go on: until the service stops, or whoever listens is not known any more by what they were
/// let in with. Named after the [`Caller`](super::Caller) or the viewer among a handler's arguments, who write that down.
pub(crate) struct Until {
    stopping: Stopping,
    listener: Option<(Control, Shown)>,
}

impl<S> FromRequestParts<S> for Until
where
    S: Send + Sync,
    Control: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(stopping) = Stopping::from_request_parts(parts, state).await;
        let shown = parts.extensions.get::<Shown>().cloned();
        let listener = shown.map(|shown| (Control::from_ref(state), shown));
        Ok(Self { stopping, listener })
    }
}

impl Until {
    /// Resolves when it is over.
    pub(crate) async fn over(self) {
        let Self { stopping, listener } = self;
        let is_lost = async {
            match listener {
                Some((control, shown)) => lost(&control, &shown).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stopping.0.cancelled() => {}
            () = is_lost => {}
        }
    }
}

#[cfg(test)]
impl From<Stopping> for Until {
    fn from(stopping: Stopping) -> Self {
        Self {
            stopping,
            listener: None,
        }
    }
}

/// Resolves when what somebody showed is good for nothing any more. A database that does not answer proves nothing.
async fn lost(control: &Control, shown: &Shown) {
    let mut ends = control.ends();
    loop {
        // What ends here is told; what ends elsewhere or by itself is seen by looking.
        let _ = timeout(LOOK, ends.changed()).await;
        if matches!(control.still_knows(shown).await, Ok(false)) {
            return;
        }
    }
}
