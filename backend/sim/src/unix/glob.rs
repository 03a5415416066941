//! Shell patterns: `*`, `?`, `[a-z]`, and a backslash that takes the next character literally.

/// Whether the whole of `text` fits `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits(&pattern, &text)
}

/// Whether a pattern holds anything but plain characters.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// The text that a pattern without wildcards stands for.
pub(crate) fn unescape(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            text.extend(characters.next());
        } else {
            text.push(c);
        }
    }
    text
}

/// A pattern that fits exactly this text.
pub(crate) fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn fits(mut pattern: &[char], mut text: &[char]) -> bool {
    // Where to go on after the last `*`, should a later part not fit.
    let mut retry: Option<(&[char], &[char])> = None;
    loop {
        let step = match pattern.split_first() {
            None if text.is_empty() => return true,
            None => None,
            Some((&'*', rest)) => {
                retry = Some((rest, text));
                pattern = rest;
                continue;
            }
            Some((&c, rest)) => text.split_first().and_then(|(&next, others)| {
                one(c, rest, next).map(|remaining| (remaining, others))
            }),
        };
        if let Some((remaining, others)) = step {
            (pattern, text) = (remaining, others);
            continue;
        }
        let Some((after, from)) = retry else {
            return false;
        };
        let Some((_, shorter)) = from.split_first() else {
            return false;
        };
        retry = Some((after, shorter));
        (pattern, text) = (after, shorter);
    }
}

/// Matches one character against the head of a pattern; the rest of the pattern when it fits.
fn one(head: char, rest: &[char], next: char) -> Option<&[char]> {
    match head {
        '?' => Some(rest),
        '\\' => match rest.split_first() {
            Some((&literal, after)) => (literal == next).then_some(after),
            None => (next == '\\').then_some(rest),
        },
        '[' => match set(rest, next) {
            Some((true, after)) => Some(after),
            Some((false, _)) => None,
            None => (next == '[').then_some(rest),
        },
        literal => (literal == next).then_some(rest),
    }
}

/// Reads a bracket expression after its `[`; `None` when it is not closed.
fn set(pattern: &[char], next: char) -> Option<(bool, &[char])> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let mut low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((found != negated, &pattern[at + 1..]));
        }
        if low == '[' && pattern.get(at + 1) == Some(&':') {
            let end = (at + 2..pattern.len().saturating_sub(1))
                .find(|&i| pattern[i] == ':' && pattern[i + 1] == ']')?;
            let class: String = pattern[at + 2..end].iter().collect();
            found |= in_class(&class, next);
            at = end + 2;
            continue;
        }
        if low == '\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        let range = pattern.get(at + 1) == Some(&'-')
            && pattern.get(at + 2).is_some_and(|&high| high != ']');
        if range {
            found |= (low..=pattern[at + 2]).contains(&next);
            at += 3;
        } else {
            found |= low == next;
            at += 1;
        }
    }
}

fn in_class(class: &str, c: char) -> bool {
    match class {
        "alpha" => c.is_ascii_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_ascii_alphanumeric(),
        "space" => c.is_ascii_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "upper" => c.is_ascii_uppercase(),
        "lower" => c.is_ascii_lowercase(),
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_ascii_control(),
        "print" => c == ' ' || c.is_ascii_graphic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_as_a_shell_would() {
        for (pattern, text, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[[:digit:]]*", "7up", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[", "[", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} against {text}");
        }
    }
}
