//! The catalog from outside: entries in, projects out.

#![expect(
    clippy::unwrap_used,
    reason = "in tests a panic is the report, also in their own functions"
)]

mod bundle;
mod catalog_files;
mod compose_files;
mod corpora;
mod first_party;
mod hostile;
mod manifest;
mod real_compose;
mod render;
mod resolve;
mod robust;
mod support;
