//! Checking parameters as Proxmox does: by a table, with its words.
//!
//! The tables for the calls are in [`calls`], the one for a container's options in [`container`].
//! Whatever is not in a table is refused.

pub(crate) mod calls;
pub(crate) mod container;
pub(crate) mod format;
#[cfg(test)]
mod reference;

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::params::Params;
use crate::property;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of so many characters.
    Text {
        min: usize,
        max: usize,
    },
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Enum(&'static [&'static str]),
    /// Text of a named form; the error says what it does not look like.
    Format(fn(&str) -> Result<(), String>),
    /// Text of a named form and a greatest length.
    Bounded(usize, fn(&str) -> Result<(), String>),
    /// `key=value,…`; the name is the key of a value that comes without one.
    Properties(&'static [Parameter], Option<&'static str>),
}

/// One parameter of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// Its name; `net[n]` stands for `net0` and on.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// A parameter that must be there.
pub(crate) const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required: true,
    }
}

/// A parameter that may be there.
pub(crate) const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
    }
}

/// What is said of a parameter that is not in the tables.
pub(crate) const UNKNOWN: &str =
    "property is not defined in schema and the schema does not allow additional properties";
const MISSING: &str = "property is missing and it is not optional";

/// Checks what was given against the tables of a call.
pub(crate) fn check(
    tables: &[&[Parameter]],
    given: BTreeMap<String, String>,
) -> Result<Params, Failure> {
    let mut errors = BTreeMap::new();
    let mut checked = BTreeMap::new();
    for (name, value) in given {
        let outcome = find(tables, &name)
            .ok_or_else(|| UNKNOWN.to_owned())
            .and_then(|parameter| parameter.kind.check(&name, value));
        match outcome {
            Ok(value) => checked.insert(name, value),
            Err(text) => errors.insert(name, text),
        };
    }
    for parameter in tables.iter().copied().flatten() {
        if parameter.required
            && !checked.contains_key(parameter.name)
            && !errors.contains_key(parameter.name)
        {
            errors.insert(parameter.name.to_owned(), MISSING.to_owned());
        }
    }
    if errors.is_empty() {
        Ok(Params(checked))
    } else {
        Err(Failure::parameters(errors))
    }
}

/// The row of a parameter; a name with a number finds its `[n]`.
pub(crate) fn find<'a>(tables: &[&'a [Parameter]], name: &str) -> Option<&'a Parameter> {
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|parameter| match parameter.name.strip_suffix("[n]") {
            Some(stem) => name.strip_prefix(stem).is_some_and(|n| is_index(stem, n)),
            None => parameter.name == name,
        })
}

fn is_index(stem: &str, text: &str) -> bool {
    let most = if stem == "net" { 31 } else { 255 };
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    plain && text.parse::<u16>().is_ok_and(|number| number <= most)
}

impl Kind {
    /// Checks one value and puts it into its plain form.
    fn check(&self, name: &str, value: String) -> Result<String, String> {
        match *self {
            Self::Text { min, max } => lengths(&value, min, max)?,
            Self::Boolean => {
                return property::truth(&value)
                    .map(|truth| u8::from(truth).to_string())
                    .ok_or_else(|| format!("type check ('boolean') failed - got '{value}'"));
            }
            Self::Integer { min, max } => {
                let number: i64 = value
                    .parse()
                    .map_err(|_| format!("type check ('integer') failed - got '{value}'"))?;
                bounds(number, min, max)?;
                return Ok(number.to_string());
            }
            Self::Number { min, max } => {
                let number: f64 = value
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or_else(|| format!("type check ('number') failed - got '{value}'"))?;
                bounds(number, min, max)?;
            }
            Self::Enum(allowed) => {
                if !allowed.contains(&value.as_str()) {
                    let allowed = allowed.join(", ");
                    return Err(format!(
                        "value '{value}' does not have a value in the enumeration '{allowed}'"
                    ));
                }
            }
            Self::Format(form) => {
                form(&value).map_err(|text| format!("invalid format - {text}\n"))?;
            }
            Self::Bounded(max, form) => {
                lengths(&value, 0, max)?;
                form(&value).map_err(|text| format!("invalid format - {text}\n"))?;
            }
            Self::Properties(table, default_key) => {
                properties(name, &value, table, default_key)
                    .map_err(|text| format!("invalid format - {text}\n"))?;
            }
        }
        Ok(value)
    }
}

fn lengths(value: &str, min: usize, max: usize) -> Result<(), String> {
    let length = value.chars().count();
    if length < min {
        Err(format!("value must be at least {min} characters long"))
    } else if length > max {
        Err(format!("value may only be {max} characters long"))
    } else {
        Ok(())
    }
}

fn bounds<N: PartialOrd + std::fmt::Display + Copy>(
    number: N,
    min: N,
    max: N,
) -> Result<(), String> {
    if number < min {
        Err(format!("value must have a minimum value of {min}"))
    } else if number > max {
        Err(format!("value must have a maximum value of {max}"))
    } else {
        Ok(())
    }
}

fn properties(
    name: &str,
    value: &str,
    table: &'static [Parameter],
    default_key: Option<&str>,
) -> Result<(), String> {
    let found = property::parse(value, default_key)?;
    match check(&[table], found.into_iter().collect()) {
        Ok(_) => Ok(()),
        Err(failure) => {
            let lines: Vec<_> = failure
                .errors
                .iter()
                .map(|(key, text)| format!("{name}.{key}: {}", text.trim_end()))
                .collect();
            Err(format!("format error\n{}", lines.join("\n")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        let given = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        match check(&[container::OPTIONS], given) {
            Ok(_) => BTreeMap::new(),
            Err(failure) => failure.errors,
        }
    }

    #[test]
    fn words_are_those_of_proxmox() {
        let found = errors(&[
            ("memory", "8"),
            ("cores", "many"),
            ("onboot", "maybe"),
            ("cmode", "x"),
            ("nosuch", "1"),
            ("net99", "name=eth0"),
            ("features", "nesting=1,docker=1"),
            ("net0", "bridge=vmbr0"),
            ("hostname", "under_score"),
        ]);
        assert_eq!(found["memory"], "value must have a minimum value of 16");
        assert_eq!(found["cores"], "type check ('integer') failed - got 'many'");
        assert_eq!(
            found["onboot"],
            "type check ('boolean') failed - got 'maybe'"
        );
        assert!(found["cmode"].contains("enumeration 'shell, console, tty'"));
        assert_eq!(found["nosuch"], UNKNOWN);
        assert_eq!(found["net99"], UNKNOWN);
        assert!(found["features"].contains(&format!("features.docker: {UNKNOWN}")));
        assert!(found["net0"].contains(&format!("net0.name: {MISSING}")));
        assert!(found["hostname"].contains("valid DNS name"));
    }

    #[test]
    fn takes_what_proxmox_takes() {
        assert!(
            errors(&[
                ("net0", "name=eth0,bridge=vmbr0,ip=dhcp,tag=12"),
                (
                    "net31",
                    "name=eth1,bridge=vmbr1,ip=10.0.0.7/24,gw=10.0.0.1,ip6=auto"
                ),
                ("rootfs", "local-lvm:8"),
                ("mp0", "local-lvm:2,mp=/var/lib/docker,backup=1"),
                ("onboot", "yes"),
                ("cpulimit", "1.5"),
                ("tags", "proximity;whoami"),
                ("nameserver", "10.0.0.1 10.0.0.2"),
                ("features", "nesting=1,keyctl=1,mount=nfs;cifs"),
            ])
            .is_empty()
        );
    }
}
