//! The simulated cluster.

pub mod faults;
pub mod guests;
pub mod pace;
