//! How long simulated things take; the only place that waits for a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The pace of a simulated cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Nothing takes time; for tests.
    #[default]
    Instant,
    /// Things take about as long as on a small real cluster; for demonstrations.
    Realistic,
}

impl Pace {
    /// Lets this much simulated time pass.
    pub async fn take(self, time: Duration) {
        match self {
            Self::Instant => tokio::task::yield_now().await,
            Self::Realistic => tokio::time::sleep(time).await,
        }
    }

    /// Whether simulated time is real time.
    pub const fn is_realistic(self) -> bool {
        matches!(self, Self::Realistic)
    }
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "instant" => Ok(Self::Instant),
            "realistic" => Ok(Self::Realistic),
            _ => Err(format!("'{text}' is no pace: instant or realistic")),
        }
    }
}
