//! Checking one value against its parameter, and writing it as the text that goes to `.env`.

use std::net::IpAddr;

use fancy_regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    Kind, Param, Validate,
    form::{is_email, is_hostname, is_path, is_timezone, is_url},
};
use crate::unit;

/// Longest value in bytes: Linux refuses a single environment string above 128 KiB.
const MAX_BYTES: usize = 64 * 1024;
/// How long a pattern may search before the value counts as not matching.
const BACKTRACKS: usize = 100_000;

/// Why a value does not fit, in a sentence that never repeats the value.
pub(crate) type Wrong = String;

/// Checks a value and returns it in the form that is stored.
///
/// Text is accepted for every type, because forms and command lines send nothing else.
pub(crate) fn check(param: &Param, value: &Value) -> Result<Value, Wrong> {
    let value = typed(param, value)?;
    let text = text(&value);
    if text.contains('\0') {
        return Err("must not contain a NUL character".to_owned());
    }
    if text.len() > MAX_BYTES {
        return Err(format!("must not be longer than {MAX_BYTES} bytes"));
    }
    rules(&param.validate, param.kind, &value, &text)?;
    Ok(value)
}

/// A checked value as text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn typed(param: &Param, value: &Value) -> Result<Value, Wrong> {
    let text = match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let parsed =
        |ok: bool, message: &str| ok.then(|| value.clone()).ok_or_else(|| message.to_owned());
    let checked = |test: fn(&str) -> bool, message: &str| parsed(text.is_some_and(test), message);
    match param.kind {
        Kind::String | Kind::Text | Kind::Secret => parsed(text.is_some(), "must be text"),
        Kind::Int => integer(value)
            .map(Value::from)
            .ok_or_else(|| "must be a whole number".to_owned()),
        Kind::Number => number(value).ok_or_else(|| "must be a number".to_owned()),
        Kind::Bool => boolean(value)
            .map(Value::from)
            .ok_or_else(|| "must be true or false".to_owned()),
        Kind::Port => integer(value)
            .filter(|n| (1..=65535).contains(n))
            .map(Value::from)
            .ok_or_else(|| "must be a port from 1 to 65535".to_owned()),
        Kind::Enum => parsed(text.is_some_and(|t| is_choice(param, t)), &choices(param)),
        Kind::Multi => several(param, value),
        Kind::Url => checked(
            is_url,
            "must be an absolute URL, like https://example.org/path",
        ),
        Kind::Email => checked(is_email, "must be an e-mail address"),
        Kind::Hostname => checked(is_hostname, "must be a host name, like app.example.org"),
        Kind::Ip => checked(|t| t.parse::<IpAddr>().is_ok(), "must be an IP address"),
        Kind::Cidr => checked(
            |t| t.parse::<ipnet::IpNet>().is_ok(),
            "must be a network like 192.168.1.0/24",
        ),
        Kind::Path | Kind::Mount => checked(is_path, "must be an absolute path without `..`"),
        Kind::Timezone => checked(
            is_timezone,
            "must be a time zone like Europe/Berlin or Etc/UTC",
        ),
        Kind::Size => match value.as_u64() {
            Some(bytes) => Ok(Value::from(bytes)),
            None => unit::size(text.ok_or("must be a size like 512MiB")?)
                .map(Value::from)
                .map_err(|_| "must be a size like 512MiB".to_owned()),
        },
        Kind::Duration => checked(
            |t| unit::duration(t).is_ok(),
            "must be a duration like 30s or 1h30m",
        ),
    }
}

fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn number(value: &Value) -> Option<Value> {
    if value.is_number() {
        return Some(value.clone());
    }
    if let Some(whole) = integer(value) {
        return Some(Value::from(whole));
    }
    let float: f64 = value.as_str()?.trim().parse().ok()?;
    serde_json::Number::from_f64(float).map(Value::Number)
}

fn boolean(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| match value.as_str()? {
        "true" | "on" | "yes" => Some(true),
        "false" | "off" | "no" => Some(false),
        _ => None,
    })
}

