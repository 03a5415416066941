//! What a simulated cluster is started with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::guests::Guests;
use crate::pace::Pace;

/// Mebibytes and gibibytes in bytes.
pub(crate) const MIB: u64 = 1024 * 1024;
pub(crate) const GIB: u64 = 1024 * MIB;

/// What the containers of the cluster are made of.
#[derive(Clone, Default)]
pub enum GuestsKind {
    /// Guests in memory, which understand shell scripts.
    #[default]
    Modelled,
    /// Any other kind.
    Custom(Arc<dyn Guests>),
}

impl std::fmt::Debug for GuestsKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Modelled => "Modelled",
            Self::Custom(_) => "Custom",
        })
    }
}

/// How refusals look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorStyle {
    /// `message` in the JSON body and the reason phrase (Proxmox VE 8.4 and later).
    #[default]
    Message,
    /// Only the reason phrase (before), with numbers as strings in more places.
    ReasonOnly,
}

/// Where the newest Alpine template lies when the cluster starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Templates {
    /// On the first node; the others must download it.
    #[default]
    FirstNode,
    /// On every node.
    Everywhere,
    /// On no node.
    Nowhere,
}

/// How alive a cluster is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// Few neighbours, and figures that stand still.
    #[default]
    Still,
    /// The neighbours of [`Options::alive`], and figures of nodes and guests that move.
    Alive,
}

/// Which addresses DHCP gives to modelled guests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// 10.32.0.0/16: like those of a real network; nobody answers there.
    #[default]
    Private,
    /// A network of this machine's own in 127.64.0.0/10, one for each cluster: what a container publishes there is
    /// really answered, so that a browser on this machine can open it.
    Loopback,
}

/// Who serves SSH on the nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SshServers {
    /// The simulation, with `pct` against its own model and guests.
    #[default]
    Own,
    /// Somebody else, on the addresses of [`Options::ssh_listen`].
    Elsewhere,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Node name.
    pub name: String,
    /// Memory in bytes.
    pub memory: u64,
    /// Memory in bytes that the host itself and its other guests use.
    pub memory_used: u64,
    /// Logical processors.
    pub cpus: u32,
    /// Load of the processors, 0 to 1.
    pub cpu: f64,
    /// `x86_64` or `aarch64`.
    pub architecture: String,
    /// Size of `local-lvm` in bytes.
    pub pool: u64,
    /// Bytes of `local-lvm` that others use.
    pub pool_used: u64,
    /// Whether it is in maintenance from the start.
    pub maintenance: bool,
}

impl NodeOptions {
    /// The `index`-th (from 0) of a line of nodes that differ a little, as grown clusters do.
    pub fn nth(index: usize) -> Self {
        let (memory, used, cpus, cpu, pool, pool_used) = match index % 3 {
            0 => (32, 11, 8, 0.18, 320, 70),
            1 => (64, 17, 16, 0.09, 640, 120),
            _ => (16, 5, 4, 0.31, 160, 30),
        };
        Self {
            name: format!("pve{}", index + 1),
            memory: memory * GIB,
            memory_used: used * GIB,
            cpus,
            cpu,
            architecture: "x86_64".to_owned(),
            pool: pool * GIB,
            pool_used: pool_used * GIB,
            maintenance: false,
        }
    }
}

/// What a simulated cluster is started with; [`Options::default`] is one node, instant, on free ports.
#[derive(Clone, Debug)]
pub struct Options {
    /// The nodes, in order.
    pub nodes: Vec<NodeOptions>,
    /// Where the REST API listens; keep it on loopback, `/sim/…` asks for no login.
    pub listen: SocketAddr,
    /// Where the first node's SSH server listens; the next node takes the next address, same port.
    /// Port 0 gives each a free one.
    pub ssh_listen: SocketAddr,
    /// Who serves SSH there.
    pub ssh: SshServers,
    /// How long things take.
    pub pace: Pace,
    /// What the containers are made of.
    pub guests: GuestsKind,
    /// Password of `root@pam` and of `root` over SSH; drawn when absent.
    pub password: Option<String>,
    /// Public keys (`ssh-ed25519 AAAA…`) that may log in as `root` over SSH, besides the password.
    pub authorized_keys: Vec<String>,
    /// Whether the nodes' `pct` is from before `pct exec --keep-env` (pve-container 5.0.9).
    pub old_pct: bool,
    /// How refusals look.
    pub error_style: ErrorStyle,
    /// Where the newest Alpine template lies at the start.
    pub templates: Templates,
    /// Whether there is a shared storage `nfs`.
    pub shared_storage: bool,
    /// Whether virtual machines and containers of other people are there.
    pub neighbours: bool,
    /// Whether the figures move, and who the neighbours are.
    pub life: Life,
    /// Which addresses DHCP gives to modelled guests.
    pub addresses: Addresses,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: vec![NodeOptions::nth(0)],
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            ssh_listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 10)), 0),
            ssh: SshServers::default(),
            pace: Pace::Instant,
            guests: GuestsKind::default(),
            password: None,
            authorized_keys: Vec::new(),
            old_pct: false,
            error_style: ErrorStyle::default(),
            templates: Templates::default(),
            shared_storage: true,
            neighbours: true,
            life: Life::default(),
            addresses: Addresses::default(),
        }
    }
}

impl Options {
    /// The same with `count` nodes, `pve1` and on.
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        self.nodes = (0..count).map(NodeOptions::nth).collect();
        self
    }

    /// The address of the `index`-th node: the first one's, counted up.
    pub(crate) fn node_address(&self, index: usize) -> IpAddr {
        let step = u32::try_from(index).unwrap_or(u32::MAX);
        match self.ssh_listen.ip() {
            IpAddr::V4(first) => {
                IpAddr::V4(Ipv4Addr::from_bits(first.to_bits().wrapping_add(step)))
            }
            first @ IpAddr::V6(_) => first,
        }
    }
}
