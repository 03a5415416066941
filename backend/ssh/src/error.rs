//! What can go wrong, named by what the caller can do about it.

use std::time::Duration;

use crate::{HostKey, Output};

/// Why a command gave no output. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, so nothing was sent: safe to try again.
    #[error("cannot reach {node} by SSH at {address}: {reason}")]
    Unreachable {
        /// The node's name.
        node: String,
        /// Host and port.
        address: String,
        /// What the network or the server said.
        reason: String,
    },
    /// The server is not the one that is expected. A person has to look: it may be a new installation or an attack.
    #[error(
        "the SSH host key of {node} is not the expected one: expected {}, seen {}; \
         if the node was installed anew, replace the pinned key", expected.fingerprint(), seen.fingerprint()
    )]
    HostKeyChanged {
        /// The node's name.
        node: String,
        /// The pinned key.
        expected: HostKey,
        /// The key that the server showed.
        seen: HostKey,
    },
    /// The server does not let this user in.
    #[error("{node} does not let {user} in by SSH: {reason}")]
    Denied {
        /// The node's name.
        node: String,
        /// Who asked.
        user: String,
        /// What was tried and what the server would accept.
        reason: String,
    },
    /// The private key of the settings cannot be used.
    #[error("the SSH private key cannot be used: {reason}")]
    BadKey {
        /// Which file, and what is wrong with it.
        reason: String,
    },
    /// The call itself is wrong: an empty command, a NUL in an argument, a path that is not absolute.
    #[error("{reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
    /// The cap on followed commands of this node is reached.
    #[error("too many logs of {node} are being followed; close some and try again")]
    Busy {
        /// The node's name.
        node: String,
    },
    /// The pool was closed: the process is stopping.
    #[error("SSH is shutting down")]
    Closed,
    /// The command was refused before it ran: nothing has happened in the container.
    #[error("{node} did not start the command: {message}")]
    NotStarted {
        /// The node's name.
        node: String,
        /// The exit code that came instead.
        code: i32,
        /// What the node said.
        message: String,
    },
    /// The container is not running: nothing has happened in it.
    #[error("container {vmid} is not running")]
    ContainerNotRunning {
        /// Which container.
        vmid: u32,
    },
    /// This node has no such container. It may have moved: ask where it is.
    #[error("container {vmid} is not on {node}")]
    NotOnThisNode {
        /// The node that was asked.
        node: String,
        /// Which container.
        vmid: u32,
    },
    /// The command ran and failed; only [`Output::ok`] and the calls that have no output say so.
    #[error("the command failed with exit code {code}: {message}")]
    Failed {
        /// Its exit code.
        code: i32,
        /// The last lines of what it said.
        message: String,
    },
    /// The command took longer than it may.
    #[error("the command did not finish within {} s", after.as_secs_f32())]
    TimedOut {
        /// The deadline.
        after: Duration,
        /// Whether the far side is known to have ended it; if not, it may run on for some seconds.
        ended: bool,
        /// What it said until then.
        output: Output,
    },
    /// The connection, or what ran in it, broke off after the command was sent: look what it did before trying again.
    #[error("the SSH connection to {node} was lost while a command ran: {reason}")]
    Cut {
        /// The node's name.
        node: String,
        /// What was seen.
        reason: String,
        /// What it said until then.
        output: Output,
    },
    /// SSH itself failed in a way that none of the others tells.
    #[error("SSH failed: {reason}")]
    Protocol {
        /// What libssh2 said.
        reason: String,
    },
}
