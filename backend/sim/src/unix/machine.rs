//! What every simulated computer has: files, a name, a process table, and power.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fd::{Fd, Mode, OpenFile};
use super::files::{Errno, Files, Kind};
use super::locks::Locks;
use super::process::{Call, Done};

/// Whose texts and exit codes the common tools use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Alpine: ash and busybox.
    Busybox,
    /// A Proxmox node: bash and GNU.
    Debian,
}

/// A simulated computer.
#[async_trait]
pub(crate) trait Machine: Send + Sync + 'static {
    fn base(&self) -> &Base;

    /// Runs a program that only this kind of machine has; `None` when it is not one of those.
    async fn run(&self, program: &str, call: &mut Call) -> Option<Done>;

    /// Whether a write to this path finds the disk full although there is room: a fault.
    fn refuses_writes(&self, _path: &str) -> bool {
        false
    }

    /// Lines of `ip address` and friends: name, MAC address, addresses with prefix.
    fn interfaces(&self) -> Vec<crate::guests::GuestInterface> {
        Vec::new()
    }

    /// Total and used memory in bytes.
    fn memory(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Number of processors.
    fn processors(&self) -> u32 {
        1
    }
}

/// A process in the table of its machine.
#[derive(Clone, Debug)]
struct Entry {
    command: String,
    killed: CancellationToken,
    signal: Arc<AtomicU32>,
}

/// The parts that all machines share.
#[derive(Debug)]
pub(crate) struct Base {
    flavour: Flavour,
    hostname: Mutex<String>,
    files: Arc<Mutex<Files>>,
    locks: Arc<Locks>,
    processes: Mutex<BTreeMap<u32, Entry>>,
    next_pid: AtomicU32,
    next_open: AtomicU64,
    power: Mutex<CancellationToken>,
    tasks: TaskTracker,
}

impl Base {
    pub(crate) fn new(flavour: Flavour, hostname: &str, files: Files) -> Self {
        Self {
            flavour,
            hostname: Mutex::new(hostname.to_owned()),
            files: Arc::new(Mutex::new(files)),
            locks: Arc::default(),
            processes: Mutex::default(),
            next_pid: AtomicU32::new(200),
            next_open: AtomicU64::new(1),
            power: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) const fn flavour(&self) -> Flavour {
        self.flavour
    }

    pub(crate) fn hostname(&self) -> String {
        lock(&self.hostname).clone()
    }

    pub(crate) fn set_hostname(&self, name: &str) {
        name.clone_into(&mut lock(&self.hostname));
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, Files> {
        lock(&self.files)
    }

    pub(crate) fn locks(&self) -> &Locks {
        &self.locks
    }

    /// Where processes that outlive their caller run.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Fires when the machine is switched off.
    pub(crate) fn power(&self) -> CancellationToken {
        lock(&self.power).clone()
    }

    /// Switches off: every process ends.
    pub(crate) fn power_off(&self) {
        let power = std::mem::take(&mut *lock(&self.power));
        power.cancel();
        lock(&self.processes).clear();
    }

    /// Puts a process into the table until the returned value is dropped.
    pub(crate) fn register(self: &Base, command: &str) -> Registration<'_> {
        let pid = self.next_pid.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            command: command.to_owned(),
            killed: CancellationToken::new(),
            signal: Arc::default(),
        };
        lock(&self.processes).insert(pid, entry.clone());
        Registration {
            base: self,
            pid,
            entry,
        }
    }

    /// Sends a signal; false when there is no such process. Signal 0 only asks.
    pub(crate) fn kill(&self, pid: u32, signal: u32) -> bool {
        let processes = lock(&self.processes);
        let Some(entry) = processes.get(&pid) else {
            return false;
        };
        if signal != 0 {
            entry.signal.store(signal, Ordering::Relaxed);
            entry.killed.cancel();
        }
        true
    }

    /// The process table: number and command line.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        lock(&self.processes)
            .iter()
            .map(|(pid, entry)| (*pid, entry.command.clone()))
            .collect()
    }

    /// Opens a path for reading.
    pub(crate) fn open(&self, path: &str) -> Result<Fd, Errno> {
        let files = self.files();
        let ino = files.lookup(path)?;
        match files.node(ino).map(|node| &node.kind) {
            Some(Kind::Device(name)) => Ok(device(name)),
            Some(_) => Ok(self.opened(ino, Mode::Read)),
            None => Err(Errno::NotFound),
        }
    }

    /// Opens a path for writing, made when absent.
    pub(crate) fn open_for_writing(
        &self,
        path: &str,
        mode: u32,
        append: bool,
        full: bool,
    ) -> Result<Fd, Errno> {
        let mut files = self.files();
        let ino = files.open_for_writing(path, mode, !append)?;
        match files.node(ino).map(|node| &node.kind) {
            Some(Kind::Device(name)) => Ok(device(name)),
            _ if full => Ok(self.opened(ino, Mode::Full)),
            _ if append => Ok(self.opened(ino, Mode::Append)),
            _ => Ok(self.opened(ino, Mode::Write)),
        }
    }

    fn opened(&self, ino: u64, mode: Mode) -> Fd {
        Fd::File(Arc::new(OpenFile {
            files: Arc::clone(&self.files),
            locks: Arc::clone(&self.locks),
            ino,
            id: self.next_open.fetch_add(1, Ordering::Relaxed),
            position: Mutex::new(0),
            mode,
        }))
    }
}

fn device(name: &str) -> Fd {
    match name {
        "urandom" | "random" => Fd::Random,
        "zero" => Fd::Zero,
        _ => Fd::Null,
    }
}

/// Every lock of this module guards plain data that no panic leaves half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in the process table.
#[derive(Debug)]
pub(crate) struct Registration<'a> {
    base: &'a Base,
    pid: u32,
    entry: Entry,
}

impl Registration<'_> {
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for a signal and returns its number.
    pub(crate) async fn signalled(&self) -> u32 {
        self.entry.killed.cancelled().await;
        self.entry.signal.load(Ordering::Relaxed)
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        lock(&self.base.processes).remove(&self.pid);
    }
}
