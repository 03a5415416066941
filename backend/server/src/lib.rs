//! Proximity over HTTP: pages for people, the JSON API, its server-sent events, its description, health and metrics.
//!
//! ```text
//!   socket ─► serve ─► layers, from the outside in                            ─► a handler in `api`
//!                      watch     request id, span, access log, metrics            extract: who asks, what
//!                      headers   security headers, compression                    one call into `control`
//!                      problem   every error becomes RFC 9457                     answer: a type of `api`
//!                      guard     panics and time limits
//! ```
//!
//! [`router()`] is the table of contents. This crate must not know Proxmox, SSH or SQL: all that it can do is
//! ask [`control::Control`].

mod api;
mod docs;
mod error;
mod extract;
mod health;
mod layer;
mod metrics;
mod openapi;
mod problem;
mod router;
mod serve;
mod site;
mod sse;
mod stopping;
mod swap;
mod web;

pub use extract::{NoProxies, Proxies};
pub use openapi::document;
pub use router::{Options, router, setup_router};
pub use serve::{GRACE, serve, serve_within};
pub use swap::{Swap, swappable};
