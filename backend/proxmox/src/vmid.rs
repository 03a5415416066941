//! The number of a guest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidName;

/// A guest's number (`pve-vmid`), 100 to 999,999,999. Unique in a cluster, reused as soon as it is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Vmid(u32);

impl Vmid {
    /// The smallest number that Proxmox gives.
    pub const MIN: Self = Self(100);
    /// The largest one that it accepts.
    pub const MAX: Self = Self(999_999_999);

    /// The number, when it is in range.
    pub fn new(number: u32) -> Result<Self, InvalidName> {
        if (Self::MIN.0..=Self::MAX.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidName::new("VMID", &number.to_string()))
        }
    }

    /// As a plain number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for Vmid {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // `u32::from_str` accepts a leading `+`, which no VMID has.
        let number = Some(text)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok());
        number
            .ok_or_else(|| InvalidName::new("VMID", text))
            .and_then(Self::new)
    }
}

impl TryFrom<u32> for Vmid {
    type Error = InvalidName;
    fn try_from(number: u32) -> Result<Self, InvalidName> {
        Self::new(number)
    }
}

impl From<Vmid> for u32 {
    fn from(vmid: Vmid) -> Self {
        vmid.0
    }
}

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_proxmox_own() {
        assert_eq!("100".parse::<Vmid>().unwrap(), Vmid::MIN);
        assert_eq!(Vmid::new(999_999_999).unwrap(), Vmid::MAX);
        for text in [
            "99",
            "1000000000",
            "",
            "+100",
            "1e3",
            "-100",
            "100 ",
            "99999999999999",
        ] {
            assert!(text.parse::<Vmid>().is_err(), "{text:?}");
        }
    }
}
