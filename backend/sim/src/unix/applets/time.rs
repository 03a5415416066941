//! `sleep`, `timeout`, `date`.

use std::time::Duration;

use super::change::seconds;
use super::options::{Order, parse};
use crate::unix::machine::Flavour;
use crate::unix::process::{Call, Done, execute};

/// `90`, `1.5`, `10s`, `2m`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1.0),
        'm' => (&text[..text.len() - 1], 60.0),
        'h' => (&text[..text.len() - 1], 3600.0),
        'd' => (&text[..text.len() - 1], 86400.0),
        _ => (text, 1.0),
    };
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok()
}

pub(super) async fn sleep(call: &mut Call) -> Done {
    let mut total = Duration::ZERO;
    if call.args().is_empty() {
        return call.fail("missing operand").await;
    }
    for word in call.args() {
        if word == "infinity" {
            return std::future::pending().await;
        }
        match duration(word) {
            Some(time) => total += time,
            None => return call.fail(&format!("invalid number '{word}'")).await,
        }
    }
    call.clock.sleep(total).await;
    Ok(0)
}

/// The number of a signal by name or number.
pub(super) fn signal_number(name: &str) -> Option<i32> {
    Some(match name.trim_start_matches("SIG") {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "KILL" => 9,
        "USR1" => 10,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        "TERM" => 15,
        "CHLD" => 17,
        number => {
            return number
                .parse()
                .ok()
                .filter(|number| (0..=64).contains(number));
        }
    })
}

/// busybox: the program dies of the signal, hence 143; GNU: 124.
pub(super) async fn timeout(call: &mut Call) -> Done {
    let given = parse(call, "s:k:", Order::First).await?;
    let [limit, command @ ..] = given.operands.as_slice() else {
        return call.fail("missing operand").await;
    };
    let Some(limit) = duration(limit) else {
        return call.fail(&format!("invalid number '{limit}'")).await;
    };
    let Some(signal) = signal_number(given.value('s').unwrap_or("TERM")) else {
        return call
            .fail(&format!(
                "bad signal name '{}'",
                given.value('s').unwrap_or("")
            ))
            .await;
    };
    if command.is_empty() {
        return call.fail("missing operand").await;
    }
    let deadline = call.clock.elapsed() + limit;
    let run = execute(call.with(command.to_vec()));
    let ended = if limit.is_zero() {
        run.await
    } else {
        let clock = std::sync::Arc::clone(&call.clock);
        tokio::select! {
            // A program that is done is done, also when its time is just up.
            biased;
            ended = run => ended,
            () = clock.reaches(deadline) => {
                if call.machine.base().flavour() == Flavour::Debian {
                    return Ok(if signal == 9 { 137 } else { 124 });
                }
                if signal == 15 {
                    call.err("Terminated\n").await;
                }
                return Ok(128 + signal);
            }
        }
    };
    match ended {
        Ok(code) => Ok(code),
        Err(reason) => {
            let text = if reason.code() == 127 {
                "No such file or directory"
            } else {
                "Permission denied"
            };
            call.fail_with(
                reason.code(),
                &format!("can't execute '{}': {text}", command[0]),
            )
            .await
        }
    }
}

/// A moment in UTC.
pub(crate) struct Calendar {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
    weekday: usize,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The calendar date of a number of seconds since 1970 (days to civil date after Howard Hinnant).
pub(crate) fn calendar(seconds: u64) -> Calendar {
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    Calendar {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: u32::try_from(month).unwrap_or(1),
        day: u32::try_from(day_of_year - (153 * from_march + 2) / 5 + 1).unwrap_or(1),
        hour: seconds % 86_400 / 3_600,
        minute: seconds % 3_600 / 60,
        second: seconds % 60,
        weekday: usize::try_from(days.rem_euclid(7)).unwrap_or(0),
    }
}

impl Calendar {
    fn month_name(&self) -> &'static str {
        MONTHS[(self.month as usize - 1) % 12]
    }

    /// As `ls -l` shows it.
    pub(super) fn listing(&self) -> String {
        format!(
            "{} {:>2} {:02}:{:02}",
            self.month_name(),
            self.day,
            self.hour,
            self.minute
        )
    }

    /// `2026-11-21T09:03:38Z`.
    pub(crate) fn rfc3339(&self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

pub(super) async fn date(call: &mut Call) -> Done {
    let given = parse(call, "ud:", Order::Mixed).await?;
    let mut now = seconds(call.clock.now());
    if let Some(text) = given.value('d') {
        match text.strip_prefix('@').and_then(|text| text.parse().ok()) {
            Some(seconds) => now = seconds,
            None => return call.fail(&format!("invalid date '{text}'")).await,
        }
    }
    let moment = calendar(now);
    let default = "+%a %b %e %H:%M:%S UTC %Y".to_owned();
    let format = given.operands.first().unwrap_or(&default);
    let Some(format) = format.strip_prefix('+') else {
        return call.fail(&format!("invalid date '{format}'")).await;
    };
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match characters.next() {
            Some('s') => text.push_str(&now.to_string()),
            Some('Y') => text.push_str(&format!("{:04}", moment.year)),
            Some('m') => text.push_str(&format!("{:02}", moment.month)),
            Some('d') => text.push_str(&format!("{:02}", moment.day)),
            Some('e') => text.push_str(&format!("{:>2}", moment.day)),
            Some('H') => text.push_str(&format!("{:02}", moment.hour)),
            Some('M') => text.push_str(&format!("{:02}", moment.minute)),
            Some('S') => text.push_str(&format!("{:02}", moment.second)),
            Some('F') => text.push_str(&moment.rfc3339()[..10]),
            Some('T') => text.push_str(&moment.rfc3339()[11..19]),
            Some('a') => text.push_str(DAYS[moment.weekday]),
            Some('b') => text.push_str(moment.month_name()),
            Some('Z') => text.push_str("UTC"),
            Some('z') => text.push_str("+0000"),
            // busybox has no nanoseconds.
            Some('N') => {}
            Some('%') | None => text.push('%'),
            Some(other) => text.extend(['%', other]),
        }
    }
    call.out(format!("{text}\n")).await?;
    Ok(0)
}
