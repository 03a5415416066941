//! One command: its line run by root's login shell, its streams carried over the channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::node::{Link, Node};
use crate::cluster::Cluster;
use crate::guests::Output;
use crate::unix::{Call, Clock, Fd, Fds, Input, Machine, execute};

/// A command that was asked for.
pub(super) struct Command {
    pub(super) line: String,
    pub(super) variables: Vec<(String, String)>,
    pub(super) cluster: Cluster,
    pub(super) node: Arc<Node>,
    pub(super) cut: CancellationToken,
}

impl Command {
    pub(super) async fn run(self, channel: Channel<Msg>) {
        let (mut from_client, to_client) = channel.split();
        let (stdin, input) = mpsc::unbounded_channel();
        let (output, pieces) = mpsc::channel(8);
        let shutdown = self.cluster.shutdown_token().clone();
        let process = self.process(input, output);
        // The command goes on when the channel is closed: its output is then read by nobody.
        let work = async { tokio::join!(process, carry_output(pieces, &to_client)).0 };
        let listen = async {
            carry_input(&mut from_client, stdin).await;
            std::future::pending().await
        };
        let code: i32 = tokio::select! {
            code = work => code,
            never = listen => never,
            () = shutdown.cancelled() => return,
        };
        let code = u32::try_from(code).unwrap_or(255);
        // The client may be gone by now, and with it the need to tell it.
        let _ = to_client.exit_status(code).await;
        let _ = to_client.eof().await;
        let _ = to_client.close().await;
    }

    /// Runs the line as sshd would: `bash -c LINE` in root's home.
    async fn process(
        self,
        input: mpsc::UnboundedReceiver<Bytes>,
        output: mpsc::Sender<Output>,
    ) -> i32 {
        let (feed, stdin) = mpsc::channel(8);
        let machine = Link::new(self.node, self.cut);
        let call = Call {
            machine: Arc::new(machine) as Arc<dyn Machine>,
            clock: Arc::new(Clock::new(self.cluster.pace())),
            argv: ["bash", "-c", &self.line].map(str::to_owned).to_vec(),
            env: environment(self.variables),
            cwd: "/root".to_owned(),
            fds: Fds::standard(
                Fd::Input(Arc::new(Input::new(stdin))),
                Fd::Client {
                    to: output.clone(),
                    error: false,
                },
                Fd::Client {
                    to: output,
                    error: true,
                },
            ),
            umask: 0o022,
            pid: 0,
        };
        let run = async { execute(call).await.unwrap_or(127) };
        tokio::pin!(run);
        tokio::select! {
            code = &mut run => code,
            () = feed_input(input, feed) => run.await,
        }
    }
}

fn environment(variables: Vec<(String, String)>) -> BTreeMap<String, String> {
    let usual = [
        ("HOME", "/root"),
        ("LOGNAME", "root"),
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("SHELL", "/bin/bash"),
        ("USER", "root"),
    ];
    let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned()));
    usual.into_iter().chain(variables).collect()
}

/// Passes on what has arrived, at the speed of the process.
async fn feed_input(mut from: mpsc::UnboundedReceiver<Bytes>, to: mpsc::Sender<Bytes>) {
    while let Some(piece) = from.recv().await {
        if to.send(piece).await.is_err() {
            return;
        }
    }
}

/// Takes what the client sends off the connection at once: a process that does not read must not keep the
/// other channels of the connection from being served.
async fn carry_input(from: &mut ChannelReadHalf, to: mpsc::UnboundedSender<Bytes>) {
    let mut to = Some(to);
    while let Some(message) = from.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let closed = to.as_ref().is_some_and(|to| to.send(data).is_err());
                if closed {
                    return;
                }
            }
            ChannelMsg::Eof => to = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// Sends output as it comes. Nobody there to read it is no reason for a process to end.
async fn carry_output(mut from: mpsc::Receiver<Output>, to: &ChannelWriteHalf<Msg>) {
    let mut open = true;
    while let Some(piece) = from.recv().await {
        if !open {
            continue;
        }
        let sent = match piece {
            Output::Stdout(data) => to.data_bytes(data).await,
            Output::Stderr(data) => to.extended_data_bytes(1, data).await,
        };
        open = sent.is_ok();
    }
}
