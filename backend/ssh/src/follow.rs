//! A command that is listened to for as long as somebody listens: `logs -f`.

use std::collections::VecDeque;

use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use crate::command::Stream;
use crate::envelope::{Envelope, FOLLOW_LIMIT};
use crate::exchange::{Broken, Exchange, Turn};
use crate::hearing::Hearing;
use crate::marks::Phase;
use crate::verdict::Verdict;
use crate::{Command, Error, Host, Output, Pool};

/// The lines of a followed command. It ends after the command has ended well; otherwise its last item says why.
pub type Lines = BoxStream<'static, Result<(Stream, String), Error>>;

/// What is kept to explain a failure.
const KEEP: usize = 64 * 1024;

/// A command that is being followed.
struct Follower {
    exchange: Exchange,
    host: Host,
    envelope: Envelope,
    begun: Instant,
    lines: VecDeque<(Stream, String)>,
    /// Given back last.
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// Runs a command in a container and tells its lines as they come; returns once the command has begun. Its `stdin`
    /// and deadline are not used: standard input is empty, and it may live for half a day.
    ///
    /// Dropping the stream ends the command: its connection is closed, and the container's side of the envelope takes
    /// that as the sign. Followed commands have connections of their own, at most 32 a node, then [`Error::Busy`].
    pub async fn pct_stream(
        &self,
        host: &Host,
        vmid: u32,
        command: Command,
    ) -> Result<Lines, Error> {
        let envelope = Envelope::followed(vmid, self.rights(), &command.argv)?;
        let permit = self.lane(host)?.follower(host)?;
        let (connection, channel) = self.fresh_channel(host).await?;
        let mut follower = Follower {
            exchange: Exchange::new(connection, channel, Hearing::new(&envelope.nonce, KEEP)),
            host: host.clone(),
            envelope,
            begun: Instant::now(),
            lines: VecDeque::new(),
            _permit: permit,
        };
        let limit = self.connect_timeout();
        match timeout(limit, follower.begin()).await {
            Ok(begun) => begun?,
            Err(_) => {
                return Err(Error::TimedOut {
                    after: limit,
                    ended: false,
                    output: follower.exchange.hearing.take(-1),
                });
            }
        }
        Ok(stream::unfold(State::Running(Box::new(follower)), State::next).boxed())
    }
}

/// A stream's place between two lines.
enum State {
    Running(Box<Follower>),
    /// The command has ended; these lines and this error are still to be told.
    Ending(VecDeque<(Stream, String)>, Option<Error>),
}

impl State {
    /// The next line, and the state after it.
    async fn next(mut self) -> Option<(Result<(Stream, String), Error>, Self)> {
        loop {
            match self {
                Self::Running(mut follower) => {
                    if let Some(line) = follower.lines.pop_front() {
                        return Some((Ok(line), Self::Running(follower)));
                    }
                    self = match follower.turn().await {
                        Ok(Turn::On) => Self::Running(follower),
                        Ok(turn) => follower.end(turn).await,
                        Err(error) => {
                            Self::Ending(std::mem::take(&mut follower.lines), Some(error))
                        }
                    };
                }
                Self::Ending(mut lines, mut error) => {
                    let item = match lines.pop_front() {
                        Some(line) => Ok(line),
                        None => Err(error.take()?),
                    };
                    return Some((item, Self::Ending(lines, error)));
                }
            }
        }
    }
}

impl Follower {
    /// Sends the command and waits for its first mark; an error if it ended without one.
    async fn begin(&mut self) -> Result<(), Error> {
        let begun = self.exchange.begin(&self.envelope.line).await;
        begun.map_err(|broken| self.broken(broken))?;
        // A quick command may begin and end in one turn; that is the next turn's business.
        while self.exchange.hearing.phase() == Phase::Before {
            let turn = self.turn().await?;
            if turn != Turn::On && self.exchange.hearing.phase() == Phase::Before {
                // Nothing ran; how the login shell ended adds nothing to what was said.
                return Err(verdict(&self.host, &self.envelope, self.begun)
                    .not_begun(&mut self.exchange.hearing));
            }
        }
        Ok(())
    }

    async fn turn(&mut self) -> Result<Turn, Error> {
        let lines = &mut self.lines;
        let mut sink = |stream, line: &str| lines.push_back((stream, line.to_owned()));
        match self.exchange.turn(&mut sink).await {
            Ok(turn) => Ok(turn),
            Err(broken) => {
                self.exchange.hearing.finish(&mut sink);
                Err(self.broken(broken))
            }
        }
    }

    /// The command has ended: what is left to tell, and whether it ended well.
    async fn end(mut self, turn: Turn) -> State {
        let mut lines = self.lines;
        let mut sink = |stream, line: &str| lines.push_back((stream, line.to_owned()));
        self.exchange.hearing.finish(&mut sink);
        let mut end = self.exchange.finish(turn).await;
        let verdict = verdict(&self.host, &self.envelope, self.begun);
        let judged = verdict.ended(&end.exit, &mut end.hearing);
        State::Ending(lines, judged.and_then(Output::ok).err())
    }

    fn broken(&mut self, broken: Broken) -> Error {
        verdict(&self.host, &self.envelope, self.begun).broken(broken, &mut self.exchange.hearing)
    }
}

fn verdict<'a>(host: &'a Host, envelope: &'a Envelope, begun: Instant) -> Verdict<'a> {
    Verdict {
        host,
        envelope,
        deadline: FOLLOW_LIMIT,
        took: begun.elapsed(),
    }
}
