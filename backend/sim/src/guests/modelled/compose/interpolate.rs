//! `${VARIABLE}` in compose files.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::Refusal;

/// Variables that a project is read with.
pub(super) type Environment = BTreeMap<String, String>;

/// Replaces variables in every string of a document. Variables that are not set are collected.
pub(super) fn document(
    value: &mut Value,
    environment: &Environment,
    unset: &mut Vec<String>,
) -> Result<(), Refusal> {
    walk(value, "", environment, unset)
}

fn walk(
    value: &mut Value,
    path: &str,
    environment: &Environment,
    unset: &mut Vec<String>,
) -> Result<(), Refusal> {
    match value {
        Value::String(text) => {
            if text.contains('$') {
                *text = expand(text, environment, unset).map_err(|reason| {
                    if reason.starts_with("required variable") {
                        Refusal::general(format!("error while interpolating {path}: {reason}"))
                    } else {
                        Refusal::general(format!("invalid interpolation format for {path}.\nYou may need to escape any $ with another $.\n{reason}"))
                    }
                })?;
            }
            Ok(())
        }
        Value::Sequence(items) => items
            .iter_mut()
            .try_for_each(|item| walk(item, &format!("{path}.[]"), environment, unset)),
        Value::Mapping(map) => map.iter_mut().try_for_each(|(key, item)| {
            let key = key.as_str().unwrap_or_default();
            let path = if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            };
            walk(item, &path, environment, unset)
        }),
        Value::Tagged(tagged) => walk(&mut tagged.value, path, environment, unset),
        _ => Ok(()),
    }
}

/// Replaces the variables in one text; an error is compose-go's.
pub(super) fn expand(
    text: &str,
    environment: &Environment,
    unset: &mut Vec<String>,
) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = matching(after).ok_or(format!("\"${{{after}\""))?;
            result.push_str(&braced(&after[..end], environment, unset)?);
            rest = &after[end + 1..];
        } else {
            let length = rest.len()
                - rest
                    .trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric())
                    .len();
            if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(format!("\"{text}\""));
            }
            result.push_str(&lookup(&rest[..length], environment, unset));
            rest = &rest[length..];
        }
    }
    result.push_str(rest);
    Ok(result)
}

/// Where the brace is closed that was opened right before `text`.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn lookup(name: &str, environment: &Environment, unset: &mut Vec<String>) -> String {
    if let Some(value) = environment.get(name) {
        return value.clone();
    }
    if !unset.iter().any(|other| other == name) {
        unset.push(name.to_owned());
    }
    String::new()
}

fn braced(
    inner: &str,
    environment: &Environment,
    unset: &mut Vec<String>,
) -> Result<String, String> {
    let end = inner
        .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
        .unwrap_or(inner.len());
    let (name, operation) = inner.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("\"${{{inner}}}\""));
    }
    let value = environment.get(name);
    let filled = value.filter(|value| !value.is_empty());
    let required =
        |message: &str| format!("required variable {name} is missing a value: {message}");
    if operation.is_empty() {
        return Ok(lookup(name, environment, unset));
    }
    let (present, word) = match operation.strip_prefix(':') {
        Some(rest) => (filled, rest),
        None => (value, operation),
    };
    let mut characters = word.chars();
    let kind = characters.next();
    let word = characters.as_str();
    match (kind, present) {
        (Some('-' | '?'), Some(value)) => Ok(value.clone()),
        (Some('-'), None) | (Some('+'), Some(_)) => expand(word, environment, unset),
        (Some('+'), None) => Ok(String::new()),
        (Some('?'), None) => Err(required(&expand(word, environment, unset)?)),
        _ => Err(format!("\"${{{inner}}}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let environment = Environment::from([
            ("A".to_owned(), "a".to_owned()),
            ("E".to_owned(), String::new()),
        ]);
        let expand = |text: &str| {
            let mut unset = Vec::new();
            expand(text, &environment, &mut unset).map(|text| (text, unset))
        };
        for (text, expected) in [
            ("x $A ${A}y", "x a ay"),
            ("$$A $${A}", "$A ${A}"),
            ("${E:-d} ${E-d} ${U:-d} ${U-d}", "d  d d"),
            ("${A:+r} ${E:+r} ${E+r} ${U+r}", "r  r "),
            ("${U:-${A}b}", "ab"),
            ("${A:?m}", "a"),
        ] {
            assert_eq!(expand(text).unwrap().0, expected, "{text}");
        }
        assert_eq!(expand("$U ${U}").unwrap().1, ["U"]);
        assert_eq!(
            expand("${U:?give one}").unwrap_err(),
            "required variable U is missing a value: give one"
        );
        assert_eq!(
            expand("${E:?empty}").unwrap_err(),
            "required variable E is missing a value: empty"
        );
        assert!(expand("${A").is_err());
        assert!(expand("${A!}").is_err());
    }
}
