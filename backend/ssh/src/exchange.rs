//! One command on one channel: input out, output in, both at once, until it ends.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use ssh2::Channel;
use tokio::time::{Instant, timeout};

use crate::command::Stream;
use crate::connection::Connection;
use crate::hearing::{Hearing, Sink};
use crate::marks::Phase;

/// How long to wait for more after the command has said that it ended: something it left in the background may hold its
/// outputs open for ever.
const LINGER: Duration = Duration::from_millis(500);
/// How long a polite end may take before the connection is thrown away instead.
const GOODBYE: Duration = Duration::from_secs(5);

/// A command that is being carried. Dropping it throws the connection away. (The channel is dropped first.)
pub(crate) struct Exchange {
    channel: Channel,
    connection: Connection,
    stdin: Stdin,
    buffer: Vec<u8>,
    heard: Instant,
    /// What was heard so far; readable also after a lost connection.
    pub(crate) hearing: Hearing,
}

/// Where the input stands.
enum Stdin {
    /// So many bytes of these were sent.
    Sending(Vec<u8>, usize),
    /// All sent; the end of it is to be told.
    Ending,
    /// Its end was told, or is never going to be.
    Done,
}

/// How a turn went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There may be more.
    On,
    /// Both outputs have ended.
    Eof,
    /// The command has ended and nothing more came for a while, but something still holds its outputs.
    Lingering,
}

/// How a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The server would not run commands.
    Refused(String),
    /// The connection was lost after the command was sent.
    Lost(String),
}

/// What the server says the login shell ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    /// A signal's name without its `SIG`.
    Signal(String),
    /// It did not say.
    Untold,
}

/// How a command came to its end.
pub(crate) struct End {
    pub(crate) exit: Exit,
    /// The connection, if it is fit for another command.
    pub(crate) connection: Option<Connection>,
    /// All that was heard.
    pub(crate) hearing: Hearing,
}

impl Exchange {
    pub(crate) fn new(connection: Connection, channel: Channel, hearing: Hearing) -> Self {
        Self {
            channel,
            connection,
            stdin: Stdin::Done,
            buffer: vec![0; 32 * 1024],
            heard: Instant::now(),
            hearing,
        }
    }

    /// Sends the command line. From here on nobody knows what happened unless the far side tells.
    pub(crate) async fn begin(&mut self, line: &str) -> Result<(), Broken> {
        // libssh2.h: -22 is the server's answer "no"
        const DENIED: ssh2::ErrorCode = ssh2::ErrorCode::Session(-22);
        let channel = &mut self.channel;
        let sending = self.connection.patiently(|| channel.exec(line)).await;
        sending.map_err(|error| match error.code() {
            DENIED => Broken::Refused("the server runs no commands for this user".to_owned()),
            _ => Broken::Lost(error.message().to_owned()),
        })
    }

    /// Will send these bytes and then the end of input.
    pub(crate) fn feed(&mut self, bytes: Vec<u8>) {
        self.stdin = Stdin::Sending(bytes, 0);
    }

    /// Moves what can be moved, or waits until something can.
    pub(crate) async fn turn(&mut self, sink: Sink<'_>) -> Result<Turn, Broken> {
        let lost = |error: io::Error| Broken::Lost(error.to_string());
        let sent = self.send().map_err(lost)?;
        let heard = self.listen(Stream::Stdout, sink).map_err(lost)?
            | self.listen(Stream::Stderr, sink).map_err(lost)?;
        if heard {
            self.heard = Instant::now();
        }
        if self.channel.eof() {
            return Ok(Turn::Eof);
        }
        if sent || heard {
            // Output may come faster than it can be read: the other tasks want their turn, too.
            tokio::task::yield_now().await;
            return Ok(Turn::On);
        }
        if matches!(self.hearing.phase(), Phase::Ended(_)) {
            let quiet = self.heard.elapsed();
            if quiet >= LINGER {
                return Ok(Turn::Lingering);
            }
            self.connection.ready(LINGER.saturating_sub(quiet)).await;
        } else {
            self.connection.ready(Duration::MAX).await;
        }
        Ok(Turn::On)
    }

    /// Closes the channel in good order and gives the connection back if that worked.
    pub(crate) async fn finish(mut self, turn: Turn) -> End {
        let mut exit = Exit::Untold;
        let mut orderly = false;
        if turn == Turn::Eof {
            let (channel, connection) = (&mut self.channel, &self.connection);
            let closing = async {
                // the exit status comes before the server's close, not before its end of output
                connection.patiently(|| channel.wait_close()).await?;
                connection.patiently(|| channel.close()).await
            };
            orderly = matches!(timeout(GOODBYE, closing).await, Ok(Ok(())));
            exit = exit_of(&self.channel);
        }
        let Self {
            channel,
            connection,
            hearing,
            ..
        } = self;
        drop(channel);
        End {
            exit,
            connection: orderly.then_some(connection),
            hearing,
        }
    }

    /// Sends one piece of input; whether anything went out.
    fn send(&mut self) -> io::Result<bool> {
        match &mut self.stdin {
            Stdin::Sending(bytes, sent) => {
                if *sent == bytes.len() {
                    self.stdin = Stdin::Ending;
                    return Ok(true);
                }
                // libssh2 wants the very same bytes again after it would have blocked: they are never moved.
                match self.channel.write(&bytes[*sent..]) {
                    Ok(count) => {
                        *sent += count;
                        Ok(count > 0)
                    }
                    Err(error) => none_if_blocked(error),
                }
            }
            Stdin::Ending => match self.channel.send_eof().map_err(io::Error::from) {
                Ok(()) => {
                    self.stdin = Stdin::Done;
                    Ok(true)
                }
                Err(error) => none_if_blocked(error),
            },
            Stdin::Done => Ok(false),
        }
    }

    /// Reads one buffer of one stream; whether anything came in.
    fn listen(&mut self, stream: Stream, sink: Sink<'_>) -> io::Result<bool> {
        let read = match stream {
            Stream::Stdout => self.channel.read(&mut self.buffer),
            Stream::Stderr => self.channel.stderr().read(&mut self.buffer),
        };
        match read {
            Ok(count) => {
                self.hearing.hear(stream, &self.buffer[..count], sink);
                Ok(count > 0)
            }
            Err(error) => none_if_blocked(error),
        }
    }
}

/// libssh2 says code zero when there was none; a signal comes instead of a code (RFC 4254, 6.10).
fn exit_of(channel: &Channel) -> Exit {
    let signal = channel.exit_signal().ok().and_then(|exit| exit.exit_signal);
    match (signal, channel.exit_status()) {
        (Some(signal), _) => Exit::Signal(signal),
        (None, Ok(code)) => Exit::Code(code),
        (None, Err(_)) => Exit::Untold,
    }
}

fn none_if_blocked(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::WouldBlock {
        Ok(false)
    } else {
        Err(error)
    }
}
