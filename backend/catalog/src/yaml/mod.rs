//! YAML that somebody else wrote: read within a budget, every node with its line and column.
//!
//! ```text
//! bytes ─ size, UTF-8 ─► events ─ depth, weight of aliases, duplicate keys ─► Node ─► Fields (typed, unknown keys named)
//! ```
//!
//! Nothing here knows what the document means. Scalars keep their text; whether `017` is a number is for the one who
//! asks, because compose and this crate need not agree.

mod build;
mod fields;
mod mapping;
mod node;

pub(crate) use build::read;
pub(crate) use fields::Fields;
pub(crate) use node::{Kind, Map, Node, Scalar};

/// Largest document, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Largest document with its aliases expanded, in bytes and nodes: stops a small file that means gigabytes.
const MAX_WEIGHT: usize = 4 * 1024 * 1024;
/// Most aliases in a document.
const MAX_ALIASES: usize = 500;
