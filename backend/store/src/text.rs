//! Values as both databases keep them: texts without NUL, JSON as text, words of enums.
//!
//! JSON is kept as text, and not in a JSON column, because PostgreSQL's refuses `\u0000`, reorders keys and
//! rewrites numbers, and nothing is ever searched inside of it.

use std::{fmt, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// Longest line of progress or message that is kept, in bytes.
const LONGEST: usize = 8 * 1024;

/// A text from outside, as it can be stored: PostgreSQL takes no NUL, and nobody reads a line of a megabyte.
pub(crate) fn clean(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cleaned = text[..end].replace('\0', "\u{fffd}");
    if end < text.len() {
        cleaned.push('…');
    }
    cleaned
}

/// A value as JSON text.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("rows hold only plain values, which JSON can write")
}

/// A value out of JSON text; `place` names table and column.
pub(crate) fn from_json<T: DeserializeOwned>(place: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| corrupt(place, error))
}

/// An id or a word out of its text; `place` names table and column.
pub(crate) fn parse<T: FromStr<Err: fmt::Display>>(place: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|error| corrupt(place, error))
}

/// The same where the column may be empty.
pub(crate) fn parse_some<T: FromStr<Err: fmt::Display>>(
    place: &'static str,
    text: Option<&str>,
) -> Result<Option<T>> {
    text.map(|text| parse(place, text)).transpose()
}

/// A size or a count out of the databases' only integer, which has a sign.
pub(crate) fn count<T: TryFrom<i64, Error: fmt::Display>>(
    place: &'static str,
    value: i64,
) -> Result<T> {
    T::try_from(value).map_err(|error| corrupt(place, error))
}

/// A size in bytes as the databases keep it; 8 EiB and more become the largest that they can.
pub(crate) fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A small count as the databases keep it.
pub(crate) fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn corrupt(place: &'static str, reason: impl fmt::Display) -> Error {
    Error::Corrupt {
        place,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_line_becomes_storable() {
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
        let long = "é".repeat(LONGEST);
        let kept = clean(&long);
        assert!(kept.len() <= LONGEST + '…'.len_utf8() && kept.ends_with('…'));
    }
}
