//! Why a call did not succeed, named by what the caller can do about it.

use std::collections::BTreeMap;

use crate::Upid;

/// Why a call did not succeed. Texts are Proxmox's own words where it said any; none contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No host answered. Nothing was changed: safe to retry.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host asked, or all of them.
        host: String,
        /// What the connection said.
        reason: String,
    },
    /// A change was sent and its outcome is not known. Look whether it happened before trying again.
    #[error("it is not known whether {call} was done: {reason}")]
    Unknown {
        /// Method and path.
        call: String,
        /// How the answer was lost.
        reason: String,
    },
    /// The credentials were refused (401), or a second factor is asked for.
    #[error("not authenticated: {message}")]
    Unauthenticated {
        /// Proxmox's words.
        message: String,
    },
    /// The identity may not do this (403). The text names the missing privilege.
    #[error("not allowed: {message}")]
    Forbidden {
        /// Proxmox's words.
        message: String,
    },
    /// Somebody else has this VMID. Take another one.
    #[error("the VMID is taken: {message}")]
    VmidTaken {
        /// Proxmox's words, which name the guest and its node.
        message: String,
    },
    /// The container, task, storage or node does not exist.
    #[error("not found: {what}")]
    NotFound {
        /// Proxmox's words.
        what: String,
    },
    /// Another operation holds the container. Wait, then retry.
    #[error("locked ({lock}): {message}")]
    Locked {
        /// The lock's kind (`create`, `backup`, `disk`, …), or `file` when the configuration file itself was busy.
        lock: String,
        /// Proxmox's words.
        message: String,
    },
    /// The container runs: there is nothing to start, or it has to be stopped first.
    #[error("the container is running")]
    AlreadyRunning,
    /// The container does not run.
    #[error("the container is not running")]
    NotRunning,
    /// The cluster has lost its quorum and takes no changes. Wait for it, or tell a person.
    #[error("the cluster has no quorum")]
    NoQuorum,
    /// The host that was asked cannot reach the node; nothing was changed. Retry later, or take another node.
    #[error("node {node} does not answer: {message}")]
    NodeOffline {
        /// The node named in the call.
        node: String,
        /// What the host said about it.
        message: String,
    },
    /// Parameters are wrong, here or in Proxmox's eyes (400). Repeating it does not help.
    #[error("{}", invalid_text(message, errors))]
    Invalid {
        /// The whole in a sentence.
        message: String,
        /// Parameter name to what is wrong with it.
        errors: BTreeMap<String, String>,
    },
    /// Any other refusal.
    #[error("refused ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Proxmox's words.
        message: String,
    },
    /// The task ran and failed.
    #[error("task {} failed: {reason}", upid.kind())]
    TaskFailed {
        /// Which task.
        upid: Upid,
        /// Its exit status.
        reason: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The task still ran when the deadline came. It goes on running.
    #[error("task {} did not end in time", upid.kind())]
    TaskTimeout {
        /// Which task.
        upid: Upid,
    },
    /// The answer to a read is not what Proxmox answers.
    #[error("{call} answered nonsense: {reason}")]
    Malformed {
        /// Method and path.
        call: String,
        /// Which field and why.
        reason: String,
    },
    /// The connection is not trusted: another certificate than the pinned one, an unknown issuer, or no TLS at all.
    #[error("{host} is not trusted: {reason}")]
    Tls {
        /// The host asked.
        host: String,
        /// What is wrong, with the fingerprint seen where there is one.
        reason: String,
    },
}

impl Error {
    /// Nothing was changed and the same call may succeed later without anybody doing something.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NodeOffline { .. })
    }

    /// One wrong parameter, found before anything was sent.
    pub(crate) fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self::Invalid {
            message: "Parameter verification failed.".to_owned(),
            errors: BTreeMap::from([(name.to_owned(), message.into())]),
        }
    }
}

fn invalid_text(message: &str, errors: &BTreeMap<String, String>) -> String {
    let fields: Vec<String> = errors
        .iter()
        .map(|(name, text)| format!("{name}: {text}"))
        .collect();
    match (message.is_empty(), fields.is_empty()) {
        (_, true) => message.to_owned(),
        (true, false) => fields.join("; "),
        (false, false) => format!("{message} {}", fields.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_names_its_parameters() {
        assert_eq!(
            Error::parameter("hostname", "no underscore").to_string(),
            "Parameter verification failed. hostname: no underscore"
        );
        let bare = Error::Invalid {
            message: "wrong".to_owned(),
            errors: BTreeMap::new(),
        };
        assert_eq!(bare.to_string(), "wrong");
    }
}
