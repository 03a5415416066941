//! What a process believes the time to be.

use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::pace::Pace;

/// The clock of one process and its children. At [`Pace::Instant`] a `sleep 60` returns at once and moves this
/// clock by a minute, so that a script that counts seconds comes to its end as it would in a minute.
#[derive(Debug)]
pub(crate) struct Clock {
    pace: Pace,
    started: Instant,
    slept: watch::Sender<Duration>,
}

impl Clock {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            started: Instant::now(),
            slept: watch::Sender::new(Duration::ZERO),
        }
    }

    /// `sleep(1)`.
    pub(crate) async fn sleep(&self, time: Duration) {
        if !self.pace.is_realistic() {
            self.slept.send_modify(|slept| *slept += time);
        }
        // Others get to run before the sleeper does: somebody may be waiting for this time to pass.
        self.pace.take(time).await;
    }

    /// Time since the process began, as it sees it.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed() + *self.slept.borrow()
    }

    /// Returns when the process believes that `deadline` (on the scale of [`Clock::elapsed`]) has come.
    pub(crate) async fn reaches(&self, deadline: Duration) {
        let mut slept = self.slept.subscribe();
        loop {
            let now = self.elapsed();
            let Some(left) = deadline.checked_sub(now).filter(|left| !left.is_zero()) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender lives in `self`, so this cannot end with an error.
                _ = slept.changed() => {}
            }
        }
    }

    /// Time of day, as the process sees it.
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::now() + *self.slept.borrow()
    }
}
