//! How often somebody may fail to log in. What an address or a name used up comes back by itself: nobody is locked out
//! for ever, and nobody can lock out somebody else, for what counts against a name counts per address.
//!
//! ```text
//!   address            20 failures, one more every 15 s
//!   name at an address  5 failures, one more every minute; 1 while the name is under attack
//!   name anywhere      50 failures, one more every 15 s; none left: the name is under attack
//! ```
//!
//! Counts live in memory, for this process alone, and know nothing of what was typed besides the name.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::error::Error;

/// For an address, whatever name it tries.
const ADDRESS: Allowance = Allowance {
    most: 20,
    every: Duration::from_secs(15),
};
/// For a name at one address.
const HERE: Allowance = Allowance {
    most: 5,
    every: Duration::from_mins(1),
};
/// For a name at one address, while it is tried from everywhere.
const ATTACKED: Allowance = Allowance {
    most: 1,
    every: Duration::from_mins(1),
};
/// For a name, wherever it is tried.
const NAME: Allowance = Allowance {
    most: 50,
    every: Duration::from_secs(15),
};
/// Names and addresses that are remembered; more than a person's network has.
const REMEMBERED: usize = 20_000;
/// Most bytes of a name that are looked at.
const NAME_BYTES: usize = 200;

/// So many at once, and one more after each pause.
#[derive(Clone, Copy)]
struct Allowance {
    most: u32,
    every: Duration,
}

/// Failed logins of late.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    addresses: Failures<IpAddr>,
    names: Failures<String>,
    here: Failures<(IpAddr, String)>,
}

impl Guesses {
    /// Lets somebody try, or says how long to wait, in whole seconds. The attempt counts as a failure until
    /// [`take_back`](Self::take_back), so that many at once are no way around.
    fn begin(&self, from: IpAddr, name: &str, now: Instant) -> Result<(), Error> {
        let (from, name) = (network(from), known(name));
        let mut counts = self.counts();
        let attacked = counts.names.wait(&name, NAME, now).is_some();
        let here = if attacked { ATTACKED } else { HERE };
        let key = (from, name);
        let waits = [
            counts.addresses.wait(&from, ADDRESS, now),
            counts.here.wait(&key, here, now),
        ];
        if let Some(retry_after) = waits.into_iter().flatten().max() {
            // Rounded up, so that all who tell it tell the same, and nobody comes back too early.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            let retry_after = Duration::from_secs(seconds);
            return Err(Error::TooMany { retry_after });
        }
        counts.addresses.count(from, ADDRESS, now);
        counts.here.count(key.clone(), HERE, now);
        counts.names.count(key.1, NAME, now);
        Ok(())
    }

    /// The attempt was none, after all. With the right password, earlier failures of this name at this address are
    /// forgotten, too.
    fn take_back(&self, from: IpAddr, name: &str, was_right: bool) {
        let (from, name) = (network(from), known(name));
        let mut counts = self.counts();
        counts.addresses.take_back(&from, ADDRESS);
        counts.names.take_back(&name, NAME);
        let key = (from, name);
        if was_right {
            counts.here.0.remove(&key);
        } else {
            counts.here.take_back(&key, HERE);
        }
    }

