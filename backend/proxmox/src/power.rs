//! Whether a guest runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whether a guest runs, as the API tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
    /// Nobody knows: its node does not answer, or says something else.
    Unknown,
}

impl Power {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for Power {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "running" => Self::Running,
            "stopped" => Self::Stopped,
            _ => Self::Unknown,
        })
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
