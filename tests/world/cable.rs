//! A cable between one replica and its database, to be pulled.

use std::{net::SocketAddr, path::PathBuf};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinSet,
};

/// What becomes of what goes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It arrives.
    Whole,
    /// Connections end, new ones are not taken.
    Cut,
    /// Nothing arrives, and nobody is told: a switch that died, a firewall that drops.
    Silent,
}

/// Takes TCP connections and hands them on to a socket, as long as the line is whole.
pub(crate) struct Cable {
    address: SocketAddr,
    line: watch::Sender<Line>,
    _task: JoinSet<()>,
}

impl Cable {
    /// To the server behind `socket`.
    pub(crate) async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let line = watch::Sender::new(Line::Whole);
        let mut task = JoinSet::new();
        task.spawn(carry(listener, socket, line.subscribe()));
        Self {
            address,
            line,
            _task: task,
        }
    }

    /// Where it begins.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pulls it, or plugs it in again.
    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn carry(listener: TcpListener, socket: PathBuf, line: watch::Receiver<Line>) {
    let mut connections = JoinSet::new();
    while let Ok((here, _)) = listener.accept().await {
        connections.spawn(one(here, socket.clone(), line.clone()));
    }
}

async fn one(mut here: TcpStream, socket: PathBuf, mut line: watch::Receiver<Line>) {
    let Ok(mut there) = UnixStream::connect(socket).await else {
        return;
    };
    loop {
        let now = *line.borrow_and_update();
        let changed = line.changed();
        let ended = match now {
            Line::Cut => return,
            Line::Silent => changed.await.is_err(),
            // What was on its way when the line fell silent is lost on the way in, too: the copy is dropped.
            Line::Whole => tokio::select! {
                _ = copy_bidirectional(&mut here, &mut there) => return,
                ended = changed => ended.is_err(),
            },
        };
        if ended {
            return;
        }
    }
}
