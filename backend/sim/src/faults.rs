//! What goes wrong, and when: the list that a test sets and that every part of the simulation asks.
//!
//! A fault waits at a named place (`create_container`, `pull`, …). Whoever gets to that place calls
//! [`Faults::take`] and plays what it is handed. This module knows the names and counts down; it does not
//! know what a fault looks like from outside.

mod action;

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use action::{Action, GUEST_PLACES, REST_PLACES, actions_at};

use crate::visits::{Visit, Visits};

/// One line of `PUT /sim/faults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The place; one of [`REST_PLACES`] or [`GUEST_PLACES`].
    pub on: String,
    /// What happens there.
    #[serde(rename = "do")]
    pub action: Action,
    /// How many get past unharmed before it begins.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u32,
    /// How often; absent is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Only on this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only for this guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    /// Text to use in place of the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Rule {
    /// A rule that holds everywhere and always.
    pub fn new(on: &str, action: Action) -> Self {
        Self {
            on: on.to_owned(),
            action,
            after: 0,
            times: None,
            node: None,
            vmid: None,
            message: None,
        }
    }

    /// The same rule, good for `times` uses.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same rule, once so many have got past.
    #[must_use]
    pub fn after(mut self, after: u32) -> Self {
        self.after = after;
        self
    }

    /// The same rule, only on one node.
    #[must_use]
    pub fn node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// The same rule, only for one guest.
    #[must_use]
    pub fn vmid(mut self, vmid: u32) -> Self {
        self.vmid = Some(vmid);
        self
    }

    /// The same rule with a text of its own.
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }

    fn fits(&self, on: &str, node: Option<&str>, vmid: Option<u32>) -> bool {
        self.on == on
            && self.times != Some(0)
            && self
                .node
                .as_deref()
                .is_none_or(|wanted| node == Some(wanted))
            && self.vmid.is_none_or(|wanted| vmid == Some(wanted))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What [`Faults::take`] hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is to happen.
    pub action: Action,
    /// Text to use in place of the usual one.
    pub message: Option<String>,
    /// Which rules it comes from: they may have been replaced before somebody hangs on it.
    generation: u64,
}

impl Fault {
    /// The fault's own text, else the usual one.
    pub fn text(&self, usual: &str) -> String {
        self.message.clone().unwrap_or_else(|| usual.to_owned())
    }
}

/// A rule that could never do anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongRule {
    /// There is no place of this name.
    UnknownPlace(String),
    /// This action means nothing at this place.
    Pointless(String, Action),
}

impl std::fmt::Display for WrongRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownPlace(place) => write!(f, "there is no place '{place}' for a fault"),
            Self::Pointless(place, action) => {
                write!(f, "{action:?} means nothing at the place '{place}'")
            }
        }
    }
}

impl std::error::Error for WrongRule {}

