//! Decoding of answers: the forms in which Proxmox writes a value, and nothing else.
//!
//! By version and call the same number is `100` or `"100"`, a boolean `1`, `"1"`, `true` or absent, and an empty string
//! means "not set" (seen from 6.2 to 9.2). Whatever does not fit names its call and field in [`Error::Malformed`].

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::forms::{flag, integer, number, scalar, split_list};
use crate::{Error, Result};

/// The `data` of an answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) call: String,
    pub(crate) data: Value,
}

/// One JSON object of an answer.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    call: &'a str,
    at: String,
    map: &'a Map<String, Value>,
}

impl Reply {
    pub(crate) fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::Malformed {
            call: self.call.clone(),
            reason: reason.into(),
        }
    }

    /// The object that the answer is.
    pub(crate) fn fields(&self) -> Result<Fields<'_>> {
        self.data
            .as_object()
            .map(|map| Fields {
                call: &self.call,
                at: String::new(),
                map,
            })
            .ok_or_else(|| self.malformed("data is not an object"))
    }

    /// The rows that the answer lists.
    pub(crate) fn rows(&self) -> Result<Vec<Fields<'_>>> {
        let rows = self
            .data
            .as_array()
            .ok_or_else(|| self.malformed("data is not a list"))?;
        objects(&self.call, "", rows)
    }

    /// Decodes every row by one function.
    pub(crate) fn collect<T>(&self, decode: impl Fn(&Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.rows()?.iter().map(decode).collect()
    }

    /// A single value that is text or a number.
    pub(crate) fn parse<T: FromStr>(&self) -> Result<T> {
        let text =
            scalar(&self.data).ok_or_else(|| self.malformed("data is not a text or number"))?;
        text.parse()
            .map_err(|_| self.malformed(format!("data is {}", quoted(&self.data))))
    }
}

fn objects<'a>(call: &'a str, at: &str, rows: &'a [Value]) -> Result<Vec<Fields<'a>>> {
    rows.iter()
        .enumerate()
        .map(|(index, row)| {
            let at = format!("{at}[{index}].");
            let map = row.as_object().ok_or_else(|| Error::Malformed {
                call: call.to_owned(),
                reason: format!("{at} is not an object"),
            })?;
            Ok(Fields { call, at, map })
        })
        .collect()
}

/// A value for an error text, short however long it is.
fn quoted(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 80 {
        text.chars().take(80).chain(['…']).collect()
    } else {
        text
    }
}

impl<'a> Fields<'a> {
    /// The value, where there is one: neither absent nor null nor empty.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map
            .get(name)
            .filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    pub(crate) fn malformed(&self, name: &str, wanted: &str) -> Error {
        let found = self
            .map
            .get(name)
            .map_or_else(|| "missing".to_owned(), quoted);
        Error::Malformed {
            call: self.call.to_owned(),
            reason: format!("{}{name} is {found}, not {wanted}", self.at),
        }
    }

