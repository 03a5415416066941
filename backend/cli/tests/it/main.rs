//! The commands against a service that plays the API from recorded answers, over real sockets.

mod deploy;
mod fixtures;
mod login;
mod reading;
mod refusals;
mod streams;
mod support;
