//! When to stop: at SIGINT or SIGTERM. The first asks, the second insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a shell tells of a program that SIGINT has ended.
const INTERRUPTED: i32 = 128 + 2;
/// What a shell tells of a program that SIGTERM has ended.
const TERMINATED: i32 = 128 + 15;

/// A token that fires at the first signal; at the second the process ends at once, as its owner insists.
pub(crate) fn on_signal(tracker: &TaskTracker) -> std::io::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let token = CancellationToken::new();
    let asked = token.clone();
    tracker.spawn(async move {
        tokio::select! {
            () = asked.cancelled() => return,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: operations are parked and go on at the next start");
        asked.cancel();
        #[expect(
            clippy::disallowed_methods,
            reason = "nobody waits for it: most stop after the first signal"
        )]
        tokio::spawn(async move {
            let code = tokio::select! {
                _ = interrupt.recv() => INTERRUPTED,
                _ = terminate.recv() => TERMINATED,
            };
            tracing::warn!("stopped at once: the next start goes on as after a crash");
            std::process::exit(code);
        });
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
