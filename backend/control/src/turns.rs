//! Turns: where only a few steps may work at the same time, the others wait here, in the order in which they came.
//!
//! Of this process alone; what all replicas count together is the database's (`store::Limits`). A step waits before
//! its time limit begins ([`saga::Step::turn`]) and holds nothing meanwhile that others need for theirs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use saga::Turn;
use tokio::sync::Semaphore;

/// All turns of this process.
#[derive(Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, Arc<Semaphore>>>);

impl Turns {
    /// The turn of one who wants to do `what`, e.g. `downloads on pve1`, of which only `most` are done at the same time.
    /// `tell` hears a sentence when that means waiting.
    pub(crate) async fn take(&self, what: &str, most: usize, tell: impl FnOnce(String)) -> Turn {
        let places = self.places(what, most);
        let free = places.clone().try_acquire_owned();
        let place = if let Ok(place) = free {
            place
        } else {
            tell(format!(
                "waiting for a turn: {what}, of which {most} may be at work at the same time"
            ));
            let place = places.acquire_owned().await;
            place.expect("the semaphore is never closed")
        };
        Turn::holding(place)
    }

    /// What nobody holds is forgotten on the way: there are as many as are in use.
    fn places(&self, what: &str, most: usize) -> Arc<Semaphore> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, places| Arc::strong_count(places) > 1);
        all.entry(what.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(most)))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_turn_is_waited_for_and_told() {
        let turns = Turns::default();
        let quiet = |text: String| panic!("nobody waits: {text}");
        let one = turns.take("downloads on pve1", 2, quiet).await;
        let _two = turns.take("downloads on pve1", 2, quiet).await;
        let _elsewhere = turns.take("downloads on pve2", 2, quiet).await;
        let mut told = String::new();
        let third = turns.take("downloads on pve1", 2, |text| told = text);
        let mut third = Box::pin(third);
        assert!(third.as_mut().now_or_never().is_none());
        drop(one);
        third.await;
        assert!(told.contains("downloads on pve1"), "{told}");
    }
}
