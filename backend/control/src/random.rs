//! The one owner of randomness.

use rand::{TryRng as _, rngs::SysRng};

/// `N` bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

/// A text of `2 * N` hexadecimal digits from the operating system.
pub(crate) fn hex<const N: usize>() -> String {
    hex::encode(bytes::<N>())
}
