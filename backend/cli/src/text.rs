//! Words for people: ages, lengths of time, and names that cannot paint the terminal.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

/// The text with everything spelt out that a terminal would obey rather than show: control characters, and
/// the marks that turn the direction of writing (which let a name look like another).
pub(crate) fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_turning(character) {
            // A formatter that writes into a `String` cannot fail.
            let _ = write!(shown, "{}", character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Bidirectional controls (Unicode Standard Annex 9), line separators and the byte order mark.
fn is_turning(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How long ago that was. The clocks of two machines differ: what lies ahead is now.
pub(crate) fn age(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - time).num_seconds();
    match seconds {
        ..5 => "just now".to_owned(),
        5..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        86_400..5_184_000 => format!("{}d ago", seconds / 86_400),
        _ => time.format("%Y-%m-%d").to_string(),
    }
}

/// A length of time: `0.4s`, `12s`, `3m 07s`, `2h 05m`.
pub(crate) fn length(time: TimeDelta) -> String {
    let milliseconds = time.num_milliseconds().max(0);
    let seconds = milliseconds / 1_000;
    match seconds {
        ..10 => format!("{seconds}.{}s", milliseconds % 1_000 / 100),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A word of the wire as people write it: `create_container` is "create container".
pub(crate) fn words(name: &str) -> String {
    clean(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
        assert_eq!(
            clean("a\u{1b}[2Jb\r\n\u{9b}\u{202e}c"),
            r"a\u{1b}[2Jb\r\n\u{9b}\u{202e}c"
        );
        assert_eq!(clean("Zürich 東京 🦀"), "Zürich 東京 🦀");
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let told = |seconds| age(now - TimeDelta::seconds(seconds), now);
        assert_eq!(told(-90), "just now");
        assert_eq!(told(59), "59s ago");
        assert_eq!(told(60), "1m ago");
        assert_eq!(told(7_199), "1h ago");
        assert_eq!(told(86_400 * 3), "3d ago");
        assert_eq!(told(86_400 * 60), "2026-11-16");
    }

    #[test]
    fn lengths_keep_two_units() {
        let told = |milliseconds| length(TimeDelta::milliseconds(milliseconds));
        assert_eq!(told(-3), "0.0s");
        assert_eq!(told(1_250), "1.2s");
        assert_eq!(told(59_999), "59s");
        assert_eq!(told(187_000), "3m 07s");
        assert_eq!(told(7_500_000), "2h 05m");
    }
}
