//! A client for the Proxmox VE REST API: typed calls, tasks, and errors named by what a caller can do.
//!
//! ```text
//! Client::create_container ─► Request (what is asked) ─► transport (hosts, TLS, time-outs) ─► Answer
//!                                    ▲                        ▲                                 │
//!                               Endpoint (the table)     session (ticket or token)      data or Error
//! ```
//!
//! Three rules hold everywhere. A request that changes something is sent at most once: when its answer is lost the caller
//! gets [`Error::Unknown`] and has to look. Everything that comes back is hostile until parsed, and Proxmox writes numbers
//! and booleans in many forms, so all decoding goes through one place that accepts these forms and nothing else.
//! No secret appears in an error, a log line or a `Debug`.
//!
//! This crate knows nothing of apps, operations or databases.

mod answer;
mod bridge;
mod certificate;
mod change;
mod client;
mod cluster;
mod config;
mod container;
mod create;
mod endpoint;
mod error;
mod features;
mod fields;
mod fingerprint;
mod forms;
mod guest;
mod host;
mod interface;
mod name;
mod net;
mod node;
mod percent;
mod permission;
mod power;
mod refusal;
mod request;
mod session;
mod shapes;
mod snapshot;
mod status;
mod storage;
mod task;
mod template;
mod tls;
mod transport;
mod upid;
mod validate;
mod version;
mod vmid;
mod wait;
mod wrong;

pub use bridge::Bridge;
pub use certificate::{Certificate, probe_certificate};
pub use change::ConfigChange;
pub use client::{Auth, Client, Config, Identity, IdentityKind, Trust};
pub use cluster::{ClusterNode, ClusterStatus};
pub use config::{ContainerConfig, RootVolume};
pub use container::DeleteOptions;
pub use create::{CreateContainer, RootDisk};
pub use error::Error;
pub use features::{Feature, Features};
pub use fingerprint::Fingerprint;
pub use guest::{GuestKind, GuestSummary};
pub use host::HostPort;
pub use interface::{Address, Interface};
pub use name::{InvalidName, NodeName, StorageName};
pub use net::{Ipv4, Ipv6, Net};
pub use node::{NodeStatus, NodeSummary};
pub use permission::Permissions;
pub use power::Power;
pub use shapes::{RequestShape, requests};
pub use snapshot::Snapshot;
pub use status::ContainerStatus;
pub use storage::Storage;
pub use task::{Exit, LogLine, TaskFilter, TaskSource, TaskStatus, TaskSummary};
pub use template::{TemplateFile, TemplateOffer};
pub use upid::Upid;
pub use version::Version;
pub use vmid::Vmid;

/// What every call of this crate answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;
