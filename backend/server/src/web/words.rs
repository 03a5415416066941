//! Sizes, times and counts for people.

use chrono::{DateTime, TimeDelta, Utc};

/// Bytes: `1.5 GiB`, `512 MiB`, `0`.
#[expect(clippy::cast_precision_loss, reason = "rounded to a tenth anyway")]
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return match bytes {
            0 => "0".to_owned(),
            _ => format!("{bytes} B"),
        };
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    let amount = if amount >= 99.95 {
        format!("{amount:.0}")
    } else {
        format!("{amount:.1}")
    };
    let amount = amount.strip_suffix(".0").unwrap_or(&amount);
    format!("{amount}\u{a0}{}", UNITS[unit])
}

/// How long ago: `now`, `5 min ago`, `3 h ago`, `2 d ago`; `in 5 min` for what is to come.
pub(crate) fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - time;
    let far = span(passed.abs());
    match (
        passed.abs() < TimeDelta::seconds(45),
        passed > TimeDelta::zero(),
    ) {
        (true, _) => "just now".to_owned(),
        (_, true) => format!("{far} ago"),
        (_, false) => format!("in {far}"),
    }
}

fn span(span: TimeDelta) -> String {
    let minutes = (span.num_seconds() + 30) / 60;
    match minutes {
        ..60 => format!("{} min", minutes.max(1)),
        60..1440 => format!("{} h", minutes / 60),
        1440..86400 => format!("{} d", minutes / 1440),
        _ => format!("{} months", minutes / 43200),
    }
}

/// How long something takes or took: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 9.95 {
        let text = format!("{seconds:.1}");
        return format!("{}\u{a0}s", text.strip_suffix(".0").unwrap_or(&text));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and shorter than a life"
    )]
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds}\u{a0}s"),
        (0, minutes, 0) => format!("{minutes}\u{a0}min"),
        (0, minutes, seconds) => format!("{minutes}\u{a0}min {seconds}\u{a0}s"),
        (hours, 0, _) => format!("{hours}\u{a0}h"),
        (hours, minutes, _) => format!("{hours}\u{a0}h {minutes}\u{a0}min"),
    }
}

/// The time of day: `12:00:05`.
pub(crate) fn clock(time: DateTime<Utc>) -> String {
    time.format("%H:%M:%S").to_string()
}

/// The exact time, for whoever asks: `2026-11-21 12:00:05 UTC`.
pub(crate) fn exact(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let shown = |size| bytes(size).replace('\u{a0}', " ");
        assert_eq!(shown(0), "0");
        assert_eq!(shown(512 << 20), "512 MiB");
        assert_eq!(shown(1 << 30), "1 GiB");
        assert_eq!(shown(3 << 29), "1.5 GiB");
        assert_eq!(shown((1 << 30) - 1), "1 GiB");
        assert_eq!(shown(5 << 40), "5 TiB");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = DateTime::from_timestamp(10_000_000, 0).unwrap();
        let told = |seconds| ago(now - TimeDelta::seconds(seconds), now);
        assert_eq!(told(0), "just now");
        assert_eq!(told(50), "1 min ago");
        assert_eq!(told(3600 * 3), "3 h ago");
        assert_eq!(told(86400 * 2), "2 d ago");
        assert_eq!(told(-600), "in 10 min");
    }

    #[test]
    fn durations_are_short() {
        let shown = |seconds| duration(seconds).replace('\u{a0}', " ");
        assert_eq!(shown(0.42), "0.4 s");
        assert_eq!(shown(12.2), "12 s");
        assert_eq!(shown(185.0), "3 min 5 s");
        assert_eq!(shown(7440.0), "2 h 4 min");
    }
}
