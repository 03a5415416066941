//! Commands on the nodes of a cluster and in their containers, over SSH.
//!
//! ```text
//! Pool ─ lane per node ─ permit (fair) ─ idle Connection, or a fresh one
//!                                           │ connect ▸ host key ▸ authenticate   (blocking thread)
//!                                           ▼
//!   Envelope: the command line  ──────►  channel ◄──── stdin
//!   Hearing:  marks, capture, lines ◄──  stdout, stderr                           (non-blocking, async)
//! ```
//!
//! Three decisions shape the crate.
//!
//! * **One connection, one command at a time.** libssh2 is not safe when channels of one session are used from several
//!   threads, so a connection is handed out whole and comes back only when its command has ended in an orderly way.
//!   A dropped future drops the connection with it; nothing has to be told to stop.
//! * **Exit codes are told by the command itself.** `pct` and `ssh` use 1, 2 and 255 for their own failures, so the
//!   envelope around every command prints a mark when it begins and another, with the code, when it ends. No first mark: the
//!   command never ran. No second mark: nobody knows what it did, which is [`Error::Cut`].
//! * **The far side is bounded too.** Closing a channel does not stop what `pct exec` started; every command runs
//!   under `timeout`.
//!
//! The crate knows nothing of apps, of the REST API or of the database.

mod auth;
mod command;
mod connection;
mod envelope;
mod error;
mod exchange;
mod follow;
mod handshake;
mod hearing;
mod host;
mod marks;
mod output;
mod pct;
mod pool;
mod settings;
mod upload;
mod verdict;

pub use command::{Command, LineSink, Stream};
pub use connection::scan_host_key;
pub use error::Error;
pub use follow::Lines;
pub use host::{Host, HostKey, HostKeyError};
pub use output::Output;
pub use pool::Pool;
pub use settings::{Auth, Settings};
pub use upload::Upload;
