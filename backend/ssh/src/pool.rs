//! Connections kept per node and handed out whole, one command each, in the order of asking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::{Instant, timeout};

use crate::command::{Command, Stream};
use crate::connection::{Connection, unreachable};
use crate::envelope::{Envelope, Rights};
use crate::exchange::{Exchange, Turn};
use crate::hearing::Hearing;
use crate::verdict::Verdict;
use crate::{Error, Host, Output, Settings};

/// A connection that nobody used for so long is closed: firewalls forget such connections without telling.
const IDLE_LIMIT: Duration = Duration::from_mins(5);
/// How long a kept connection has to answer before a fresh one is made in its place.
const PROBE: Duration = Duration::from_secs(5);
/// How many commands may be followed on one node at a time. They have connections of their own, so that people who watch
/// logs cannot keep a deployment waiting.
const FOLLOWERS: usize = 32;

/// All connections to all nodes. Clones share them.
///
/// A pool belongs to the runtime that it is first used in: its idle connections are registered with that reactor.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    /// By address and key: what was trusted under an old key is not used under a new one. `None` once closed.
    lanes: Mutex<Option<HashMap<Host, Arc<Lane>>>>,
}

/// What there is for one node.
pub(crate) struct Lane {
    commands: Arc<Semaphore>,
    followers: Arc<Semaphore>,
    /// The most recently used is last and is taken first.
    idle: Mutex<Vec<(Instant, Connection)>>,
}

impl Pool {
    /// An empty pool; connections are made when they are needed.
    pub fn new(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                lanes: Mutex::new(Some(HashMap::new())),
            }),
        }
    }

    /// Runs a command on the node itself. Any exit code is an `Ok`.
    pub async fn run(&self, host: &Host, command: Command) -> Result<Output, Error> {
        let envelope = Envelope::on_node(&command.argv, command.deadline)?;
        self.carry(host, envelope, command).await
    }

    /// Closes what is idle and refuses what comes; commands that run are not disturbed, their connections are closed
    /// as they end.
    pub async fn close(&self) {
        let lanes = lock(&self.inner.lanes).take().unwrap_or_default();
        for lane in lanes.into_values() {
            lane.commands.close();
            lane.followers.close();
            let idle = std::mem::take(&mut *lock(&lane.idle));
            for (_, connection) in idle {
                connection.farewell().await;
            }
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.inner.settings.connect_timeout
    }

    pub(crate) fn rights(&self) -> Rights {
        if self.inner.settings.user == "root" {
            Rights::Root
        } else {
            Rights::Sudo
        }
    }

    /// Carries an envelope to a node and says what became of it.
    pub(crate) async fn carry(
        &self,
        host: &Host,
        envelope: Envelope,
        mut command: Command,
    ) -> Result<Output, Error> {
        let lane = self.lane(host)?;
        let permit = Arc::clone(&lane.commands)
            .acquire_owned()
            .await
            .map_err(|_| Error::Closed)?;
        let (connection, channel) = self.ready_channel(host, &lane).await?;
        let patience = command.patience();
        let mut sink = |stream: Stream, line: &str| {
            if let Some(on_line) = &mut command.on_line {
                on_line(stream, line);
            }
        };

        let mut exchange = Exchange::new(
            connection,
            channel,
            Hearing::new(&envelope.nonce, command.keep),
        );
        exchange.feed(command.stdin);
        let begun = Instant::now();
        let talking = async {
            exchange.begin(&envelope.line).await?;
            loop {
                match exchange.turn(&mut sink).await? {
                    Turn::On => {}
                    ended => return Ok(ended),
                }
            }
        };
        let talked = timeout(patience, talking).await;
        exchange.hearing.finish(&mut sink);
        let verdict = Verdict {
            host,
            envelope: &envelope,
            deadline: command.deadline,
            took: begun.elapsed(),
        };
        match talked {
            Err(_) => Err(verdict.gave_up(&mut exchange.hearing)),
            Ok(Err(broken)) => Err(verdict.broken(broken, &mut exchange.hearing)),
            Ok(Ok(turn)) => {
                let mut end = exchange.finish(turn).await;
                if let Some(connection) = end.connection {
                    lane.keep(connection);
                }
                drop(permit);
                verdict.ended(&end.exit, &mut end.hearing)
            }
        }
    }
}

impl Pool {
    /// The node's lane; idle connections that are too old go on the way, on all lanes.
    pub(crate) fn lane(&self, host: &Host) -> Result<Arc<Lane>, Error> {
        let mut lanes = lock(&self.inner.lanes);
        let lanes = lanes.as_mut().ok_or(Error::Closed)?;
        for lane in lanes.values() {
            lock(&lane.idle).retain(|(since, _)| since.elapsed() < IDLE_LIMIT);
        }
        if let Some(lane) = lanes.get(host) {
            return Ok(Arc::clone(lane));
        }
        let lane = Arc::new(Lane {
            commands: Arc::new(Semaphore::new(self.inner.settings.sessions_per_node.max(1))),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            idle: Mutex::new(Vec::new()),
        });
        lanes.insert(host.clone(), Arc::clone(&lane));
        Ok(lane)
    }

    /// A connection with an open channel: a kept one if one still answers, else a fresh one. Nothing was sent yet.
    async fn ready_channel(
        &self,
        host: &Host,
        lane: &Lane,
    ) -> Result<(Connection, ssh2::Channel), Error> {
        while let Some(connection) = lane.take() {
            if let Ok(Ok(channel)) = timeout(PROBE, connection.channel()).await {
                return Ok((connection, channel));
            }
            tracing::debug!(node = %host.node, "an idle SSH connection has died; making a fresh one");
        }
        self.fresh_channel(host).await
    }

    /// A fresh connection with an open channel.
    pub(crate) async fn fresh_channel(
        &self,
        host: &Host,
    ) -> Result<(Connection, ssh2::Channel), Error> {
        let connection = Connection::open(host, &self.inner.settings).await?;
        let limit = self.inner.settings.connect_timeout;
        let opened = timeout(limit, connection.channel()).await;
        match opened {
            Ok(Ok(channel)) => Ok((connection, channel)),
            Ok(Err(error)) => Err(unreachable(host, error.message())),
            Err(_) => Err(unreachable(host, format!("no channel within {limit:?}"))),
        }
    }
}

impl Lane {
    /// A kept connection that is alive as far as the kernel knows.
    fn take(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        while let Some((since, connection)) = idle.pop() {
            if since.elapsed() < IDLE_LIMIT && connection.alive() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next command, unless the pool was closed meanwhile.
    fn keep(&self, connection: Connection) {
        if !self.commands.is_closed() {
            lock(&self.idle).push((Instant::now(), connection));
        }
    }

    /// The right to follow one more command.
    pub(crate) fn follower(&self, host: &Host) -> Result<OwnedSemaphorePermit, Error> {
        match Arc::clone(&self.followers).try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(TryAcquireError::NoPermits) => Err(Error::Busy {
                node: host.node.clone(),
            }),
            Err(TryAcquireError::Closed) => Err(Error::Closed),
        }
    }
}

/// What the locks guard is never left half done, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
