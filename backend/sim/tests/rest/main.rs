//! The simulated API over real sockets, as a client sees it.

mod access;
mod life;
mod pct;
mod ssh;
mod support;
mod trouble;
