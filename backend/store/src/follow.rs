//! Following events as they come.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use crate::{EventFilter, Events, Result, Store};

/// How often a follower looks for events that another replica wrote.
const LOOK: Duration = Duration::from_secs(1);
/// Most events that are handed over at once.
const BATCH: u64 = 200;

/// Hands over events in order, from a place on, without end. Dropping it is all that is needed to stop.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    filter: EventFilter,
    after: i64,
    newest: watch::Receiver<i64>,
}

impl Events<'_> {
    /// Follows the events after the one with the number `id`: first those that are there, then each as it comes.
    pub fn follow(&self, id: i64, filter: EventFilter) -> Follower {
        let store = self.0.clone();
        // Subscribed before the first look, so that nothing falls in between.
        let newest = store.inner.newest_event.subscribe();
        Follower {
            store,
            filter,
            after: id,
            newest,
        }
    }
}

impl Follower {
    /// The next events, at least one. Waits for it; may be dropped while it waits and called again.
    pub async fn next(&mut self) -> Result<Vec<api::Event>> {
        loop {
            self.newest.borrow_and_update();
            let events = self
                .store
                .events()
                .after(self.after, self.filter, BATCH)
                .await?;
            if let Some(last) = events.last() {
                self.after = last.id;
                return Ok(events);
            }
            // Whichever comes first, it is only a reason to look again.
            let _ = timeout(LOOK, self.newest.changed()).await;
        }
    }

    /// Number of the last event that was handed over: where another follower would go on.
    pub fn position(&self) -> i64 {
        self.after
    }
}
