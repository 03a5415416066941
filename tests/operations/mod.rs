//! What operations do to a cluster, and what they leave.

mod backup;
mod crash;
mod failures;
pub(crate) mod kills;
mod life;
mod many;
mod stop;
