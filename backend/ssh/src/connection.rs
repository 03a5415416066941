//! One connection to one node: opened, proven on both sides, then driven without blocking.
//!
//! Key exchange and authentication block a thread of their own, because they compute. Everything after that is waiting,
//! and happens in libssh2's non-blocking mode on the reactor: a dropped future is all that it takes to stop.

use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use ssh2::{ErrorCode, Session};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::auth::{Credentials, Refusal};
use crate::handshake::{Failure, HangUp, dial, handshake};
use crate::{Error, Host, HostKey, Settings};

/// The longest wait for the socket before libssh2 is asked again anyway. Readiness wakes the wait; this bounds the harm
/// if an edge were ever missed.
const GLANCE: Duration = Duration::from_secs(1);

// libssh2.h
const EAGAIN: ErrorCode = ErrorCode::Session(-37);

/// An authenticated connection, used by one command at a time.
pub(crate) struct Connection {
    session: Session,
    /// A second handle to libssh2's socket, for waiting only.
    socket: TcpStream,
}

impl Connection {
    /// Connects, insists on the pinned key, and logs in.
    pub(crate) async fn open(host: &Host, settings: &Settings) -> Result<Self, Error> {
        let credentials = Credentials::load(&settings.auth).await?;
        let limit = settings.connect_timeout;
        let opening = Self::opened(host, settings, credentials);
        match timeout(limit, opening).await {
            Ok(result) => result,
            Err(_) => Err(unreachable(host, format!("no answer within {limit:?}"))),
        }
    }

    async fn opened(
        host: &Host,
        settings: &Settings,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        let stream = dial(&host.address, host.port, settings.keepalive)
            .await
            .map_err(|error| unreachable(host, error))?;
        let guard = HangUp::of(&stream).map_err(|error| unreachable(host, error))?;
        let expected = host.key.clone();
        let (user, limit) = (settings.user.clone(), settings.connect_timeout);
        let proven = tokio::task::spawn_blocking(move || {
            let (session, seen) = handshake(stream, expected.algorithms(), limit)?;
            if seen != expected {
                return Err(Failure::Impostor(seen));
            }
            credentials.present(&session, &user)?;
            session.set_timeout(0);
            session.set_blocking(false);
            Ok(session)
        });
        let session = match proven.await {
            Ok(Ok(session)) => session,
            Ok(Err(failure)) => return Err(explained(failure, host, settings).await),
            Err(error) => return Err(unreachable(host, error)),
        };
        let socket =
            TcpStream::from_std(guard.disarm()).map_err(|error| unreachable(host, error))?;
        Ok(Self { session, socket })
    }

    /// Whether the other side is still there as far as the kernel knows. Bytes that wait to be read may be a farewell:
    /// then opening a channel fails, and that is before anything was sent.
    pub(crate) fn alive(&self) -> bool {
        match SockRef::from(&self.socket).peek(&mut [MaybeUninit::uninit()]) {
            Ok(count) => count > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Opens a channel for one command.
    pub(crate) async fn channel(&self) -> Result<ssh2::Channel, ssh2::Error> {
        self.patiently(|| self.session.channel_session()).await
    }

    /// Repeats a call of libssh2 until it no longer says that it would block.
    pub(crate) async fn patiently<T>(
        &self,
        mut call: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, ssh2::Error> {
        loop {
            match call() {
                Err(error) if error.code() == EAGAIN => self.ready(GLANCE).await,
                done => return done,
            }
        }
    }

    /// Waits until the socket can be read or written, at most `limit` long and never longer than a second. The readiness
    /// is cleared before libssh2 is asked again, so a change that happens meanwhile is seen by the next wait.
    pub(crate) async fn ready(&self, limit: Duration) {
        let both = Interest::READABLE | Interest::WRITABLE;
        if timeout(limit.min(GLANCE), self.socket.ready(both))
            .await
            .is_ok()
        {
            for interest in [Interest::READABLE, Interest::WRITABLE] {
                // "Would block" is how tokio is told that a readiness was used up.
                let used_up = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                let _ = self.socket.try_io(interest, used_up);
            }
        }
    }

    /// Says goodbye. Whether it was heard does not matter: the socket is closed either way.
    pub(crate) async fn farewell(self) {
        let saying = self.patiently(|| self.session.disconnect(None, "", None));
        let _ = timeout(GLANCE, saying).await;
    }
}

/// libssh2 keeps the memory of a session whose channels it cannot close at once. A socket that is shut down makes that fail
/// instead of wait.
impl Drop for Connection {
    fn drop(&mut self) {
        let _ = SockRef::from(&self.socket).shutdown(Shutdown::Both);
    }
}

/// What a failed opening means to the caller.
async fn explained(failure: Failure, host: &Host, settings: &Settings) -> Error {
    let changed = |seen| Error::HostKeyChanged {
        node: host.node.clone(),
        expected: host.key.clone(),
        seen,
    };
    match failure {
        Failure::Impostor(seen) => changed(seen),
        // A server that no longer has a key of the pinned type: say which one it has instead.
        Failure::NoCommonAlgorithm(reason) => {
            match scan_host_key(&host.address, host.port, settings.connect_timeout).await {
                Ok(seen) if seen != host.key => changed(seen),
                _ => unreachable(host, reason),
            }
        }
        Failure::Refused(Refusal::Denied(reason)) => Error::Denied {
            node: host.node.clone(),
            user: settings.user.clone(),
            reason,
        },
        Failure::Refused(Refusal::BadKey(reason)) => Error::BadKey { reason },
        Failure::Odd(reason) => Error::Protocol { reason },
        lost @ (Failure::Lost(_) | Failure::Refused(Refusal::Lost(_))) => {
            unreachable(host, lost.reason())
        }
    }
}

/// Learns the key that a server shows, without logging in. A person or a first start confirms it; from then on it is
/// pinned. Errors: [`Error::Unreachable`], and [`Error::Protocol`] for a key of an unknown type.
pub async fn scan_host_key(address: &str, port: u16, limit: Duration) -> Result<HostKey, Error> {
    let unreachable = |reason: String| Error::Unreachable {
        node: address.to_owned(),
        address: format!("{address}:{port}"),
        reason,
    };
    let scanning = async {
        let stream = dial(address, port, limit).await?;
        let guard = HangUp::of(&stream)?;
        let shaking = move || handshake(stream, &HostKey::any_algorithm(), limit);
        let result = tokio::task::spawn_blocking(shaking).await;
        drop(guard);
        Ok::<_, io::Error>(result?)
    };
    match timeout(limit, scanning).await {
        Ok(Ok(Ok((_, key)))) => Ok(key),
        Ok(Ok(Err(Failure::Odd(reason)))) => Err(Error::Protocol { reason }),
        Ok(Ok(Err(failure))) => Err(unreachable(failure.reason())),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer within {limit:?}"))),
    }
}

pub(crate) fn unreachable(host: &Host, reason: impl std::fmt::Display) -> Error {
    Error::Unreachable {
        node: host.node.clone(),
        address: format!("{}:{}", host.address, host.port),
        reason: reason.to_string(),
    }
}
