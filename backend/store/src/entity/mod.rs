//! The tables as sea-orm sees them. Nothing of this leaves the crate: what the repositories answer are plain rows.

#![expect(
    unreachable_pub,
    reason = "the derive macros write public items beside these"
)]

pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod counter;
pub(crate) mod duty;
pub(crate) mod event;
pub(crate) mod idempotency_key;
pub(crate) mod known_host;
pub(crate) mod operation;
pub(crate) mod release;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod token;
pub(crate) mod user;
