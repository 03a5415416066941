//! Following events as they come.

use std::sync::Arc;

use tokio::{sync::watch, time::timeout};

use crate::{
    EventFilter, Events, Result, Store,
    feed::{Found, LOOK},
};

/// Most events that are handed over at once.
const BATCH: usize = 200;

/// Hands over events in order, from a place on, without end. Dropping it is all that is needed to stop.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    filter: EventFilter,
    /// The last event that was handed over.
    after: i64,
    /// Up to here there is nothing else for this follower.
    seen: i64,
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
            seen: id,
            newest,
        }
    }
}

impl Follower {
    /// The next events, at least one. Waits for it; may be dropped while it waits and called again.
    pub async fn next(&mut self) -> Result<Vec<Arc<api::Event>>> {
        loop {
            let known = *self.newest.borrow_and_update();
            // On the heap while it lasts: most followers only wait, and there may be many.
            Box::pin(self.store.inner.feed.look(&self.store, known)).await?;
            let events = Box::pin(self.found()).await?;
            if let Some(last) = events.last() {
                self.after = last.id;
                return Ok(events);
            }
            // Whichever comes first, it is only a reason to look again.
            let _ = timeout(LOOK, self.newest.changed()).await;
        }
    }

    /// What there is for this follower now.
    async fn found(&mut self) -> Result<Vec<Arc<api::Event>>> {
        let until = match self.store.inner.feed.after(self.seen, self.filter, BATCH) {
            Found::Events(events, until) => {
                self.seen = until;
                return Ok(events);
            }
            Found::Behind(until) => until,
        };
        let limit = u64::try_from(BATCH).unwrap_or(u64::MAX);
        let events = self.store.events();
        let events = events.after(self.seen, self.filter, limit).await?;
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let last = events.last().map_or(self.seen, |event| event.id);
        // Fewer than asked for are all that there are, and they were read after the feed was.
        self.seen = if events.len() < BATCH {
            last.max(until)
        } else {
            last
        };
        Ok(events)
    }

    /// Number of the last event that was handed over: where another follower would go on.
    pub fn position(&self) -> i64 {
        self.after
    }
}
