//! The first second of a connection: TCP, key exchange, and whose key it was. Blocks, on a thread of its own.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use ssh2::{ErrorCode, MethodType, Session};

use crate::HostKey;
use crate::auth::Refusal;

// libssh2.h
const KEX_FAILURE: ErrorCode = ErrorCode::Session(-5);

/// Why there is no session.
pub(crate) enum Failure {
    /// The network, or a server that hung up.
    Lost(String),
    /// Nothing to agree upon; with a pinned key, most likely no key of its type.
    NoCommonAlgorithm(String),
    /// A server with another key.
    Impostor(HostKey),
    /// A server that does not want us.
    Refused(Refusal),
    /// Something that should not happen.
    Odd(String),
}

impl Failure {
    /// What happened, in words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Lost(reason)
            | Self::NoCommonAlgorithm(reason)
            | Self::Odd(reason)
            | Self::Refused(
                Refusal::Denied(reason) | Refusal::BadKey(reason) | Refusal::Lost(reason),
            ) => reason,
            Self::Impostor(key) => format!("unexpected host key {}", key.fingerprint()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ssh2::Error> for Failure {
    fn from(error: ssh2::Error) -> Self {
        Self::Lost(error.message().to_owned())
    }
}

/// A TCP connection that notices when the other side has vanished: after `silence` the kernel asks, and three unanswered
/// questions, or bytes that nobody acknowledged for as long, end it.
pub(crate) async fn dial(address: &str, port: u16, silence: Duration) -> io::Result<TcpStream> {
    let stream = tokio::net::TcpStream::connect((address, port)).await?;
    let stream = stream.into_std()?;
    stream.set_nodelay(true)?;
    let silence = silence.max(Duration::from_secs(1));
    let socket = SockRef::from(&stream);
    let keepalive = TcpKeepalive::new()
        .with_time(silence)
        .with_interval(silence)
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(silence * 4))?;
    Ok(stream)
}

/// Exchanges keys and tells whose server it is. Nothing about us has been sent by then. `limit` is the caller's own,
/// who hangs up when it is over; libssh2's waits are bounded a little later, so that the caller is first.
pub(crate) fn handshake(
    stream: TcpStream,
    algorithms: &str,
    limit: Duration,
) -> Result<(Session, HostKey), Failure> {
    let mut session = Session::new()?;
    let bound = limit.saturating_add(Duration::from_secs(5));
    session.set_timeout(u32::try_from(bound.as_millis()).unwrap_or(u32::MAX));
    session.method_pref(MethodType::HostKey, algorithms)?;
    session.set_tcp_stream(stream);
    session.handshake().map_err(|error| match error.code() {
        KEX_FAILURE => Failure::NoCommonAlgorithm(error.message().to_owned()),
        _ => Failure::Lost(error.message().to_owned()),
    })?;
    let key = match session.host_key() {
        Some((blob, _)) => {
            HostKey::from_blob(blob).map_err(|error| Failure::Odd(error.to_string()))?
        }
        None => return Err(Failure::Odd("the server showed no host key".to_owned())),
    };
    Ok((session, key))
}

/// Hangs up when dropped, so that a thread that waits inside libssh2 ends as soon as nobody waits for it any more.
pub(crate) struct HangUp(Option<TcpStream>);

impl HangUp {
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self(Some(stream.try_clone()?)))
    }

    /// All went well: the second handle to the socket, for waiting on it.
    pub(crate) fn disarm(mut self) -> TcpStream {
        self.0.take().expect("a guard is disarmed once")
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        if let Some(stream) = self.0.take() {
            // Fails only when the other side was faster.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
