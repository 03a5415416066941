//! What goes wrong, and when: the list that a test sets and that every part of the simulation asks.
//!
//! A fault waits at a named place (`create_container`, `pull`, …). Whoever gets to that place calls
//! [`Faults::take`] and plays what it is handed. This module knows the names and counts down; it does not
//! know what a fault looks like from outside.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Places that answer over REST.
pub const REST_PLACES: &[&str] = &[
    "login",
    "version",
    "resources",
    "cluster_status",
    "node_status",
    "storages",
    "networks",
    "templates",
    "template_index",
    "download_template",
    "next_id",
    "create_container",
    "start_container",
    "shutdown_container",
    "stop_container",
    "delete_container",
    "container_config",
    "set_container_config",
    "container_status",
    "interfaces",
    "task_status",
    "task_log",
    "tasks",
    "stop_task",
];

/// Places in the SSH server and in the guests.
pub const GUEST_PLACES: &[&str] = &[
    "ssh_connect",
    "pct_exec",
    "apk",
    "docker_start",
    "docker_info",
    "smoke_test",
    "pull",
    "up",
    "health",
    "dhcp",
    "upload",
];

/// What happens at a place. Not every action means something at every place; see [`REST_PLACES`] and
/// [`GUEST_PLACES`] for where they attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// REST: 500 with Proxmox's text. SSH: connection or session refused.
    Refuse,
    /// REST: the call is accepted, its task ends with an error.
    FailInTask,
    /// REST: the call is accepted, its task runs until it is stopped or the faults change.
    HangInTask,
    /// REST: the call is carried out, the caller gets 596 instead of its answer.
    AnswerLost,
    /// REST: the caller gets 596 and nothing was done.
    LostBefore,
    /// Never answers until the faults change or the caller leaves.
    Hang,
    /// REST: the connection ends in the middle of the answer. SSH: the connection ends.
    Cut,
    /// REST: 401, as for an expired ticket.
    Unauthorized,
    /// REST: 403.
    Forbidden,
    /// Guest: the command fails with the text that the real one would give.
    Fail,
    /// `docker_info`: the storage driver is `vfs`.
    Vfs,
    /// `pull`: there is no such image.
    NotFound,
    /// `pull`: Docker Hub's rate limit.
    RateLimit,
    /// `pull`: the registry does not answer.
    RegistryDown,
    /// `pull`, `upload`: no space left on device.
    DiskFull,
    /// `pull`: a layer holds a user id that the container's id map does not cover.
    BadUid,
    /// `up`: the service starts and dies again and again.
    CrashLoop,
    /// `health`: the service answers 500 and its own health check says unhealthy.
    Unhealthy,
    /// `health`: nothing listens on the port.
    Refused,
    /// `dhcp`: no server answers, the guest gets no address.
    None,
}

impl Action {
    fn is_for_rest(self) -> bool {
        matches!(
            self,
            Self::FailInTask
                | Self::HangInTask
                | Self::AnswerLost
                | Self::LostBefore
                | Self::Unauthorized
                | Self::Forbidden
        )
    }
}

/// One line of `PUT /sim/faults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The place; one of [`REST_PLACES`] or [`GUEST_PLACES`].
    pub on: String,
    /// What happens there.
    #[serde(rename = "do")]
    pub action: Action,
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

/// What [`Faults::take`] hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is to happen.
    pub action: Action,
    /// Text to use in place of the usual one.
    pub message: Option<String>,
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
    generation: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rules: Mutex::default(),
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
            let rest = REST_PLACES.contains(&on);
            if !rest && !GUEST_PLACES.contains(&on) {
                return Err(WrongRule::UnknownPlace(rule.on.clone()));
            }
            let both = matches!(rule.action, Action::Refuse | Action::Hang | Action::Cut);
            if !both && rest != rule.action.is_for_rest() {
                return Err(WrongRule::Pointless(rule.on.clone(), rule.action));
            }
        }
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
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
        let rule = rules
            .iter_mut()
            .find(|rule| rule.fits(on, node, vmid) && wanted(rule.action))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(Fault {
            action: rule.action,
            message: rule.message.clone(),
        })
    }

    /// Returns when the rules are next replaced; what a hanging call waits for.
    pub async fn changed(&self) {
        let mut generation = self.generation.subscribe();
        // An error means that the sender is gone, which cannot be while `self` is borrowed.
        let _ = generation.changed().await;
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
