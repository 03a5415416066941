//! Names of nodes and storages. They reach URLs and command lines, so nothing else passes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct InvalidName {
    kind: &'static str,
    text: String,
}

impl InvalidName {
    pub(crate) fn new(kind: &'static str, text: &str) -> Self {
        Self {
            kind,
            text: text.chars().take(100).collect(),
        }
    }
}

/// A node's name (`pve-node`): one DNS label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// A storage's name (`pve-storage-id`): letters, digits and `-_.`, from a letter on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorageName(String);

fn is_node(text: &str) -> bool {
    crate::validate::is_label(text)
}

fn is_storage(text: &str) -> bool {
    let bytes = text.as_bytes();
    (2..=100).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

macro_rules! name {
    ($type:ident, $kind:literal, $check:path) => {
        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName::new($kind, text))
                }
            }
        }
        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(NodeName, "node name", is_node);
name!(StorageName, "storage name", is_storage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_clusters_pass() {
        for text in ["pve", "pve-1", "N1", "0a"] {
            assert_eq!(text.parse::<NodeName>().unwrap().as_str(), text);
        }
        for text in ["local", "local-lvm", "nas_1.fast", "S3"] {
            assert_eq!(text.parse::<StorageName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nothing_that_means_something_to_a_path_or_shell_passes() {
        for text in [
            "", "-a", "a-", "..", "a/b", "a b", "a;b", "pve.lan", "ä", "a\n", "$(x)",
        ] {
            assert!(text.parse::<NodeName>().is_err(), "{text:?}");
        }
        for text in ["", "l", "1a", "..", "a/b", "a b", "a.", "a\n"] {
            assert!(text.parse::<StorageName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn serde_checks_too() {
        assert!(serde_json::from_str::<NodeName>("\"pve/../x\"").is_err());
        assert_eq!(
            serde_json::to_string(&"pve".parse::<NodeName>().unwrap()).unwrap(),
            "\"pve\""
        );
    }
}
