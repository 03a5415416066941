//! Reading and following the logs of containers.

use std::time::{Duration, SystemTime};

use super::Docker;
use crate::unix::Call;

/// Which lines are asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::guests::modelled) struct LogQuery {
    /// The last ones only.
    pub(in crate::guests::modelled) tail: Option<usize>,
    pub(in crate::guests::modelled) since: Option<SystemTime>,
    pub(in crate::guests::modelled) timestamps: bool,
    pub(in crate::guests::modelled) follow: bool,
}

impl LogQuery {
    /// Reads `--tail`: a number, or all of them.
    pub(in crate::guests::modelled) fn tail_of(text: Option<&str>) -> Option<usize> {
        text.and_then(|text| text.parse().ok())
    }

    /// Reads `--since`: seconds since 1970, RFC 3339 in UTC, or how long ago (`90s`, `10m`, `2h`).
    pub(in crate::guests::modelled) fn since_of(
        text: Option<&str>,
        now: SystemTime,
    ) -> Option<SystemTime> {
        let text = text?;
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        }
        if text.contains('T') {
            return moment(text);
        }
        let number: u64 = text.trim_end_matches(['s', 'm', 'h']).parse().ok()?;
        let unit = match text.chars().last()? {
            'h' => 3600,
            'm' => 60,
            _ => 1,
        };
        now.checked_sub(Duration::from_secs(number * unit))
    }
}

/// `2026-11-21T09:03:38Z` (fractions of a second and offsets other than UTC are not read).
fn moment(text: &str) -> Option<SystemTime> {
    let numbers: Vec<i64> = text
        .split(['-', 'T', ':', 'Z', '.', '+'])
        .take(6)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [year, month, day, hour, minute, second] = numbers.as_slice() else {
        return None;
    };
    // Days from civil date after Howard Hinnant.
    let shifted = if *month <= 2 { year - 1 } else { *year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100
        + day_of_year
        - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// A container whose log is shown, and what stands in front of its lines.
#[derive(Clone, Debug)]
pub(in crate::guests::modelled) struct Shown {
    pub(in crate::guests::modelled) id: String,
    pub(in crate::guests::modelled) prefix: String,
}

/// Writes logs; follows them until none of the containers runs any more.
pub(in crate::guests::modelled) async fn follow(
    docker: Docker<'_>,
    call: &Call,
    shown: &[Shown],
    query: &LogQuery,
) -> Result<(), i32> {
    let mut changes = docker.state().watch();
    let mut seen: Vec<Option<SystemTime>> = vec![None; shown.len()];
    let mut first = true;
    loop {
        let (text, alive) = collect(docker, shown, query, first, &mut seen);
        if !text.is_empty() {
            call.out(text).await?;
        }
        first = false;
        if !query.follow || !alive {
            return Ok(());
        }
        tokio::select! {
            // Lines that containers write by themselves come by real time, at any pace.
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            // The sender lives as long as the guest.
            _ = changes.changed() => {}
        }
    }
}

/// The lines that were not shown yet, and whether more may come.
fn collect(
    docker: Docker<'_>,
    shown: &[Shown],
    query: &LogQuery,
    first: bool,
    seen: &mut [Option<SystemTime>],
) -> (String, bool) {
    let mut state = docker.state();
    let mut lines = Vec::new();
    let mut alive = false;
    for (number, shown) in shown.iter().enumerate() {
        let Some(container) = state.container_mut(&shown.id) else {
            continue;
        };
        container.live();
        alive |= container.is_up();
        let fresh: Vec<_> = container
            .log
            .iter()
            .filter(|line| seen[number].is_none_or(|seen| line.at > seen))
            .filter(|line| query.since.is_none_or(|since| line.at >= since))
            .collect();
        let skip = match query.tail {
            Some(tail) if first => fresh.len().saturating_sub(tail),
            _ => 0,
        };
        for line in fresh.into_iter().skip(skip) {
            let stamp = if query.timestamps {
                format!("{} ", precise(line.at))
            } else {
                String::new()
            };
            lines.push((line.at, format!("{}{stamp}{}\n", shown.prefix, line.text)));
        }
        seen[number] = container
            .log
            .iter()
            .map(|line| line.at)
            .max()
            .or(seen[number]);
    }
    lines.sort_by_key(|(at, _)| *at);
    (lines.into_iter().map(|(_, line)| line).collect(), alive)
}

/// RFC 3339 with nanoseconds, as Docker writes it.
pub(super) fn precise(time: SystemTime) -> String {
    let nanos = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    crate::unix::timestamp(time).replace('Z', &format!(".{nanos:09}Z"))
}
