//! What the containers of a simulated cluster are made of.
//!
//! The REST face, the tasks and the locks are the same for both kinds of guests: [`modelled`] ones, which
//! live in memory and understand shell scripts, and real ones ([`lxc`]), which the lab uses. A guest knows
//! nothing of nodes, permissions or tasks; it is told what to do and says how it went.

pub mod lxc;
pub mod modelled;

use std::net::IpAddr;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What a guest is made from; the parts of `POST /nodes/{node}/lxc` that a guest can notice.
#[derive(Clone, Debug)]
pub struct GuestSpec {
    /// Cluster-wide number of the container.
    pub vmid: u32,
    /// Node that owns the container.
    pub node: String,
    /// Host name inside the container.
    pub hostname: String,
    /// File name of the template, e.g. `alpine-3.23-default_20260116_amd64.tar.xz`.
    pub template: String,
    /// Root file system size in bytes.
    pub disk: u64,
    /// Memory limit in bytes.
    pub memory: u64,
    /// Swap limit in bytes.
    pub swap: u64,
    /// CPU cores; `None` is all.
    pub cores: Option<u32>,
    /// MAC address of `net0`.
    pub hwaddr: String,
    /// Bridge of `net0`.
    pub bridge: String,
    /// Static address with prefix (`10.0.0.7/24`) or `None` for DHCP.
    pub address: Option<String>,
    /// Gateway of a static address.
    pub gateway: Option<String>,
    /// Whether `features` holds `nesting=1`; Docker does not work without it.
    pub nesting: bool,
    /// Whether `features` holds `keyctl=1`.
    pub keyctl: bool,
}

/// One network interface as `ip address` inside the guest shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestInterface {
    /// Interface name (`lo`, `eth0`, `docker0`, …).
    pub name: String,
    /// MAC address, lower case, with colons.
    pub hwaddr: String,
    /// Addresses with their prefix length.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// One piece of what a process in a guest writes.
#[derive(Clone, Debug)]
pub enum Output {
    /// A piece of standard output.
    Stdout(Bytes),
    /// A piece of standard error.
    Stderr(Bytes),
}

/// A process to run in a guest, as `lxc-attach` would start it: argv without a shell.
#[derive(Debug)]
pub struct Process {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Whole environment.
    pub env: Vec<(String, String)>,
    /// Standard input; closed when the sender is dropped.
    pub stdin: mpsc::Receiver<Bytes>,
    /// Where output goes, in order.
    pub output: mpsc::Sender<Output>,
    /// Fires when the caller is gone for good. A process in a guest outlives its caller
    /// (closing an SSH session does not stop what `pct exec` started), so this fires only when the guest stops.
    pub killed: CancellationToken,
}

/// The guests of one simulated cluster. Errors are the text that Proxmox's task log would carry.
#[async_trait]
pub trait Guests: Send + Sync + 'static {
    /// Makes the guest's disk from its template. On an error nothing is left.
    async fn create(
        &self,
        spec: &GuestSpec,
        log: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), String>;

    /// Applies a changed spec (features, memory, …); takes effect at the next start.
    async fn reconfigure(&self, spec: &GuestSpec) -> Result<(), String>;

    /// Boots a stopped guest; returns once its init runs (addresses come later).
    async fn start(&self, vmid: u32) -> Result<(), String>;

    /// Asks the guest's init to power off and waits until it has.
    async fn shutdown(&self, vmid: u32) -> Result<(), String>;

    /// Kills a guest at once.
    async fn stop(&self, vmid: u32) -> Result<(), String>;

    /// Removes a stopped guest and its disk. A guest that does not exist is fine.
    async fn destroy(&self, vmid: u32) -> Result<(), String>;

    /// Whether the guest runs now.
    async fn is_running(&self, vmid: u32) -> bool;

    /// Interfaces of a running guest; `None` when it does not run.
    async fn interfaces(&self, vmid: u32) -> Option<Vec<GuestInterface>>;

    /// Bytes used on the guest's disk.
    async fn disk_used(&self, vmid: u32) -> u64;

    /// Bytes of memory in use.
    async fn memory_used(&self, vmid: u32) -> u64;

    /// What else there is to know of all guests, for `GET /sim/state`; kinds that cannot tell say nothing.
    fn inventory(&self) -> serde_json::Value {
        serde_json::Value::Array(Vec::new())
    }

    /// Runs a process in a running guest to its end and returns its exit code (127 not found, 126 not
    /// executable, 128+n killed by a signal).
    async fn exec(&self, vmid: u32, process: Process) -> i32;
}
