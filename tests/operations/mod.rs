//! What operations do to a cluster, and what they leave.

mod backup;
mod crash;
mod failures;
mod foreign;
pub(crate) mod kills;
mod life;
mod many;
mod matrix;
mod recovery;
mod stop;