/// The faults of one simulated cluster; shared by all its parts.
#[derive(Debug)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    visits: Visits,
    generation: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rules: Mutex::default(),
            visits: Visits::default(),
            generation: watch::Sender::new(0),
        }
    }
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces all rules and lets go of everything that hangs.
    pub fn set(&self, rules: Vec<Rule>) -> Result<(), WrongRule> {
        for rule in &rules {
            let on = rule.on.as_str();
            if !REST_PLACES.contains(&on) && !GUEST_PLACES.contains(&on) {
                return Err(WrongRule::UnknownPlace(rule.on.clone()));
            }
            if !action::is_played_at(on, rule.action) {
                return Err(WrongRule::Pointless(rule.on.clone(), rule.action));
            }
        }
        let mut current = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        *current = rules;
        // Under the same lock: whoever takes a fault knows whose it is.
        self.generation.send_modify(|generation| *generation += 1);
        Ok(())
    }

    /// The rules as they stand, with what is left of their `times`.
    pub fn rules(&self) -> Vec<Rule> {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How often anybody has come to any place since the start.
    pub fn visited(&self) -> u64 {
        self.visits.count()
    }

    /// Who has come where after the first `after` visits, in order, as far back as is remembered.
    pub fn visits(&self, after: u64) -> Vec<Visit> {
        self.visits.after(after)
    }

    /// The first fault that waits at this place, counted down.
    pub fn take(&self, on: &str, node: Option<&str>, vmid: Option<u32>) -> Option<Fault> {
        self.take_if(on, node, vmid, |_| true)
    }

    /// As [`Faults::take`], but only a fault whose action is wanted; others stay untouched.
    pub fn take_if(
        &self,
        on: &str,
        node: Option<&str>,
        vmid: Option<u32>,
        wanted: impl Fn(Action) -> bool,
    ) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the same lock: the order of visits is the order in which rules are used up.
        self.visits.add(on, node, vmid);
        let rule = rules.iter_mut().find_map(|rule| {
            if !rule.fits(on, node, vmid) || !wanted(rule.action) {
                return None;
            }
            if rule.after > 0 {
                rule.after -= 1;
                return None;
            }
            Some(rule)
        })?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(Fault {
            action: rule.action,
            message: rule.message.clone(),
            generation: *self.generation.borrow(),
        })
    }

    /// Returns when the rules that a fault comes from are replaced; what a hanging call waits for.
    pub async fn lets_go(&self, fault: &Fault) {
        let mut generation = self.generation.subscribe();
        let later = |generation: &u64| *generation != fault.generation;
        // An error means that the sender is gone, which cannot be while `self` is borrowed.
        let _ = generation.wait_for(later).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_down_and_matches_node_and_guest() {
        let faults = Faults::new();
        faults
            .set(vec![
                Rule::new("pull", Action::RateLimit).times(1).vmid(101),
                Rule::new("pull", Action::NotFound).node("pve2"),
            ])
            .unwrap();
        assert_eq!(faults.take("pull", Some("pve1"), Some(100)), None);
        let first = faults.take("pull", Some("pve1"), Some(101)).unwrap();
        assert_eq!(first.action, Action::RateLimit);
        assert_eq!(faults.take("pull", Some("pve1"), Some(101)), None);
        for _ in 0..3 {
            let other = faults.take("pull", Some("pve2"), Some(101)).unwrap();
            assert_eq!(other.action, Action::NotFound);
        }
    }

    #[test]
    fn every_place_has_its_actions_and_they_are_accepted() {
        let faults = Faults::new();
        for place in REST_PLACES.iter().chain(GUEST_PLACES) {
            assert!(!actions_at(place).is_empty(), "{place}");
            for action in actions_at(place) {
                faults.set(vec![Rule::new(place, *action)]).unwrap();
            }
        }
    }

    #[test]
    fn lets_some_pass_and_remembers_who_came() {
        let faults = Faults::new();
        let rule = Rule::new("pull", Action::NotFound).after(1).times(1);
        faults.set(vec![rule]).unwrap();
        assert_eq!(faults.take("pull", None, Some(100)), None);
        assert_eq!(faults.take("up", None, Some(100)), None);
        assert!(faults.take("pull", None, Some(100)).is_some());
        assert_eq!(faults.take("pull", None, Some(100)), None);
        let places: Vec<String> = faults.visits(1).into_iter().map(|visit| visit.on).collect();
        assert_eq!(places, ["up", "pull", "pull"]);
        assert_eq!(faults.visited(), 4);
    }

    #[tokio::test]
    async fn a_fault_lets_go_even_if_its_rule_went_before_anybody_hung() {
        let faults = Faults::new();
        faults.set(vec![Rule::new("pull", Action::Hang)]).unwrap();
        let fault = faults.take("pull", None, None).unwrap();
        {
            let hangs = std::pin::pin!(faults.lets_go(&fault));
            assert!(futures::poll!(hangs).is_pending());
        }
        faults.set(Vec::new()).unwrap();
        faults.lets_go(&fault).await;
    }

    #[test]
    fn reads_the_public_form_and_refuses_unknown_places() {
        let rule: Rule = serde_json::from_str(
            r#"{"on":"create_container","do":"answer_lost","times":1,"node":"pve2"}"#,
        )
        .unwrap();
        assert_eq!(
            rule,
            Rule::new("create_container", Action::AnswerLost)
                .times(1)
                .node("pve2")
        );
        assert!(serde_json::from_str::<Rule>(r#"{"on":"pull","do":"explode"}"#).is_err());
        let faults = Faults::new();
        let wrong = [
            Rule::new("nowhere", Action::Fail),
            Rule::new("version", Action::Vfs),
            Rule::new("pull", Action::AnswerLost),
        ];
        for rule in wrong {
            assert!(faults.set(vec![rule]).is_err());
        }
    }
}
