//! Several replicas on PostgreSQL: the same operations as by one process on SQLite, and what only several can meet.

#[path = "../crash.rs"]
mod crash;
#[path = "../failures.rs"]
mod failures;
#[path = "../life.rs"]
mod life;
#[path = "../safeguards.rs"]
mod safeguards;

mod drivers;
mod proxy;
mod rights;
mod rolling;
mod trouble;

use crate::world::{Builder, Postgres, World};

/// Where the tests of `crash`, `failures`, `life` and `safeguards` take place here.
fn world() -> Builder {
    if Postgres::is_installed() {
        World::new().replicas(2)
    } else {
        World::new()
    }
}
