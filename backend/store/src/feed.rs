//! The newest events, kept for all who follow: a thousand followers ask the database as often as one does.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use crate::{EventFilter, Result, Store};

/// How often somebody looks for events that another replica wrote.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// Events that are kept. Whoever is further behind reads the database by itself.
const KEPT: usize = 1000;

/// What a process keeps for its followers. Nobody reads for it while nobody follows.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    recent: RwLock<Recent>,
    /// Held while reading: whoever comes meanwhile finds it done.
    reading: Mutex<()>,
}

/// All events after `floor` up to `until`.
#[derive(Debug, Default)]
struct Recent {
    /// When the database was last asked; `None` before the first time.
    looked: Option<Instant>,
    floor: i64,
    until: i64,
    events: VecDeque<Arc<api::Event>>,
}

/// What the feed says to a follower.
#[derive(Debug)]
pub(crate) enum Found {
    /// Its next events, and the number up to which there is nothing else for it.
    Events(Vec<Arc<api::Event>>, i64),
    /// It is too far behind. After it has read the database for itself, it has missed nothing up to this number.
    Behind(i64),
}

impl Feed {
    /// What comes after the event `seen`, up to `limit` events.
    pub(crate) fn after(&self, seen: i64, filter: EventFilter, limit: usize) -> Found {
        self.recent
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .after(seen, filter, limit)
    }

    /// Reads what is new, unless that was just done. `known` is the newest event that this process has heard of.
    pub(crate) async fn look(&self, store: &Store, known: i64) -> Result<()> {
        if self.is_fresh(known) {
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        if self.is_fresh(known) {
            return Ok(());
        }
        // What is found is as old as the question.
        let asked = Instant::now();
        let (is_first, until) = {
            let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
            (recent.looked.is_none(), recent.until)
        };
        let limit = u64::try_from(KEPT).unwrap_or(u64::MAX);
        let new = if is_first {
            None
        } else {
            let events = store.events();
            let new = events.after(until, EventFilter::default(), limit).await?;
            Some(new).filter(|new| new.len() < KEPT)
        };
        if let Some(new) = new {
            self.change(|recent| recent.extend(new, known, asked));
        } else {
            // Nobody has looked for long: it begins anew from here.
            let newest = store.events().newest().await?;
            self.change(|recent| *recent = Recent::empty(newest.max(known), asked));
        }
        self.tell(store);
        Ok(())
    }

    fn is_fresh(&self, known: i64) -> bool {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let is_young = |looked: Instant| looked.elapsed() < LOOK;
        recent.until >= known && recent.looked.is_some_and(is_young)
    }

    fn change(&self, change: impl FnOnce(&mut Recent)) {
        change(&mut self.recent.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Wakes the other followers when another replica's events were found.
    fn tell(&self, store: &Store) {
        let until = self
            .recent
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .until;
        store.heard_of(until);
    }
}

impl Recent {
    fn empty(newest: i64, asked: Instant) -> Self {
        Self {
            looked: Some(asked),
            floor: newest,
            until: newest,
            events: VecDeque::new(),
        }
    }

    fn after(&self, seen: i64, filter: EventFilter, limit: usize) -> Found {
        if seen < self.floor || self.looked.is_none() {
            return Found::Behind(self.until);
        }
        let from = self.events.partition_point(|event| event.id <= seen);
        let mut found = Vec::new();
        for event in self.events.range(from..) {
            if filter.takes(event) {
                found.push(event.clone());
                if found.len() == limit {
                    return Found::Events(found, event.id);
                }
            }
        }
        Found::Events(found, self.until.max(seen))
    }

    /// `known` was heard of before the question: what is not in the answer up to there is not there any more.
    fn extend(&mut self, new: Vec<api::Event>, known: i64, asked: Instant) {
        self.looked = Some(asked);
        let last = new.last().map_or(self.until, |event| event.id);
        self.until = last.max(known);
        self.events.extend(new.into_iter().map(Arc::new));
        while self.events.len() > KEPT {
            if let Some(dropped) = self.events.pop_front() {
                self.floor = dropped.id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use api::{AppId, EventKind, OperationId};
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn operation(number: u128) -> OperationId {
        OperationId::from_uuid(Uuid::from_u128(number))
    }

    /// Events of two operations in turns.
    fn events(ids: RangeInclusive<i64>) -> Vec<api::Event> {
        let event = |id: i64| api::Event {
            id,
            time: DateTime::UNIX_EPOCH,
            kind: EventKind::StepStarted,
            operation: operation(u128::from(id.unsigned_abs() % 2)),
            app: AppId::from_uuid(Uuid::nil()),
            step: None,
            message: None,
            data: None,
        };
        ids.map(event).collect()
    }

    fn ids(found: Found) -> (Vec<i64>, i64) {
        match found {
            Found::Events(events, until) => (events.iter().map(|event| event.id).collect(), until),
            Found::Behind(until) => panic!("behind {until}"),
        }
    }

    #[test]
    fn hands_over_what_is_meant_and_says_how_far_that_goes() {
        let mut recent = Recent::empty(10, Instant::now());
        recent.extend(events(11..=16), 0, Instant::now());
        let all = EventFilter::default();
        let even = EventFilter::operation(operation(0));
        assert_eq!(ids(recent.after(10, all, 3)), (vec![11, 12, 13], 13));
        assert_eq!(ids(recent.after(13, even, 3)), (vec![14, 16], 16));
        assert_eq!(ids(recent.after(14, even, 1)), (vec![16], 16));
        assert_eq!(ids(recent.after(16, all, 3)), (vec![], 16));
        // Whoever knows more than we do has missed nothing.
        assert_eq!(ids(recent.after(20, all, 3)), (vec![], 20));
    }

    #[test]
    fn whoever_is_behind_what_is_kept_is_told() {
        let kept = i64::try_from(KEPT).unwrap();
        let mut recent = Recent::empty(0, Instant::now());
        recent.extend(events(1..=kept), 0, Instant::now());
        assert_eq!(ids(recent.after(0, EventFilter::default(), 1)).0, [1]);
        recent.extend(events(kept + 1..=kept + 5), 0, Instant::now());
        let behind = recent.after(4, EventFilter::default(), 1);
        assert!(matches!(behind, Found::Behind(until) if until == kept + 5));
        assert_eq!(ids(recent.after(5, EventFilter::default(), 1)).0, [6]);
        assert!(matches!(
            Recent::default().after(0, EventFilter::default(), 1),
            Found::Behind(0)
        ));
    }
}
