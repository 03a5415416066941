//! A time as people type it: `2h` ago, or a date with its time of day.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

/// A time, told by itself or by how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long ago.
    Ago(TimeDelta),
    /// Then.
    At(DateTime<Utc>),
}

/// The text is no time.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is neither a length of time such as 90m, 2h or 7d, nor a time such as 2026-11-21T08:00:00Z"
)]
pub(crate) struct NoMoment;

impl Moment {
    /// Which time that is when it is `now`.
    pub(crate) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            // Longer ago than there are dates: everything is later than that.
            Self::Ago(length) => now
                .checked_sub_signed(length)
                .unwrap_or(DateTime::UNIX_EPOCH),
            Self::At(time) => time,
        }
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        let split = text.len() - text.chars().next_back().map_or(0, char::len_utf8);
        let (number, unit) = text.split_at(split);
        let number: u32 = number.parse().map_err(|_| NoMoment)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(NoMoment),
        };
        Ok(Self::Ago(TimeDelta::seconds(i64::from(number) * seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_either_way() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Moment>().unwrap().at(now).to_rfc3339();
        assert_eq!(at("90m"), "2026-11-21T06:30:00+00:00");
        assert_eq!(at("7d"), "2026-11-14T08:00:00+00:00");
        assert_eq!(at("2026-01-02T03:04:05+01:00"), "2026-01-02T02:04:05+00:00");
        assert_eq!(at("4294967295w"), "1970-01-01T00:00:00+00:00");
        for wrong in ["", "d", "-1d", "1.5h", "7", "7 d", "yesterday", "1\u{fc}"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
