//! The commands against a service that plays the API from recorded answers, over real sockets.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod deploy;
mod fixtures;
mod login;
mod reading;
mod refusals;
mod streams;
mod support;