    /// Lets somebody try, and counts what fails because it was wrong. What failed by no fault of theirs does not count.
    pub(crate) async fn attempt<T>(
        &self,
        from: IpAddr,
        name: &str,
        trying: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.begin(from, name, Instant::now())?;
        let tried = trying.await;
        if !matches!(tried, Err(Error::Unauthenticated)) {
            self.take_back(from, name, tried.is_ok());
        }
        tried
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the failures of each will be forgotten: each moves it by one pause (a leaky bucket kept as one time, as GCRA).
#[derive(Debug)]
struct Failures<K>(HashMap<K, Instant>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Failures<K> {
    /// How long until one more is allowed; nothing where it is allowed now.
    fn wait(&self, key: &K, of: Allowance, now: Instant) -> Option<Duration> {
        let forgotten = *self.0.get(key)?;
        let room = of.every * (of.most - 1);
        let wait = forgotten.saturating_duration_since(now + room);
        (!wait.is_zero()).then_some(wait)
    }

    fn count(&mut self, key: K, of: Allowance, now: Instant) {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let forgotten = self.0.entry(key).or_insert(now);
        // More than all is still all: an attack is forgotten soon after its end.
        *forgotten = ((*forgotten).max(now) + of.every).min(now + of.every * of.most);
    }

    fn take_back(&mut self, key: &K, of: Allowance) {
        if let Some(forgotten) = self.0.get_mut(key) {
            *forgotten -= of.every;
        }
    }

    /// Forgets what counts no longer; where that is nothing, the half that would be forgotten first.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, forgotten| *forgotten > now);
        if self.0.len() < REMEMBERED {
            return;
        }
        let mut times: Vec<_> = self.0.values().copied().collect();
        let middle = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(middle);
        let middle = *middle;
        self.0.retain(|_, forgotten| *forgotten > middle);
    }
}

/// What one household has: an IPv4 address, or the first 64 bits of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A name as it is counted, however long it is.
fn known(name: &str) -> String {
    let end = name.floor_char_boundary(NAME_BYTES);
    name.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wait(guesses: &Guesses, from: &str, name: &str, now: Instant) -> Option<Duration> {
        match guesses.begin(address(from), name, now) {
            Ok(()) => None,
            Err(Error::TooMany { retry_after }) => Some(retry_after),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_name_is_tried_five_times_from_an_address_and_then_once_a_minute() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(wait(&guesses, "10.0.0.1", "ann", start), None);
        }
        let pause = Duration::from_mins(1);
        assert_eq!(wait(&guesses, "10.0.0.1", "ann", start), Some(pause));
        // To be refused costs nothing more.
        assert_eq!(wait(&guesses, "10.0.0.1", "ann", start), Some(pause));
        // Nobody else is hurt: another address, another name.
        assert_eq!(wait(&guesses, "10.0.0.2", "ann", start), None);
        assert_eq!(wait(&guesses, "10.0.0.1", "bob", start), None);
        assert_eq!(wait(&guesses, "10.0.0.1", "ann", start + pause), None);
        assert_eq!(
            wait(&guesses, "10.0.0.1", "ann", start + pause),
            Some(pause)
        );
        // All is forgotten in the end.
        let later = start + pause * 6;
        for _ in 0..5 {
            assert_eq!(wait(&guesses, "10.0.0.1", "ann", later), None);
        }
    }

    #[test]
    fn an_address_that_tries_many_names_is_stopped() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for name in 0..20 {
            let name = name.to_string();
            assert_eq!(wait(&guesses, "2001:db8::1", &name, start), None);
        }
        // Of the same household.
        let wait_there = wait(&guesses, "2001:db8::ffff:1", "new", start);
        assert_eq!(wait_there, Some(Duration::from_secs(15)));
        assert_eq!(wait(&guesses, "2001:db8:0:1::1", "new", start), None);
    }

    #[test]
    fn a_name_that_is_tried_from_everywhere_can_still_be_logged_in_from_a_fresh_address() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for host in 0..60 {
            let from = format!("10.1.0.{host}");
            assert_eq!(wait(&guesses, &from, "ann", start), None);
        }
        assert!(wait(&guesses, "10.1.0.1", "ann", start).is_some(), "once");
        assert_eq!(wait(&guesses, "10.2.0.1", "ann", start), None);
        assert_eq!(wait(&guesses, "10.1.0.1", "bob", start), None);
    }

    #[test]
    fn the_right_password_takes_back_what_was_counted() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(wait(&guesses, "10.0.0.1", "ann", start), None);
            guesses.take_back(address("10.0.0.1"), "ann", true);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_are_kept() {
        let now = Instant::now();
        let mut failures = Failures::default();
        for _ in 0..3 {
            failures.count(u32::MAX, HERE, now);
        }
        for key in 0..u32::try_from(REMEMBERED * 2).unwrap() {
            failures.count(key, HERE, now);
        }
        assert!(failures.0.len() <= REMEMBERED, "{}", failures.0.len());
        let kept = failures.0[&u32::MAX];
        assert_eq!(kept - now, HERE.every * 3);
    }
}
