//! Forms of values that more than one setting has.

use std::{ops::RangeInclusive, time::Duration};

use proxmox::HostPort;

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn address(text: &str, default_port: u16) -> Option<(String, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => default_port,
            None => return None,
        };
        return (!host.is_empty()).then(|| (host.to_owned(), port));
    }
    match text.split_once(':') {
        // More than one colon without brackets: an IPv6 address alone.
        Some((_, rest)) if rest.contains(':') => Some((text.to_owned(), default_port)),
        Some((host, port)) => (!host.is_empty()).then_some((host.to_owned(), port.parse().ok()?)),
        None => (!text.is_empty()).then(|| (text.to_owned(), default_port)),
    }
}

/// An address of the Proxmox API.
pub(super) fn host(text: &str, default_port: u16) -> Option<HostPort> {
    let (host, port) = address(text, default_port)?;
    host.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
        .then_some(HostPort { host, port })
}

/// `180s`, `3m`, `1h`, `500ms`, or a number of seconds; more than nothing.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let duration = match &text[digits.len()..] {
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (!duration.is_zero() && duration <= Duration::from_hours(24)).then_some(duration)
}

/// `90d`, `12w`, or a shorter [`duration`]; `Some(None)` for `forever`.
#[expect(
    clippy::option_option,
    reason = "the outer says whether the text is one, the inner whether there is an end"
)]
pub(super) fn retention(text: &str) -> Option<Option<Duration>> {
    if text == "forever" {
        return Some(None);
    }
    let days = |number: &str, days: u64| -> Option<Duration> {
        let hours = number.parse::<u64>().ok()?.checked_mul(24 * days)?;
        let most = 24 * 366 * 1000;
        (1..=most)
            .contains(&hours)
            .then(|| Duration::from_hours(hours))
    };
    match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(number), _) => days(number, 1).map(Some),
        (_, Some(number)) => days(number, 7).map(Some),
        _ => duration(text).map(Some),
    }
}

/// `5000-5999`, within what Proxmox takes for a VMID.
pub(super) fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (100 <= first && first <= last && last <= 999_999_999).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_all_their_forms() {
        let read = |text| address(text, 22);
        assert_eq!(read("pve1"), Some(("pve1".to_owned(), 22)));
        assert_eq!(read("10.0.0.1:2222"), Some(("10.0.0.1".to_owned(), 2222)));
        assert_eq!(read("fd00::1"), Some(("fd00::1".to_owned(), 22)));
        assert_eq!(read("[fd00::1]:2222"), Some(("fd00::1".to_owned(), 2222)));
        for wrong in ["", ":22", "a:b", "[]:1", "[fd00::1]x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("180s"), Some(Duration::from_mins(3)));
        assert_eq!(duration("3m"), Some(Duration::from_mins(3)));
        assert_eq!(duration("45"), Some(Duration::from_secs(45)));
        for wrong in ["", "s", "-1s", "1.5m", "0s", "5 m", "9999999999999h", "25h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_retention_is_days_or_for_ever() {
        assert_eq!(retention("forever"), Some(None));
        assert_eq!(retention("2d"), Some(Some(Duration::from_hours(48))));
        assert_eq!(retention("1w"), Some(Some(Duration::from_hours(168))));
        assert_eq!(retention("1s"), Some(Some(Duration::from_secs(1))));
        for wrong in ["", "d", "0d", "-1d", "99999999999999999999w", "never", "1y"] {
            assert_eq!(retention(wrong), None, "{wrong}");
        }
    }
}