fn is_choice(param: &Param, text: &str) -> bool {
    param.options.iter().any(|option| option.value == text)
}

fn choices(param: &Param) -> String {
    let values: Vec<&str> = param.options.iter().map(|o| o.value.as_str()).collect();
    format!("must be one of {}", values.join(", "))
}

fn several(param: &Param, value: &Value) -> Result<Value, Wrong> {
    let items: Vec<String> = match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => text.split(',').map(|t| t.trim().to_owned()).collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or("must be a list of texts")?,
        _ => return Err("must be a list of texts".to_owned()),
    };
    if items.iter().all(|item| is_choice(param, item)) {
        Ok(Value::from(items))
    } else {
        Err(choices(param).replacen("must be one of", "may hold only", 1))
    }
}

fn rules(validate: &Validate, kind: Kind, value: &Value, text: &str) -> Result<(), Wrong> {
    if let Some(amount) = amount(kind, value) {
        if validate.min.is_some_and(|min| amount < min) {
            return Err(format!(
                "must be at least {}",
                validate.min.unwrap_or_default()
            ));
        }
        if validate.max.is_some_and(|max| amount > max) {
            return Err(format!(
                "must be at most {}",
                validate.max.unwrap_or_default()
            ));
        }
    }
    let length = text.chars().count() as u64;
    if let Some(min) = validate.min_length.filter(|min| length < *min) {
        return Err(format!("must have at least {min} characters"));
    }
    if let Some(max) = validate.max_length.filter(|max| length > *max) {
        return Err(format!("must have at most {max} characters"));
    }
    let own = |fallback: String| validate.message.clone().unwrap_or(fallback);
    if !validate.one_of.is_empty() && !validate.one_of.iter().any(|one| one == text) {
        return Err(own(format!(
            "must be one of {}",
            validate.one_of.join(", ")
        )));
    }
    if let Some(pattern) = &validate.pattern {
        let fits = compile(pattern).is_ok_and(|regex| regex.is_match(text).unwrap_or(false));
        if !fits {
            return Err(own(format!("must match {pattern}")));
        }
    }
    Ok(())
}

/// What `min` and `max` speak of.
fn amount(kind: Kind, value: &Value) -> Option<f64> {
    match kind {
        Kind::Duration => unit::duration(value.as_str()?)
            .ok()
            .map(|d| d.as_secs_f64()),
        _ => value.as_f64(),
    }
}

