//! How the nodes are reached: the user, the proof of who that is, and the limits.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How to reach every node of a cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account on the nodes. Anybody but `root` needs `sudo` without a password for `pct`.
    pub user: String,
    /// How the account is proven.
    pub auth: Auth,
    /// The time for name resolution, TCP, key exchange and authentication together.
    pub connect_timeout: Duration,
    /// The most connections that commands hold to one node at a time; further commands wait in the order they came.
    pub sessions_per_node: usize,
    /// After this much silence the kernel asks whether the other side is still there; three unanswered questions end
    /// the connection.
    pub keepalive: Duration,
}

impl Settings {
    /// Settings with the usual limits: 30 s to connect, six connections a node, a keepalive every 15 s.
    pub fn new(user: impl Into<String>, auth: Auth) -> Self {
        Self {
            user: user.into(),
            auth,
            connect_timeout: Duration::from_secs(30),
            sessions_per_node: 6,
            keepalive: Duration::from_secs(15),
        }
    }
}

/// The proof of who the user is. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A password; given to `keyboard-interactive` where the server has `password` switched off.
    Password(SecretString),
    /// A private key in a file, read anew for each connection, so that a replaced key is picked up.
    KeyFile {
        /// Where the file is.
        path: PathBuf,
        /// What opens it, if it is locked.
        passphrase: Option<SecretString>,
    },
    /// A private key in memory, in OpenSSH's own or in PEM format.
    Key {
        /// The text of the key.
        pem: SecretString,
        /// What opens it, if it is locked.
        passphrase: Option<SecretString>,
    },
}
