//! proximity
fn main() {}
