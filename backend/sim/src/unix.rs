//! A small Unix in memory: files, descriptors, processes, and a POSIX shell with busybox's applets.
//!
//! Guests, cluster nodes and the containers inside a guest are all a [`Machine`]; what is special about each
//! (`apk` and `docker`, `pct`, an app's own tools) they bring along. Nothing here knows of Proxmox or Docker.
//!
//! ```text
//! argv ─► process::execute ─► PATH lookup ─► applets::run │ Machine::run │ Shell (scripts, sh -c, sh -s)
//!                                 │                                          │
//!                               Files ◄──────────── Fd (pipe, file, client) ◄┘
//! ```
//!
//! An unknown program, option or construct is an error with the text that the real one would give; nothing
//! succeeds because it was not understood.

mod applets;
mod clock;
mod fd;
mod files;
mod glob;
mod locks;
mod machine;
mod path;
mod process;
mod regex;
mod shell;

pub(crate) use applets::{install as install_busybox, install_tools};
pub(crate) use applets::{tar, timestamp};
pub(crate) use clock::Clock;
pub(crate) use fd::{Fd, Fds, Input};
pub(crate) use files::{Errno, Files, Kind};
pub(crate) use machine::{Base, Flavour, Machine};
pub(crate) use process::{Call, Done, binary, execute, find as find_program};

#[cfg(test)]
mod tests;
