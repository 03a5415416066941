//! File descriptors: what a process reads from and writes to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use rand::Rng;
use tokio::sync::mpsc;

use super::files::{Errno, Files};
use super::locks::Locks;
use crate::guests::Output;

/// Why a write did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// Nobody reads any more; a process dies of it (SIGPIPE).
    Broken,
    /// The file system refused.
    File(Errno),
    /// Not open for writing.
    Closed,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken => f.write_str("Broken pipe"),
            Self::File(errno) => errno.fmt(f),
            Self::Closed => f.write_str("Bad file descriptor"),
        }
    }
}

/// A descriptor. Clones share what they refer to, as `dup(2)` does.
#[derive(Clone, Debug)]
pub(crate) enum Fd {
    /// `/dev/null`.
    Null,
    /// `/dev/urandom`.
    Random,
    /// `/dev/zero`.
    Zero,
    /// The reading end of a pipe, or a client's standard input.
    Input(Arc<Input>),
    /// A client's standard output or error.
    Client {
        to: mpsc::Sender<Output>,
        error: bool,
    },
    /// The writing end of a pipe.
    Pipe(mpsc::Sender<Bytes>),
    /// An open file.
    File(Arc<OpenFile>),
}

/// What random and zero devices give per read.
const DEVICE_CHUNK: usize = 512;

impl Fd {
    /// A new pipe: its reading and its writing end.
    pub(crate) fn pipe() -> (Self, Self) {
        let (writer, reader) = mpsc::channel(16);
        (
            Self::Input(Arc::new(Input::new(reader))),
            Self::Pipe(writer),
        )
    }

    /// A descriptor that reads these bytes.
    pub(crate) fn of(bytes: impl Into<Bytes>) -> Self {
        Self::Input(Arc::new(Input::of(&bytes.into())))
    }

    /// Writes all of `data`, waiting while the reader is slow.
    pub(crate) async fn write(&self, data: Bytes) -> Result<(), Unwritable> {
        if data.is_empty() {
            return Ok(());
        }
        match self {
            Self::Null | Self::Random | Self::Zero => Ok(()),
            Self::Input(_) => Err(Unwritable::Closed),
            Self::Client { to, error } => {
                let piece = if *error {
                    Output::Stderr(data)
                } else {
                    Output::Stdout(data)
                };
                to.send(piece).await.map_err(|_| Unwritable::Broken)
            }
            Self::Pipe(to) => to.send(data).await.map_err(|_| Unwritable::Broken),
            Self::File(file) => file.write(&data),
        }
    }

    /// The next piece, `None` at the end.
    pub(crate) async fn read(&self) -> Option<Bytes> {
        match self {
            Self::Random => {
                let mut bytes = vec![0; DEVICE_CHUNK];
                rand::rng().fill_bytes(&mut bytes);
                Some(bytes.into())
            }
            Self::Zero => Some(vec![0; DEVICE_CHUNK].into()),
            Self::Input(input) => input.read().await,
            Self::File(file) => file.read(),
            Self::Null | Self::Client { .. } | Self::Pipe(_) => None,
        }
    }

    /// One line with its line feed, if it has one; what follows stays for the next reader.
    pub(crate) async fn read_line(&self) -> Option<Bytes> {
        match self {
            Self::Input(input) => input.read_line().await,
            Self::File(file) => file.read_line(),
            _ => None,
        }
    }

    pub(crate) async fn read_all(&self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = self.read().await {
            all.extend_from_slice(&piece);
        }
        all
    }
}

/// The reading end of a stream; shared by a shell and its children.
#[derive(Debug)]
pub(crate) struct Input(tokio::sync::Mutex<Stream>);

#[derive(Debug)]
struct Stream {
    ready: BytesMut,
    more: Option<mpsc::Receiver<Bytes>>,
}

impl Stream {
    /// Waits for more; false at the end.
    async fn fill(&mut self) -> bool {
        let Some(more) = &mut self.more else {
            return false;
        };
        let piece = more.recv().await;
        match piece {
            Some(piece) => self.ready.extend_from_slice(&piece),
            None => self.more = None,
        }
        self.more.is_some()
    }
}

impl Input {
    pub(crate) fn new(more: mpsc::Receiver<Bytes>) -> Self {
        Self(tokio::sync::Mutex::new(Stream {
            ready: BytesMut::new(),
            more: Some(more),
        }))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(tokio::sync::Mutex::new(Stream {
            ready: BytesMut::from(bytes),
            more: None,
        }))
    }

    async fn read(&self) -> Option<Bytes> {
        let mut stream = self.0.lock().await;
        while stream.ready.is_empty() {
            if !stream.fill().await {
                return None;
            }
        }
        Some(stream.ready.split().freeze())
    }

    async fn read_line(&self) -> Option<Bytes> {
        let mut stream = self.0.lock().await;
        loop {
            if let Some(end) = stream.ready.iter().position(|byte| *byte == b'\n') {
                return Some(stream.ready.split_to(end + 1).freeze());
            }
            if !stream.fill().await {
                let rest = stream.ready.split().freeze();
                return (!rest.is_empty()).then_some(rest);
            }
        }
    }
}

/// An open file: an inode, a position and how it may be used.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) files: Arc<Mutex<Files>>,
    pub(crate) locks: Arc<Locks>,
    pub(crate) ino: u64,
    /// Number of this open file on its machine; names it as the holder of a lock.
    pub(crate) id: u64,
    pub(crate) position: Mutex<usize>,
    pub(crate) mode: Mode,
}

/// What an open file may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    /// Every write goes to the end.
    Append,
    /// A fault: every write finds the disk full.
    Full,
}

impl OpenFile {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, data: &[u8]) -> Result<(), Unwritable> {
        match self.mode {
            Mode::Read => return Err(Unwritable::Closed),
            Mode::Full => return Err(Unwritable::File(Errno::NoSpace)),
            Mode::Write | Mode::Append => {}
        }
        let mut files = self.files();
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        if self.mode == Mode::Append {
            *position = files.read_ino(self.ino).map_or(0, <[u8]>::len);
        }
        files
            .write_at(self.ino, *position, data)
            .map_err(Unwritable::File)?;
        *position += data.len();
        Ok(())
    }

    fn read(&self) -> Option<Bytes> {
        self.take(<[u8]>::len)
    }

    fn read_line(&self) -> Option<Bytes> {
        self.take(|rest| {
            rest.iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |end| end + 1)
        })
    }

    fn take(&self, length: impl FnOnce(&[u8]) -> usize) -> Option<Bytes> {
        if self.mode != Mode::Read {
            return None;
        }
        let files = self.files();
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = files.read_ino(self.ino).ok()?.get(*position..)?;
        if rest.is_empty() {
            return None;
        }
        let piece = Bytes::copy_from_slice(&rest[..length(rest)]);
        *position += piece.len();
        Some(piece)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.locks.unlock(self.ino, self.id);
    }
}

/// The descriptors of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fds(BTreeMap<u32, Fd>);

impl Fds {
    /// The usual three.
    pub(crate) fn standard(input: Fd, output: Fd, error: Fd) -> Self {
        Self(BTreeMap::from([(0, input), (1, output), (2, error)]))
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Fd> {
        self.0.get(&number)
    }

    pub(crate) fn set(&mut self, number: u32, fd: Fd) {
        self.0.insert(number, fd);
    }

    pub(crate) fn close(&mut self, number: u32) {
        self.0.remove(&number);
    }
}
