//! What operations do to a cluster, and what they leave.

mod backup;
mod crash;
mod disk;
mod failures;
mod foreign;
pub(crate) mod kills;
mod life;
mod many;
mod matrix;
mod recovery;
mod replicas;
mod safeguards;
mod stop;
mod watched;

use crate::world::{Builder, World};

/// Where the tests of `crash`, `failures`, `life` and `safeguards` take place: here one process on SQLite, in `replicas` two on
/// PostgreSQL.
fn world() -> Builder {
    World::new()
}
