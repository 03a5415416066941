//! When to stop: at SIGINT or SIGTERM. The first asks, the second insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A token that fires at the first signal; at the second the process ends at once, as its owner insists.
pub(crate) fn on_signal(tracker: &TaskTracker) -> std::io::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let token = CancellationToken::new();
    let asked = token.clone();
    tracker.spawn(async move {
        loop {
            tokio::select! {
                () = asked.cancelled() => return,
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping: operations are parked and go on at the next start");
            asked.cancel();
        }
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_by_itself_ends_the_listener() {
        let tracker = TaskTracker::new();
        let token = on_signal(&tracker).unwrap();
        token.cancel();
        tracker.close();
        tracker.wait().await;
    }
}
