//! The simulated cluster: a Proxmox VE cluster that is not there.
//!
//! ```text
//!  rest (TLS, HTTP/1.1)   ssh (one server a node)   control (/sim/…)
//!        └──────── work (tasks) ── pct ───┘             │
//!                    │                                  │
//!                  model ───────── faults · pace ───────┘
//!                    │
//!                  guests: modelled in memory, or real LXC
//! ```
//! A leaf: it shares no code with the clients that talk to it, so that a misreading of the real API
//! cannot hide on both sides. [`Cluster::start`] opens the doors, [`Running`] holds the keys.

pub mod control;
pub mod faults;
pub mod guests;
pub mod options;
pub mod pace;
pub mod pct;

mod clock;
mod cluster;
mod failure;
mod hand;
mod life;
mod model;
mod params;
mod property;
mod rest;
mod running;
mod schema;
mod ssh;
mod unix;
mod visits;
mod wander;
mod work;

pub use cluster::Cluster;
pub use hand::{ContainerChange, Stranger};
pub use options::{
    Addresses, ErrorStyle, GuestsKind, Life, NodeOptions, Options, SshServers, Templates,
};
pub use pace::Pace;
pub use running::Running;
pub use visits::Visit;
