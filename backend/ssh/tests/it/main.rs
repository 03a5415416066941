//! The crate against a real OpenSSH server on this machine, with a stand-in for `pct` first in its PATH.
//!
//! Where `/usr/sbin/sshd` is not installed every test says so in a line and passes.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "the folder is tests throughout, also the functions that are none"
)]

mod commands;
mod containers;
mod endings;
mod follow;
mod pooling;
mod sshd;
mod trust;
mod uploads;
