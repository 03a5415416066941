//! Compose's own interpolation: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${NAME:+other}`, `$$`.
//!
//! `compose.yaml` is interpolated by compose in the container; here it is only read: to learn which variables a file
//! asks for, and to know what a port or an image will be for given answers. The rules are those of the Compose
//! Specification, section "Interpolation".

/// Deepest `${A:-${B:-…}}`.
const MAX_DEPTH: usize = 8;

/// A text with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpolated(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// One use of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) modifier: Modifier,
}

/// What happens when the variable is unset; `or_empty` (a colon) treats an empty one alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Modifier {
    /// It becomes nothing.
    None,
    /// It becomes a default.
    Default { or_empty: bool, value: Interpolated },
    /// Compose stops.
    Required { or_empty: bool },
    /// It is replaced where it is set.
    Alternative { or_empty: bool, value: Interpolated },
}

impl Interpolated {
    /// Reads a text; the error says what compose would refuse.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse(text, 0)
    }

    /// The variables in the order of the text, those inside defaults included.
    pub(crate) fn variables(&self) -> Vec<&Variable> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'v>(&'v self, found: &mut Vec<&'v Variable>) {
        for piece in &self.0 {
            if let Piece::Variable(variable) = piece {
                found.push(variable);
                match &variable.modifier {
                    Modifier::Default { value, .. } | Modifier::Alternative { value, .. } => {
                        value.collect(found);
                    }
                    Modifier::None | Modifier::Required { .. } => {}
                }
            }
        }
    }

    /// The text with its variables put in; `None` where a required one is missing.
    pub(crate) fn fill(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => out.push_str(&variable.fill(lookup)?),
            }
        }
        Some(out)
    }
}

impl Variable {
    fn fill(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let value = lookup(&self.name);
        let usable = |or_empty: bool| value.clone().filter(|v| !(or_empty && v.is_empty()));
        match &self.modifier {
            Modifier::None => Some(value.unwrap_or_default()),
            Modifier::Default { or_empty, value } => {
                usable(*or_empty).or_else(|| value.fill(lookup))
            }
            Modifier::Required { or_empty } => usable(*or_empty),
            Modifier::Alternative { or_empty, value } => match usable(*or_empty) {
                Some(_) => value.fill(lookup),
                None => Some(String::new()),
            },
        }
    }
}

fn parse(text: &str, depth: usize) -> Result<Interpolated, String> {
    if depth > MAX_DEPTH {
        return Err("variables are nested too deeply".to_owned());
    }
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        plain.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            plain.push('$');
            rest = after;
            continue;
        }
        if !rest.starts_with('{') && name_length(rest) == 0 {
            // A dollar that begins nothing stays one: the specification asks for `$$`, compose does not.
            plain.push('$');
            continue;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        let (variable, after) = match rest.strip_prefix('{') {
            Some(inside) => braced(inside, depth)?,
            None => bare(rest),
        };
        pieces.push(Piece::Variable(variable));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Interpolated(pieces))
}

fn name_length(text: &str) -> usize {
    let valid =
        |(i, b): (usize, u8)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit());
    text.bytes()
        .enumerate()
        .position(|at| !valid(at))
        .unwrap_or(text.len())
}

fn bare(text: &str) -> (Variable, &str) {
    let (name, after) = text.split_at(name_length(text));
    (variable(name, Modifier::None), after)
}

fn braced(inside: &str, depth: usize) -> Result<(Variable, &str), String> {
    let end = closing(inside).ok_or("a `${` is never closed")?;
    let (content, after) = (&inside[..end], &inside[end + 1..]);
    let length = name_length(content);
    if length == 0 {
        return Err("a `${` is not followed by the name of a variable".to_owned());
    }
    let (name, rest) = content.split_at(length);
    let (or_empty, operation) = match rest.strip_prefix(':') {
        Some(operation) => (true, operation),
        None => (false, rest),
    };
    let argument = operation.get(1..).unwrap_or_default();
    let modifier = match operation.bytes().next() {
        None if !or_empty => Modifier::None,
        Some(b'-') => Modifier::Default {
            or_empty,
            value: parse(argument, depth + 1)?,
        },
        Some(b'+') => Modifier::Alternative {
            or_empty,
            value: parse(argument, depth + 1)?,
        },
        Some(b'?') => Modifier::Required { or_empty },
        _ => {
            let name = crate::text::excerpt(name);
            return Err(format!(
                "`${{{name}` is followed by something that compose does not know"
            ));
        }
    };
    Ok((variable(name, modifier), after))
}

fn variable(name: &str, modifier: Modifier) -> Variable {
    Variable {
        name: name.to_owned(),
        modifier,
    }
}

/// Where the brace that closes this one stands, past the `${…}` inside.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut previous = '\0';
    for (at, c) in text.char_indices() {
        match c {
            '{' if previous == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        previous = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Option<String> {
        let lookup = |name: &str| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        Interpolated::parse(text).unwrap().fill(&lookup)
    }

    #[test]
    fn fills_as_the_specification_says() {
        let cases = [
            ("a $SET b", Some("a value b")),
            ("${SET}", Some("value")),
            ("$$SET ${SET}$$", Some("$SET value$")),
            ("${EMPTY:-x}${EMPTY-y}${UNSET-z}", Some("xz")),
            ("${UNSET:-${SET}-tail}", Some("value-tail")),
            ("${UNSET:-{\"a\": 1}}", Some("{\"a\": 1}")),
            ("${SET:+other}${EMPTY:+other}${UNSET+other}", Some("other")),
            ("${SET:?must be set}", Some("value")),
            ("${EMPTY?}", Some("")),
            ("${EMPTY:?}", None),
            ("${UNSET?}", None),
            ("${UNSET}", Some("")),
            ("cost: 5$, $(id) $1 $", Some("cost: 5$, $(id) $1 $")),
        ];
        for (text, expected) in cases {
            // compose closes a default at its first brace, so the JSON one keeps its last brace outside.
            assert_eq!(fill(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_compose_refuses() {
        for text in ["${", "${}", "${1A}", "${A", "${A:}", "${A!b}", "${A:=b}"] {
            assert!(Interpolated::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "${A:-".repeat(50), "}".repeat(50));
        assert!(Interpolated::parse(&deep).is_err());
    }

    #[test]
    fn finds_variables_inside_defaults() {
        let text = Interpolated::parse("${A:-$B}/${C:?}").unwrap();
        let names: Vec<_> = text.variables().iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "C"]);
    }
}
