//! The client: what it is made of, and how a call goes through it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::endpoint::Endpoint;
use crate::fields::Reply;
use crate::request::Request;
use crate::session::Session;
use crate::transport::Transport;
use crate::{Error, Fingerprint, HostPort, Result, Upid};

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Hosts of one cluster. Any of them answers for all nodes; the first is asked first.
    pub hosts: Vec<HostPort>,
    /// Who asks.
    pub auth: Auth,
    /// Whom to trust.
    pub trust: Trust,
    /// For one request, connecting included. A host gives another node 30 seconds, so less than that makes its
    /// changes [`Error::Unknown`] without need.
    pub timeout: Duration,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Auth {
    /// By ticket. `root@pam` so is the only identity that may set every container feature.
    Password {
        /// `user@realm`.
        user: String,
        /// Its password.
        password: SecretString,
    },
    /// By API token.
    Token {
        /// `user@realm!name`.
        id: String,
        /// Shown once when the token was made.
        secret: SecretString,
    },
}

/// Whom to trust on the other end.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Hosts with one of these certificates. In a cluster every node has its own.
    Fingerprints(Vec<Fingerprint>),
    /// Hosts whose certificate was issued for their name by one of these (PEM; `/etc/pve/pve-root-ca.pem` of a cluster).
    CaFile(PathBuf),
    /// As the system does.
    System,
}

/// As whom a client acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `user@realm`, for a token with its name: `user@realm!name`.
    pub user: String,
    /// What kind of identity it is.
    pub kind: IdentityKind,
}

/// The kinds of identity that Proxmox treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// `root@pam` by ticket.
    Root,
    /// Any other user by ticket.
    User,
    /// An API token. Those of `root@pam` are not root either.
    Token,
}

impl Identity {
    fn of(auth: &Auth) -> Self {
        match auth {
            Auth::Password { user, .. } if user == "root@pam" => Self {
                user: user.clone(),
                kind: IdentityKind::Root,
            },
            Auth::Password { user, .. } => Self {
                user: user.clone(),
                kind: IdentityKind::User,
            },
            Auth::Token { id, .. } => Self {
                user: id.clone(),
                kind: IdentityKind::Token,
            },
        }
    }

    /// Whether it may set container features other than `nesting`: Proxmox compares the name with `root@pam`, nothing else.
    pub fn may_set_features(&self) -> bool {
        self.kind == IdentityKind::Root
    }
}

/// A client of one cluster. Clones share its connections and its login.
///
/// Dropping the future of a call that changes something leaves its outcome unknown, as a lost answer does.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    identity: Identity,
    session: Arc<Session>,
    transport: Transport,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("identity", &self.inner.identity)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the configuration and makes a client. Connects and logs in with the first call.
    pub fn new(config: Config) -> Result<Self> {
        let identity = Identity::of(&config.auth);
        let transport = Transport::new(config.hosts, &config.trust, config.timeout)?;
        let session = Arc::new(Session::new(config.auth)?);
        Ok(Self {
            inner: Arc::new(Inner {
                identity,
                session,
                transport,
            }),
        })
    }

    /// As whom this client acts.
    pub fn identity(&self) -> Identity {
        self.inner.identity.clone()
    }

    /// A client of each host alone, with the login that this one has: what one of them answers says nothing of
    /// the others.
    pub fn each_host(&self) -> Vec<(HostPort, Self)> {
        let Inner {
            identity,
            session,
            transport,
        } = &*self.inner;
        let alone = transport.each_host().into_iter();
        alone
            .map(|(host, transport)| {
                let inner = Inner {
                    identity: identity.clone(),
                    session: session.clone(),
                    transport,
                };
                let inner = Arc::new(inner);
                (host, Self { inner })
            })
            .collect()
    }

    /// Sends a request and brings its data, logging in as often as needed.
    ///
    /// A refused ticket (401) means that nothing was done, so even a change is sent again, once, with a new one.
    pub(crate) async fn call(&self, request: &Request) -> Result<Reply> {
        let Inner {
            session, transport, ..
        } = &*self.inner;
        let writes = request.endpoint().method() != reqwest::Method::GET;
        let mut spoiled = None;
        loop {
            let credentials = session.credentials(transport, writes, spoiled).await?;
            let answer = transport.exchange(request, Some(&credentials)).await?;
            if answer.status == 401 && spoiled.is_none() && credentials.login.is_some() {
                spoiled = credentials.login;
                continue;
            }
            return answer.into_reply(request);
        }
    }

    /// Sends a change that starts a task.
    pub(crate) async fn start(&self, request: &Request) -> Result<Upid> {
        let reply = self.call(request).await?;
        // The change was accepted; only its name is lost.
        reply.parse().map_err(|error| Error::Unknown {
            call: request.call(),
            reason: error.to_string(),
        })
    }

    /// Asks for something that has no parameters.
    pub(crate) async fn get(&self, endpoint: Endpoint) -> Result<Reply> {
        self.call(&Request::new(endpoint)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(auth: &Auth) -> (IdentityKind, bool) {
        let identity = Identity::of(auth);
        (identity.kind, identity.may_set_features())
    }

    #[test]
    fn only_the_ticket_of_root_is_root() {
        let password = |user: &str| Auth::Password {
            user: user.to_owned(),
            password: "x".into(),
        };
        assert_eq!(identity(&password("root@pam")), (IdentityKind::Root, true));
        assert_eq!(identity(&password("root@pve")), (IdentityKind::User, false));
        assert_eq!(
            identity(&Auth::Token {
                id: "root@pam!apps".to_owned(),
                secret: "x".into()
            }),
            (IdentityKind::Token, false)
        );
    }

    #[test]
    fn secrets_have_no_debug() {
        let auth = Auth::Password {
            user: "root@pam".to_owned(),
            password: "hunter2".into(),
        };
        assert!(!format!("{auth:?}").contains("hunter2"));
    }

    #[test]
    fn a_client_without_hosts_is_none() {
        let auth = Auth::Password {
            user: "root@pam".to_owned(),
            password: "x".into(),
        };
        let config = Config {
            hosts: Vec::new(),
            auth,
            trust: Trust::System,
            timeout: Duration::from_secs(40),
        };
        assert!(matches!(Client::new(config), Err(Error::Invalid { .. })));
    }
}
