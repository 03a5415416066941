//! `flock(2)`: advisory locks that belong to open files and end when the last descriptor is closed.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Held {
    exclusive: Option<u64>,
    shared: HashSet<u64>,
}

impl Held {
    fn release(&mut self, holder: u64) {
        if self.exclusive == Some(holder) {
            self.exclusive = None;
        }
        self.shared.remove(&holder);
    }

    fn admits(&self, holder: u64, exclusive: bool) -> bool {
        let others_exclusive = self.exclusive.is_some_and(|other| other != holder);
        let others_shared = self.shared.iter().any(|other| *other != holder);
        let in_the_way = others_exclusive || (exclusive && others_shared);
        !in_the_way
    }
}

/// The lock table of one machine: which open file holds which file.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: Mutex<HashMap<u64, Held>>,
    released: Notify,
}

impl Locks {
    /// Takes a lock if nobody else is in the way.
    pub(crate) fn try_lock(&self, file: u64, holder: u64, exclusive: bool) -> bool {
        let mut table = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = table.entry(file).or_default();
        if !held.admits(holder, exclusive) {
            return false;
        }
        held.release(holder);
        if exclusive {
            held.exclusive = Some(holder);
        } else {
            held.shared.insert(holder);
        }
        true
    }

    /// Waits for a lock.
    pub(crate) async fn lock(&self, file: u64, holder: u64, exclusive: bool) {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            // Registered before looking, so that a release in between is not missed.
            released.as_mut().enable();
            if self.try_lock(file, holder, exclusive) {
                return;
            }
            released.await;
        }
    }

    /// Gives up whatever the open file holds.
    pub(crate) fn unlock(&self, file: u64, holder: u64) {
        let mut table = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = table.get_mut(&file) {
            held.release(holder);
        }
        drop(table);
        self.released.notify_waiters();
    }
}
