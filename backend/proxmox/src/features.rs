//! What a container may do beyond the usual.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidName, forms};

/// One switch of a container's `features`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Containers inside: Docker needs it. The only one that an identity other than `root@pam` may set.
    Nesting,
    /// The `keyctl` system call.
    Keyctl,
    /// FUSE file systems.
    Fuse,
    /// Making device nodes.
    Mknod,
    /// `/sys` writable.
    ForceRwSys,
}

impl Feature {
    const ALL: [Self; 5] = [
        Self::Nesting,
        Self::Keyctl,
        Self::Fuse,
        Self::Mknod,
        Self::ForceRwSys,
    ];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nesting => "nesting",
            Self::Keyctl => "keyctl",
            Self::Fuse => "fuse",
            Self::Mknod => "mknod",
            Self::ForceRwSys => "force_rw_sys",
        }
    }
}

/// A container's `features`, written `nesting=1,keyctl=1`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Features {
    on: BTreeSet<Feature>,
    mount: Vec<String>,
}

impl Features {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nesting alone, which every identity may set.
    pub fn nesting() -> Self {
        Self::default().with(Feature::Nesting)
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, feature: Feature) -> Self {
        self.on.insert(feature);
        self
    }

    /// Whether this one is on.
    pub fn has(&self, feature: Feature) -> bool {
        self.on.contains(&feature)
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.on.is_empty() && self.mount.is_empty()
    }

    /// Whether only `root@pam` by ticket may set these, or root on the node itself.
    pub fn needs_root(&self) -> bool {
        !self.mount.is_empty() || self.on.iter().any(|feature| *feature != Feature::Nesting)
    }

    /// The part that every identity may set; the rest is left for `pct set` on the node.
    #[must_use]
    pub fn without_root(&self) -> Self {
        if self.has(Feature::Nesting) {
            Self::nesting()
        } else {
            Self::none()
        }
    }
}

impl FromStr for Features {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName::new("list of container features", text);
        let mut features = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once('=').ok_or_else(invalid)?;
            if name == "mount" {
                let type_name = |name: &str| {
                    !name.is_empty()
                        && name
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                };
                features.mount = value.split([';', ' ']).map(str::to_owned).collect();
                if !features.mount.iter().all(|name| type_name(name)) {
                    return Err(invalid());
                }
                continue;
            }
            let feature = Feature::ALL
                .into_iter()
                .find(|feature| feature.as_str() == name)
                .ok_or_else(invalid)?;
            if forms::parse_flag(value).ok_or_else(invalid)? {
                features.on.insert(feature);
            }
        }
        Ok(features)
    }
}

impl TryFrom<String> for Features {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Features> for String {
    fn from(features: Features) -> Self {
        features.to_string()
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self
            .on
            .iter()
            .map(|feature| format!("{}=1", feature.as_str()))
            .collect();
        if !self.mount.is_empty() {
            parts.push(format!("mount={}", self.mount.join(";")));
        }
        f.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_written() {
        for (text, shown) in [
            ("nesting=1,keyctl=1", "nesting=1,keyctl=1"),
            ("keyctl=1,nesting=1", "nesting=1,keyctl=1"),
            ("fuse=1,mount=nfs;cifs,nesting=0", "fuse=1,mount=nfs;cifs"),
            ("nesting=yes", "nesting=1"),
            ("nesting=0", ""),
            ("", ""),
        ] {
            assert_eq!(text.parse::<Features>().unwrap().to_string(), shown);
        }
        for text in [
            "nesting",
            "nesting=2",
            "magic=1",
            "mount=",
            "mount=$(x)",
            "nesting=1;keyctl=1",
        ] {
            assert!(text.parse::<Features>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_nesting_is_for_everybody() {
        let both = Features::nesting().with(Feature::Keyctl);
        assert!(
            both.needs_root()
                && !Features::nesting().needs_root()
                && !Features::none().needs_root()
        );
        assert_eq!(both.without_root(), Features::nesting());
        assert!("mount=nfs".parse::<Features>().unwrap().needs_root());
    }
}