/// A pattern that must match the whole value, and gives up rather than search for ever.
pub(super) fn compile(pattern: &str) -> Result<Regex, fancy_regex::Error> {
    // Alone first, so that an error speaks of positions that its author can see.
    Regex::new(pattern)?;
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .backtrack_limit(BACKTRACKS)
        .delegate_size_limit(1 << 20)
        .build()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::param::Choice;

    fn param(kind: Kind) -> Param {
        Param {
            kind,
            options: ["a", "b"]
                .map(|v| Choice {
                    value: v.into(),
                    label: v.into(),
                })
                .into(),
            ..Param::text("P")
        }
    }

    fn accepts(kind: Kind, value: &Value) -> bool {
        check(&param(kind), value).is_ok()
    }

    #[test]
    fn each_type_knows_its_values() {
        let good = [
            (Kind::String, json!("it's \"$HOME\"\n`x` ü")),
            (Kind::Int, json!(-3)),
            (Kind::Int, json!("42")),
            (Kind::Number, json!(1.5)),
            (Kind::Bool, json!(true)),
            (Kind::Bool, json!("off")),
            (Kind::Port, json!(5432)),
            (Kind::Enum, json!("a")),
            (Kind::Multi, json!(["a", "b"])),
            (Kind::Multi, json!("a, b")),
            (Kind::Multi, json!("")),
            (Kind::Url, json!("https://example.org/x?y")),
            (Kind::Email, json!("first.last+tag@example.org")),
            (Kind::Hostname, json!("a-b.example.org")),
            (Kind::Ip, json!("2001:db8::1")),
            (Kind::Cidr, json!("10.0.0.0/8")),
            (Kind::Path, json!("/srv/media")),
            (Kind::Timezone, json!("America/Argentina/Buenos_Aires")),
            (Kind::Timezone, json!("Etc/GMT+3")),
            (Kind::Size, json!("2GiB")),
            (Kind::Size, json!(1024)),
            (Kind::Duration, json!("1h30m")),
        ];
        for (kind, value) in good {
            assert!(accepts(kind, &value), "{kind} {value}");
        }
        let bad = [
            (Kind::String, json!(5)),
            (Kind::String, json!("a\u{0}b")),
            (Kind::Int, json!(1.5)),
            (Kind::Int, json!("")),
            (Kind::Number, json!("NaN")),
            (Kind::Bool, json!("perhaps")),
            (Kind::Bool, json!(1)),
            (Kind::Port, json!(0)),
            (Kind::Port, json!(65536)),
            (Kind::Enum, json!("c")),
            (Kind::Multi, json!(["a", "c"])),
            (Kind::Url, json!("example.org")),
            (Kind::Url, json!("javascript:alert(1)")),
            (Kind::Email, json!("nobody")),
            (Kind::Email, json!("a b@example.org")),
            (Kind::Hostname, json!("-a")),
            (Kind::Hostname, json!("a_b")),
            (Kind::Ip, json!("300.1.1.1")),
            (Kind::Cidr, json!("10.0.0.0/40")),
            (Kind::Path, json!("../etc")),
            (Kind::Path, json!("/srv/../etc")),
            (Kind::Timezone, json!("../../etc/passwd")),
            (Kind::Size, json!("2 apples")),
            (Kind::Duration, json!("soon")),
        ];
        for (kind, value) in bad {
            assert!(!accepts(kind, &value), "{kind} {value}");
        }
    }

    #[test]
    fn stored_values_have_one_form() {
        assert_eq!(
            check(&param(Kind::Size), &json!("2GiB")),
            Ok(json!(2_147_483_648_u64))
        );
        assert_eq!(
            check(&param(Kind::Multi), &json!("a,b")),
            Ok(json!(["a", "b"]))
        );
        assert_eq!(text(&json!(["a", "b"])), "a,b");
        assert_eq!(text(&json!(true)), "true");
    }

    #[test]
    fn a_pattern_matches_the_whole_value_and_never_hangs() {
        let mut param = param(Kind::String);
        param.validate.pattern = Some("[a-z]+|b".to_owned());
        assert!(check(&param, &json!("abc")).is_ok());
        assert!(check(&param, &json!("abc1")).is_err());
        assert!(check(&param, &json!("abc\n")).is_err());
        param.validate.pattern = Some(r"(?=a)(a+)+\1$".to_owned());
        let started = std::time::Instant::now();
        assert!(check(&param, &json!(format!("{}!", "a".repeat(5000)))).is_err());
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    }

    #[test]
    fn limits_hold() {
        let mut number = param(Kind::Int);
        number.validate.min = Some(10.0);
        number.validate.max = Some(20.0);
        assert!(check(&number, &json!(9)).is_err());
        assert!(check(&number, &json!(10)).is_ok());
        assert!(check(&number, &json!("21")).is_err());
        let mut text = param(Kind::String);
        text.validate.min_length = Some(2);
        text.validate.max_length = Some(3);
        assert!(check(&text, &json!("ü")).is_err());
        assert!(check(&text, &json!("üüü")).is_ok());
        assert!(check(&text, &json!("üüüü")).is_err());
        assert!(check(&param(Kind::String), &json!("x".repeat(MAX_BYTES + 1))).is_err());
    }

    #[test]
    fn an_error_never_repeats_the_value() {
        let mut secret = param(Kind::Secret);
        secret.validate.pattern = Some("[0-9]+".to_owned());
        let wrong = check(&secret, &json!("hunter2")).unwrap_err();
        assert!(!wrong.contains("hunter2"));
    }
}
