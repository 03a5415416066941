//! Writing `.env` so that every value arrives unchanged.
//!
//! `docker compose` reads the file with the parser of compose-go (package `dotenv`), which is not a shell:
//!
//! * Between single quotes everything is literal, line breaks too. There is no escape, but a backslash before a quote
//!   keeps the quote from closing, so such a value may neither hold `'` nor end in `\`.
//! * Between double quotes `\\`, `\"`, `\r`, `\n`, … are escapes, `\$` and `$$` are a dollar and other dollars begin a
//!   variable. Releases before 2026 look only one character back to see whether a quote is escaped, and take `\\"` for
//!   an escaped quote; hence a backslash at the end is written in octal, `\0134`, which all of them read.
//! * A carriage return is written as an escape, because some releases turn CR LF into LF when they read a file.

use std::fmt::Write;

/// The text of a `.env` file. Values must not hold NUL, which no environment can carry.
pub(crate) fn write<'v>(values: impl IntoIterator<Item = (&'v str, String)>) -> String {
    let mut out = String::from("# Written by Proximity; a deployment writes it anew.\n");
    for (name, value) in values {
        let quoted = quote(&value);
        writeln!(out, "{name}={quoted}").expect("writing to a string cannot fail");
    }
    out
}

fn quote(value: &str) -> String {
    debug_assert!(
        !value.contains('\0'),
        "NUL is refused when a value is checked"
    );
    if value.contains(['\'', '\r']) || value.ends_with('\\') {
        double(value)
    } else {
        format!("'{value}'")
    }
}

fn double(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    out.push('"');
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_none() => out.push_str("\\0134"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '$' => out.push_str("\\$"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The values of a `.env` file that this module wrote, also after a person changed it: plain values and comments are
/// understood, too. Variables inside values are kept as they are typed.
///
/// The error names the line, never a value.
pub(crate) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut values: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(values);
        }
        let line = || text[..text.len() - rest.len()].matches('\n').count() + 1;
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let (name, after) = rest
            .split_once('=')
            .filter(|(name, _)| !name.contains('\n'))
            .ok_or_else(|| format!("line {} is no `NAME=value`", line()))?;
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        if !crate::param::is_name(name) {
            return Err(format!(
                "line {} has no name that a variable can have",
                line()
            ));
        }
        let (value, after) =
            value(after).ok_or_else(|| format!("the quote in line {} is never closed", line()))?;
        values.retain(|(known, _)| known != name);
        values.push((name.to_owned(), value));
        rest = after;
    }
}

/// The value behind a `=` and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, after) = quoted.split_once('\'')?;
        return Some((value.to_owned(), after));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return unescape(quoted);
    }
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let value = line.split_once(" #").map_or(line, |(value, _)| value);
    Some((value.trim_end().to_owned(), after))
}

