//! The simulated API over real sockets, as a client sees it.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a helper is the test; clippy spares only the tests themselves"
)]

mod access;
mod life;
mod pct;
mod ssh;
mod support;
mod trouble;
