//! Behaviour of the engine, seen from outside: through sagas over a model world, and through its
//! journal.

// `cfg(test)` is always true here; it tells the lints that functions beside the tests are tests'
// own.
#[cfg(test)]
mod drive;
#[cfg(test)]
mod interruptions;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod position;
#[cfg(test)]
mod stuck;
#[cfg(test)]
mod work;
#[cfg(test)]
mod world;
