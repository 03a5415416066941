//! The client over real sockets, against a server that speaks HTTP/1.1 by hand and so can lie, cut and hang.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod authority;
mod calls;
mod failover;
mod logging;
mod login;
mod refusal;
mod server;
mod tasks;
mod trust;
mod wire;
