//! Failed attempts at getting in, by who makes them: a few are free, then each costs a wait. Nobody is locked out for
//! ever, and the memory that it takes is bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::Error;

/// Failures that cost nothing.
const FREE: u32 = 5;
/// After how long one failure is forgiven.
const FORGIVEN: Duration = Duration::from_secs(10);
/// Longest wait: somebody who mistyped often is not kept out for long.
const LONGEST: Duration = Duration::from_mins(5);
/// Those who are remembered. When there are more, the one who would be forgiven first is forgotten.
const REMEMBERED: usize = 1024;

/// Failed attempts by whatever names who makes them.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// When all failures of somebody are forgiven.
    until: Mutex<HashMap<String, Instant>>,
}

impl Attempts {
    /// An error while this one has to wait.
    pub(crate) fn check(&self, who: &str) -> Result<(), Error> {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = until.get(who) else {
            return Ok(());
        };
        let debt = until.saturating_duration_since(Instant::now());
        match debt.checked_sub(FORGIVEN * FREE) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(retry_after) => Err(Error::TooMany { retry_after }),
        }
    }

    /// Remembers a failure.
    pub(crate) fn failed(&self, who: &str) {
        let now = Instant::now();
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= REMEMBERED && !until.contains_key(who) {
            until.retain(|_, until| *until > now);
            if until.len() >= REMEMBERED
                && let Some(first) = until.iter().min_by_key(|(_, until)| **until)
            {
                let first = first.0.clone();
                until.remove(&first);
            }
        }
        let until = until.entry(who.to_owned()).or_insert(now);
        *until = ((*until).max(now) + FORGIVEN).min(now + LONGEST);
    }

    /// Forgets the failures of somebody who got in.
    pub(crate) fn succeeded(&self, who: &str) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.remove(who);
    }
}

/// Names an address. One home has 2^64 addresses of version 6: they count as one.
pub(crate) fn from(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn some_failures_are_free_then_each_costs_a_wait() {
        let attempts = Attempts::default();
        for _ in 0..FREE {
            assert!(attempts.check("a").is_ok());
            attempts.failed("a");
        }
        assert!(attempts.check("a").is_ok());
        attempts.failed("a");
        assert!(matches!(attempts.check("a"), Err(Error::TooMany { .. })));
        assert!(attempts.check("b").is_ok(), "others do not wait");
        tokio::time::advance(FORGIVEN).await;
        assert!(attempts.check("a").is_ok());
        attempts.failed("a");
        attempts.succeeded("a");
        assert!(attempts.check("a").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_memory_is_bounded() {
        let attempts = Attempts::default();
        for _ in 0..10_000 {
            attempts.failed("a");
        }
        let Err(Error::TooMany { retry_after }) = attempts.check("a") else {
            panic!("no wait");
        };
        assert!(retry_after <= LONGEST);
        for number in 0..5_000 {
            attempts.failed(&number.to_string());
        }
        assert!(attempts.until.lock().unwrap().len() <= REMEMBERED);
        assert!(
            attempts.check("a").is_err(),
            "the worst is not the one forgotten"
        );
    }

    #[test]
    fn a_network_of_version_six_is_one() {
        let name = |text: &str| from(text.parse().unwrap());
        assert_eq!(name("2001:db8::1"), name("2001:db8::ffff:1"));
        assert_ne!(name("2001:db8::1"), name("2001:db8:0:1::1"));
        assert_eq!(name("::ffff:10.0.0.1"), "10.0.0.1");
    }
}
