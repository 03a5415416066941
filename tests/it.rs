//! Behaviour of the whole: the program as a process, over real sockets, against a simulated cluster, and
//! against real containers in the lab.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may panic, and says what it skips"
)]
#![expect(
    clippy::duplicate_mod,
    reason = "the same tests, once with one process and once with two replicas"
)]

mod api;
mod demo;
mod doctor;
mod lab;
mod operations;
mod processes;
mod setup;
mod web;
mod world;