    /// Makes an absent value an error.
    pub(crate) fn required<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.malformed(name, "set"))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        scalar(value)
            .map(Some)
            .ok_or_else(|| self.malformed(name, "a text"))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        integer(value)
            .map(Some)
            .ok_or_else(|| self.malformed(name, "a whole number"))
    }

    /// As [`Self::integer`], for what fits in less.
    pub(crate) fn small<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>> {
        let Some(number) = self.integer(name)? else {
            return Ok(None);
        };
        T::try_from(number)
            .map(Some)
            .map_err(|_| self.malformed(name, "a number in range"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        number(value)
            .map(Some)
            .ok_or_else(|| self.malformed(name, "a number"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    pub(crate) fn optional_flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        flag(value)
            .map(Some)
            .ok_or_else(|| self.malformed(name, "a boolean"))
    }

    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| self.malformed(name, "well-formed"))
    }

    /// A list in one text, separated by any of Proxmox's separators, or a JSON list.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<String>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| scalar(value).ok_or_else(|| self.malformed(name, "a list of texts")))
                .collect(),
            Some(_) => Ok(self
                .text(name)?
                .map(|text| split_list(&text))
                .unwrap_or_default()),
        }
    }

    /// An object inside, where there is one.
    pub(crate) fn inner(&self, name: &str) -> Result<Option<Fields<'a>>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let map = value
            .as_object()
            .ok_or_else(|| self.malformed(name, "an object"))?;
        Ok(Some(Fields {
            call: self.call,
            at: format!("{}{name}.", self.at),
            map,
        }))
    }

    /// Rows inside; none where there are none.
    pub(crate) fn inner_rows(&self, name: &str) -> Result<Vec<Fields<'a>>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(rows)) => objects(self.call, &format!("{}{name}", self.at), rows),
            Some(_) => Err(self.malformed(name, "a list")),
        }
    }

    /// All names with their values as text; what is neither text nor number as JSON.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'a str, String)> + use<'a> {
        self.map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                (
                    name.as_str(),
                    scalar(value).unwrap_or_else(|| value.to_string()),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn reply(data: Value) -> Reply {
        Reply {
            call: "GET /x".to_owned(),
            data,
        }
    }

    #[test]
    fn every_recorded_form_is_accepted() {
        let reply = reply(json!({
            "a": 100, "b": "100", "c": 1.0e10, "yes": 1, "ja": "1", "oui": true, "no": 0, "nein": "0", "non": false,
            "lock": "", "nil": null, "load": "0.25", "cpu": 0.5, "host": 7, "tags": "a;b, c", "list": ["x", 1]
        }));
        let fields = reply.fields().unwrap();
        assert_eq!(
            ["a", "b", "c"].map(|name| fields.integer(name).unwrap()),
            [Some(100), Some(100), Some(10_000_000_000)]
        );
        assert_eq!(
            [
                "yes", "ja", "oui", "no", "nein", "non", "lock", "nil", "absent"
            ]
            .map(|name| fields.flag(name).unwrap()),
            [true, true, true, false, false, false, false, false, false]
        );
        assert_eq!(
            ["lock", "nil", "absent"].map(|name| fields.text(name).unwrap()),
            [None, None, None]
        );
        assert_eq!(
            (
                fields.number("load").unwrap(),
                fields.number("cpu").unwrap()
            ),
            (Some(0.25), Some(0.5))
        );
        assert_eq!(fields.text("host").unwrap().as_deref(), Some("7"));
        assert_eq!(fields.list("tags").unwrap(), ["a", "b", "c"]);
        assert_eq!(fields.list("list").unwrap(), ["x", "1"]);
    }

    #[test]
    fn nonsense_names_call_and_field() {
        let reply = reply(json!([{"vmid": "1e2"}]));
        let error = reply.rows().unwrap()[0].integer("vmid").unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET /x answered nonsense: [0].vmid is \"1e2\", not a whole number"
        );
    }

    #[test]
    fn nonsense_is_refused_in_every_kind() {
        let values = json!({"f": 1.5, "n": -1, "big": 1.0e300, "o": {}, "l": [], "s": "NaN", "i": "inf", "t": "maybe", "two": 2});
        let reply = reply(values);
        let fields = reply.fields().unwrap();
        for name in ["f", "n", "big", "o", "l", "s", "t"] {
            assert!(fields.integer(name).is_err(), "{name}");
        }
        for name in ["o", "l", "s", "i", "t"] {
            assert!(fields.number(name).is_err(), "{name}");
        }
        for name in ["f", "n", "o", "l", "s", "t", "two"] {
            assert!(fields.flag(name).is_err(), "{name}");
        }
        assert!(
            fields.small::<u8>("two").is_ok()
                && fields.text("o").is_err()
                && fields.list("o").is_err()
        );
        assert!(fields.inner("l").is_err() && fields.inner_rows("o").is_err());
    }

    #[test]
    fn long_nonsense_is_cut() {
        let reply = reply(json!({"x": ["y".repeat(10_000)]}));
        assert!(
            reply
                .fields()
                .unwrap()
                .text("x")
                .unwrap_err()
                .to_string()
                .len()
                < 400
        );
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in "\\PC{0,40}", float in proptest::num::f64::ANY) {
            for value in [json!({"x": text}), json!({"x": float})] {
                let reply = reply(value);
                let fields = reply.fields().unwrap();
                let _ = (fields.integer("x"), fields.number("x"), fields.flag("x"), fields.list("x"), fields.parsed::<crate::Upid>("x"));
            }
        }
    }
}
