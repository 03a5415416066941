//! One connection: who may log in, and what may be asked of it.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Response, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::channel;
use super::node::Node;
use crate::cluster::Cluster;

/// A connection that can be torn off.
pub(super) struct Cuttable {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Cuttable {
    pub(super) fn new(stream: TcpStream, cut: CancellationToken) -> Self {
        Self {
            stream,
            cut: Box::pin(cut.cancelled_owned()),
        }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Names and values that a client set on a channel.
type Variables = Vec<(String, String)>;

/// The state of a connection.
pub(super) struct Session {
    cluster: Cluster,
    node: Arc<Node>,
    cut: CancellationToken,
    /// Channels that are open and not told yet what to do, with the variables that were set on them.
    waiting: HashMap<ChannelId, (Channel<Msg>, Variables)>,
}

impl Session {
    pub(super) fn new(cluster: Cluster, node: Arc<Node>, cut: CancellationToken) -> Self {
        Self {
            cluster,
            node,
            cut,
            waiting: HashMap::new(),
        }
    }

    fn right_password(&self, user: &str, password: &str) -> bool {
        user == "root" && password == self.cluster.password()
    }

    fn authorized(&self, user: &str, key: &PublicKey) -> bool {
        let listed = self.node.authorized_keys();
        let mut keys = listed
            .lines()
            .filter_map(|line| PublicKey::from_openssh(line).ok());
        user == "root" && keys.any(|other| other.key_data() == key.key_data())
    }
}

fn verdict(accepted: bool) -> Auth {
    if accepted {
        Auth::Accept
    } else {
        Auth::reject()
    }
}

type Done = Result<(), russh::Error>;

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(verdict(self.right_password(user, password)))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut answers) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let answer = answers.next();
        let right = answer
            .is_some_and(|answer| self.right_password(user, &String::from_utf8_lossy(&answer)));
        Ok(verdict(right))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(verdict(self.authorized(user, key.public_key)))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut russh::server::Session,
    ) -> Done {
        self.waiting.insert(channel.id(), (channel, Vec::new()));
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut russh::server::Session,
    ) -> Done {
        // Debian's sshd takes these and no others.
        if name == "LANG" || name.starts_with("LC_") {
            if let Some((_, variables)) = self.waiting.get_mut(&channel) {
                variables.push((name.to_owned(), value.to_owned()));
            }
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        line: &[u8],
        session: &mut russh::server::Session,
    ) -> Done {
        let Some((open, variables)) = self.waiting.remove(&channel) else {
            return session.channel_failure(channel);
        };
        if !self.cluster.is_online(&self.node.name) {
            self.cut.cancel();
            return Ok(());
        }
        session.channel_success(channel)?;
        let command = channel::Command {
            line: String::from_utf8_lossy(line).into_owned(),
            variables,
            cluster: self.cluster.clone(),
            node: Arc::clone(&self.node),
            cut: self.cut.clone(),
        };
        self.cluster.tracker().spawn(command.run(open));
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut russh::server::Session,
    ) -> Done {
        session.channel_failure(channel)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Done {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut russh::server::Session,
    ) -> Done {
        session.channel_failure(channel)
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut russh::server::Session,
    ) -> Done {
        self.waiting.remove(&channel);
        Ok(())
    }
}
