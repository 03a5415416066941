//! `.env` files as compose-go reads them.

use std::collections::BTreeMap;

use super::interpolate::{Environment, expand};

/// Parses a file; the error names the line. Later lines may use earlier ones.
pub(super) fn parse(text: &str, outer: &Environment) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let text = text.replace("\r\n", "\n");
    let mut rest = text.as_str();
    let mut line = 1;
    while !rest.is_empty() {
        let before = rest.len();
        rest = statement(rest, outer, &mut found)
            .map_err(|reason| format!("line {line}: {reason}"))?;
        let used = &text[text.len() - before..text.len() - rest.len()];
        line += used.matches('\n').count();
    }
    Ok(found)
}

fn statement<'a>(
    text: &'a str,
    outer: &Environment,
    found: &mut BTreeMap<String, String>,
) -> Result<&'a str, String> {
    let start = text.trim_start_matches([' ', '\t']);
    let (first, after) = start.split_once('\n').unwrap_or((start, ""));
    let bare = first.trim();
    if bare.is_empty() || bare.starts_with('#') {
        return Ok(after);
    }
    let start = start.strip_prefix("export ").map_or(start, str::trim_start);
    let name_end = start.find(['=', ':', '\n']).unwrap_or(start.len());
    let name = start[..name_end].trim();
    if !start[name_end..].starts_with(['=', ':']) {
        // A name alone takes its value from outside.
        if let Some(value) = outer.get(name) {
            found.insert(name.to_owned(), value.clone());
        }
        return Ok(after);
    }
    if let Some(odd) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "_.-[]".contains(*c)))
    {
        return Err(format!(
            "unexpected character \"{odd}\" in variable name \"{first}\""
        ));
    }
    let value = start[name_end + 1..].trim_start_matches([' ', '\t']);
    let known = |found: &BTreeMap<String, String>| -> Environment {
        let mut all: Environment = found.clone();
        all.extend(outer.clone());
        all
    };
    let (value, rest) = match value.chars().next() {
        Some('\'') => {
            let end = closing(value, '\'')
                .ok_or(format!("unterminated quoted value {}", first_line(value)))?;
            (value[1..end].replace("\\'", "'"), &value[end + 1..])
        }
        Some('"') => {
            let end = closing(value, '"')
                .ok_or(format!("unterminated quoted value {}", first_line(value)))?;
            (
                double_quoted(&value[1..end], &known(found))?,
                &value[end + 1..],
            )
        }
        _ => {
            let (line, _) = value.split_once('\n').unwrap_or((value, ""));
            let plain = line.find(" #").map_or(line, |at| &line[..at]).trim_end();
            let mut ignored = Vec::new();
            (
                expand(plain, &known(found), &mut ignored)?,
                &value[line.len()..],
            )
        }
    };
    found.insert(name.to_owned(), value);
    Ok(rest.split_once('\n').map_or("", |(_, rest)| rest))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Where the quote that opens `text` is closed.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

/// Escapes are resolved after variables, and `\$` protects a dollar from them.
fn double_quoted(text: &str, known: &Environment) -> Result<String, String> {
    let protected = text.replace("\\$", "$$");
    let mut ignored = Vec::new();
    let expanded = expand(&protected, known, &mut ignored)?;
    let mut value = String::new();
    let mut characters = expanded.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(c @ ('"' | '\\' | '\'')) => value.push(c),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        let outer = Environment::from([("HOME".to_owned(), "/root".to_owned())]);
        let text = "# comment\nA=plain value # gone\nexport B='it $A \\' #kept'\nC=\"two\\nlines $A \\$A \\\"q\\\"\"\n\nD=\nE=$HOME/x\nF: yaml\nHOME\nG='two\nlines'\nH=a#b\n";
        let found = parse(text, &outer).unwrap();
        let expected = [
            ("A", "plain value"),
            ("B", "it $A ' #kept"),
            ("C", "two\nlines plain value $A \"q\""),
            ("D", ""),
            ("E", "/root/x"),
            ("F", "yaml"),
            ("G", "two\nlines"),
            ("H", "a#b"),
            ("HOME", "/root"),
        ];
        for (name, value) in expected {
            assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(parse("A='open\n", &outer).is_err());
        assert!(parse("A B=1\n", &outer).is_err());
    }
}
