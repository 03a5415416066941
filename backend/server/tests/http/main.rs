//! The service as its clients meet it: the real application with a database of its own, in front of a cluster
//! that does not answer. What needs a cluster is tested with the whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apps;
mod attempts;
mod body;
mod login;
mod offers;
mod outside;
mod pages;
mod palette;
mod stream;
mod world;
