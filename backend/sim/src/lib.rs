//! The simulated cluster.

pub mod guests;
