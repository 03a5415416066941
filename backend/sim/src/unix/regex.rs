//! POSIX regular expressions, by translation.

use std::fmt::Write;

/// A compiled expression.
pub(crate) struct Regex(fancy_regex::Regex);

impl Regex {
    /// A basic expression, as `grep` and `sed` read it.
    pub(crate) fn basic(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        Self::compile(&translate(pattern, true), ignore_case)
    }

    /// An extended expression, as with `-E`.
    pub(crate) fn extended(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        Self::compile(&translate(pattern, false), ignore_case)
    }

    /// A text that stands for itself.
    pub(crate) fn literal(text: &str, ignore_case: bool) -> Result<Self, String> {
        Self::compile(&fancy_regex::escape(text), ignore_case)
    }

    fn compile(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        let flags = if ignore_case { "(?i)" } else { "" };
        fancy_regex::Regex::new(&format!("{flags}{pattern}"))
            .map(Self)
            .map_err(|error| error.to_string())
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text).unwrap_or(false)
    }

    /// Non-empty matches from left to right.
    pub(crate) fn matches(&self, text: &str) -> Vec<String> {
        self.0
            .find_iter(text)
            .filter_map(Result::ok)
            .map(|found| found.as_str().to_owned())
            .filter(|found| !found.is_empty())
            .collect()
    }

    /// Replaces matches from the `first`th on, all or one of them; `None` when there was none. In the
    /// replacement `&` is the match, `\1` a group.
    pub(crate) fn replace(
        &self,
        text: &str,
        replacement: &str,
        first: usize,
        all: bool,
    ) -> Option<String> {
        let mut result = String::new();
        let mut at = 0;
        let mut changed = false;
        for (number, captures) in self
            .0
            .captures_iter(text)
            .filter_map(Result::ok)
            .enumerate()
        {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            if number + 1 < first || (changed && !all) {
                continue;
            }
            changed = true;
            result.push_str(&text[at..whole.start()]);
            let mut characters = replacement.chars();
            while let Some(c) = characters.next() {
                match c {
                    '&' => result.push_str(whole.as_str()),
                    '\\' => match characters.next() {
                        Some(digit @ '0'..='9') => {
                            let group = digit.to_digit(10).unwrap_or(0) as usize;
                            result.push_str(captures.get(group).map_or("", |group| group.as_str()));
                        }
                        Some('n') => result.push('\n'),
                        Some('t') => result.push('\t'),
                        Some(other) => result.push(other),
                        None => result.push('\\'),
                    },
                    other => result.push(other),
                }
            }
            at = whole.end();
        }
        result.push_str(&text[at..]);
        changed.then_some(result)
    }
}

/// Rewrites a POSIX expression for the engine: what has to be escaped differs, and brackets know no escapes.
fn translate(pattern: &str, basic: bool) -> String {
    let mut result = String::new();
    let mut characters = pattern.chars().peekable();
    let mut at_start = true;
    while let Some(c) = characters.next() {
        let starts = std::mem::replace(&mut at_start, false);
        match c {
            '[' => bracket(&mut characters, &mut result),
            '\\' => match characters.next() {
                Some(c @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) if basic => {
                    at_start = matches!(c, '(' | '|');
                    result.push(c);
                }
                Some('<' | '>') => result.push_str("\\b"),
                Some(c) if c.is_ascii_alphanumeric() => {
                    result.push('\\');
                    result.push(c);
                }
                Some(c) => {
                    // Writing to a String cannot fail.
                    let _ = write!(result, "\\{c}");
                }
                None => result.push_str("\\\\"),
            },
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if basic => {
                result.push('\\');
                result.push(c);
            }
            '*' if basic && starts => result.push_str("\\*"),
            '{' if !basic && !characters.peek().is_some_and(char::is_ascii_digit) => {
                result.push_str("\\{");
            }
            c => result.push(c),
        }
        if !basic && matches!(c, '(' | '|') {
            at_start = true;
        }
    }
    result
}

fn bracket(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, result: &mut String) {
    result.push('[');
    if characters.next_if_eq(&'^').is_some() {
        result.push('^');
    }
    if characters.next_if_eq(&']').is_some() {
        result.push_str("\\]");
    }
    while let Some(c) = characters.next() {
        match c {
            ']' => {
                result.push(']');
                return;
            }
            '[' if characters.peek() == Some(&':') => {
                result.push('[');
                for c in characters.by_ref() {
                    result.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '\\' | '&' | '~' => {
                result.push('\\');
                result.push(c);
            }
            c => result.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_dialects() {
        for (basic, pattern, text, expected) in [
            (true, "a+", "a+", true),
            (true, "a\\+b", "aab", true),
            (true, "\\(x\\|y\\)z", "yz", true),
            (true, "^[^#].*/main/*$", "http://x/v3/main", true),
            (true, "^[^#].*/community/*$", "#http://x/community", false),
            (true, "[[:digit:]]\\{2\\}", "a42", true),
            (true, "[\\/]", "a/b", true),
            (false, "^(a|b)+$", "abba", true),
            (false, "x{2}", "axxb", true),
            (false, "a.c", "abc", true),
        ] {
            let regex = if basic {
                Regex::basic(pattern, false)
            } else {
                Regex::extended(pattern, false)
            };
            assert_eq!(
                regex.unwrap().is_match(text),
                expected,
                "{pattern} in {text}"
            );
        }
        let regex = Regex::basic("\\(.*\\)=\\(.*\\)", false).unwrap();
        assert_eq!(
            regex.replace("a=b", "\\2-\\1&", 1, false).unwrap(),
            "b-aa=b"
        );
    }
}
