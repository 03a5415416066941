//! What operations do to a cluster, and what they leave.

mod crash;
mod failures;
mod life;