/// What stands between double quotes, up to the one that closes.
fn unescape(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\', '$'])?;
        out.push_str(&rest[..at]);
        let (mark, after) = rest[at..].split_at(1);
        rest = after;
        if mark == "\"" {
            return Some((out, rest));
        }
        if mark == "$" {
            // `$$` is a dollar; any other one stays what it is.
            rest = rest.strip_prefix('$').unwrap_or(rest);
            out.push('$');
            continue;
        }
        let octal = rest
            .strip_prefix('0')
            .and_then(|digits| digits.get(..3))
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = octal {
            out.push(char::from(code));
            rest = &rest[4..];
            continue;
        }
        let next = rest.chars().next()?;
        match next {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '\\' | '"' | '$' => out.push(next),
            other => out.extend(['\\', other]),
        }
        rest = &rest[next.len_utf8()..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// compose-go's reading of a quoted value, as its releases did it over the years.
    #[derive(Clone, Copy, Debug)]
    enum Release {
        /// A quote after a backslash never closes.
        LooksBackOne,
        /// Backslashes are paired; an escaped quote loses its backslash before escapes are expanded.
        Pairs,
    }

    fn parse(text: &str, release: Release) -> Vec<(String, String)> {
        let mut values = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if rest.starts_with('#') {
                rest = rest
                    .split_once('\n')
                    .map_or("", |(_, rest)| rest)
                    .trim_start();
                continue;
            }
            let (name, after) = rest.split_once('=').expect("a name");
            let after =
                after.trim_start_matches([' ', '\t', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{a0}']);
            let quote = after
                .chars()
                .next()
                .filter(|c| "'\"".contains(*c))
                .expect("a quote");
            let (raw, after) = quoted(&after[1..], quote, release).expect("a closing quote");
            let value = if quote == '"' {
                substitute(&expand(&raw))
            } else {
                raw
            };
            values.push((name.to_owned(), value));
            rest = after.trim_start();
        }
        values
    }

    fn quoted(text: &str, quote: char, release: Release) -> Option<(String, &str)> {
        let mut raw = String::new();
        let mut escaped = false;
        let mut previous = quote;
        for (at, c) in text.char_indices() {
            match release {
                Release::LooksBackOne => {
                    if c == quote && previous != '\\' {
                        return Some((raw, &text[at + 1..]));
                    }
                    raw.push(c);
                    previous = c;
                }
                Release::Pairs if escaped => {
                    escaped = false;
                    if c != quote {
                        raw.push('\\');
                    }
                    raw.push(c);
                }
                Release::Pairs if c == '\\' => escaped = true,
                Release::Pairs if c == quote => return Some((raw, &text[at + 1..])),
                Release::Pairs => raw.push(c),
            }
        }
        None
    }

    /// `\a \b \c \f \n \r \t \v \$ \" \\ \0ddd`, each replaced once, from left to right.
    fn expand(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(next) = rest.chars().next() else {
                out.push('\\');
                break;
            };
            let simple = match next {
                'a' => Some("\u{7}"),
                'b' => Some("\u{8}"),
                'f' => Some("\u{c}"),
                'n' => Some("\n"),
                'r' => Some("\r"),
                't' => Some("\t"),
                'v' => Some("\u{b}"),
                '"' => Some("\""),
                '\\' => Some("\\"),
                '$' => Some("$$"),
                _ => None,
            };
            if let Some(simple) = simple {
                out.push_str(simple);
                rest = &rest[1..];
                continue;
            }
            let digits: String = rest
                .strip_prefix('0')
                .unwrap_or_default()
                .chars()
                .take(3)
                .take_while(char::is_ascii_digit)
                .collect();
            match u8::from_str_radix(&digits, 8) {
                Ok(code) if digits.len() == 3 => {
                    out.push(char::from(code));
                    rest = &rest[4..];
                }
                _ => out.push('\\'),
            }
        }
        out + rest
    }

    /// `$$` is a dollar; any other dollar would be a variable, and none is set here.
    fn substitute(text: &str) -> String {
        crate::interpolation::Interpolated::parse(text)
            .expect("compose would refuse the file")
            .fill(&|_| Some("SUBSTITUTED".to_owned()))
            .expect("no variable is required")
    }

    fn arrives(values: &[&str]) {
        let named: Vec<(String, String)> = values
            .iter()
            .enumerate()
            .map(|(i, v)| (format!("V{i}"), (*v).to_owned()))
            .collect();
        let text = write(named.iter().map(|(n, v)| (n.as_str(), v.clone())));
        for release in [Release::LooksBackOne, Release::Pairs] {
            assert_eq!(parse(&text, release), named, "{release:?}\n{text}");
        }
        assert_eq!(read(&text).as_ref(), Ok(&named), "{text}");
    }

    #[test]
    fn what_a_person_wrote_is_read_and_what_is_broken_is_named() {
        let text = "# mine\nA=plain value # not it\nexport B = 'x'\n\nA=\"again $$5 \\z\"\nC=\n";
        let pairs = [("B", "x"), ("A", "again $5 \\z"), ("C", "")];
        assert_eq!(
            read(text),
            Ok(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).into())
        );
        for (wrong, line) in [
            ("A=1\nhunter2\n", "line 2"),
            ("A='hunter2", "line 1"),
            ("\nA B=hunter2", "line 2"),
            ("A=\"hunter2\\", "line 1"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(
                error.contains(line) && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn awkward_values_arrive() {
        arrives(&[
            "",
            " leading and trailing ",
            "#no comment",
            "a #b",
            "${HOME}",
            "$HOME $$ $",
            "it's",
            "\"quoted\"",
            "both ' and \"",
            "back\\slash",
            "ends in \\",
            "ends in \\\\",
            "'\\",
            "\\'",
            "\\\"'",
            "two\nlines",
            "two\r\nlines",
            "tab\tand \\t \\n \\0134 \\x41",
            "`id` $(id)",
            "ünïcödé 🦀",
            "=a=b",
            "'",
            "\"",
            "\\",
            "$",
            "'$",
            "export X=1",
        ]);
    }

    #[test]
    fn ordinary_values_stay_readable() {
        assert_eq!(quote("p4ss word"), "'p4ss word'");
        assert_eq!(quote("it's"), "\"it's\"");
        assert_eq!(quote(""), "''");
    }

    proptest! {
        #[test]
        fn every_text_arrives(a in "[^\\x00]{0,40}", b in "[\\\\'\"$\r\n#{}a0 -]{0,24}", c in "[\\\\'\"$]{0,12}") {
            arrives(&[&a, &b, &c]);
        }
    }
}
