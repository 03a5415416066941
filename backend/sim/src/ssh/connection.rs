//! One client's connection: who it is, and the commands that it runs.

use std::collections::HashMap;

use bytes::Bytes;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Session};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::node;
use crate::cluster::Cluster;
use crate::guests::Output;

/// Pieces of input or output that wait for their reader.
const WAITING: usize = 16;

/// A client's connection to one node.
pub(super) struct Connection {
    cluster: Cluster,
    node: String,
    /// Fires when a fault cuts the connection.
    pub(super) cut: CancellationToken,
    /// Channels that are open and run nothing yet.
    idle: HashMap<ChannelId, Channel<Msg>>,
}

impl Connection {
    pub(super) fn new(cluster: Cluster, node: String) -> Self {
        Self {
            cluster,
            node,
            cut: CancellationToken::new(),
            idle: HashMap::new(),
        }
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let known = user == "root" && password == self.cluster.password();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.idle.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(channel) = self.idle.remove(&id) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let (read, write) = channel.split();
        let line = String::from_utf8_lossy(line).into_owned();
        let (cluster, node, cut) = (self.cluster.clone(), self.node.clone(), self.cut.clone());
        self.cluster
            .tracker()
            .spawn(run(cluster, node, cut, line, read, write));
        Ok(())
    }
}

/// Runs a command line and carries its streams; goes on when the client is gone.
async fn run(
    cluster: Cluster,
    node: String,
    cut: CancellationToken,
    line: String,
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
) {
    let (input, stdin) = mpsc::channel(WAITING);
    let (output, told) = mpsc::channel(WAITING);
    let stop = cluster.shutdown_token().clone();
    let work = async {
        let running = node::login_shell(&cluster, &node, cut, line, stdin, output);
        let feeding = feed(read, input);
        tokio::pin!(feeding);
        let (code, ()) = tokio::join!(
            async {
                tokio::select! {
                    code = running => code,
                    // Never ends before the command does.
                    () = async { feeding.await; std::future::pending().await } => 255,
                }
            },
            tell(&write, told),
        );
        // A client that is gone hears nothing, and nothing is to be done about it.
        let _ = write.exit_status(code.cast_unsigned()).await;
        let _ = write.eof().await;
        let _ = write.close().await;
    };
    tokio::select! { () = work => {}, () = stop.cancelled() => {} }
}

/// What the client types, until it ends it.
async fn feed(mut read: ChannelReadHalf, input: mpsc::Sender<Bytes>) {
    let mut input = Some(input);
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                // A command that reads no more is no reason to stop listening for the end.
                if let Some(open) = &input
                    && open.send(data).await.is_err()
                {
                    input = None;
                }
            }
            ChannelMsg::Eof => input = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// What the command says, in order, for as long as somebody listens; after that it is thrown away.
async fn tell(write: &ChannelWriteHalf<Msg>, mut told: mpsc::Receiver<Output>) {
    let mut listening = true;
    while let Some(piece) = told.recv().await {
        if listening {
            listening = match piece {
                Output::Stdout(data) => write.data_bytes(data).await,
                Output::Stderr(data) => write.extended_data_bytes(1, data).await,
            }
            .is_ok();
        }
    }
}
