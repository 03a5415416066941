//! Bytes and texts that must not show up in a log.

use std::fmt;

/// A value whose `Debug` does not show it: a hash of a secret, a sealed secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden<T>(
    /// The value.
    pub T,
);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

impl<T> From<T> for Hidden<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
