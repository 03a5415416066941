//! Values of parameters, from `KEY=VALUE` to what the catalog entry's type makes of them.

use api::CatalogParameter;
use serde_json::{Map, Number, Value};

use crate::error::Error;

/// What was typed for one parameter.
pub(crate) struct Typed {
    /// Its name.
    pub(crate) key: String,
    /// Its value, as text.
    pub(crate) value: String,
}

/// `KEY=VALUE`; only the first `=` divides.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        // What was typed may be a secret that lacks its name: it is not repeated.
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// The JSON of all of them. What an entry does not know is sent as text: the service says that, and how its
/// parameters are called.
pub(crate) fn values(
    typed: Vec<Typed>,
    known: &[CatalogParameter],
) -> Result<Map<String, Value>, Error> {
    let mut values = Map::new();
    for Typed { key, value } in typed {
        let kind = known
            .iter()
            .find(|parameter| parameter.name == key)
            .map(|parameter| parameter.kind.as_str());
        let value = convert(kind.unwrap_or("string"), value)
            .map_err(|expected| Error::Usage(format!("the value of {key} must be {expected}")))?;
        if values.insert(key.clone(), value).is_some() {
            return Err(Error::Usage(format!("{key} is given twice")));
        }
    }
    Ok(values)
}

/// The text as a value of that type, or what it should have been.
fn convert(kind: &str, text: String) -> Result<Value, &'static str> {
    match kind {
        "int" | "port" => match text.trim().parse::<i64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err("a whole number"),
        },
        "number" => {
            let number = text.trim().parse::<f64>().ok();
            let whole = text.trim().parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| number.and_then(Number::from_f64));
            number.map(Value::Number).ok_or("a number")
        }
        "bool" => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true.into()),
            "false" | "no" | "off" | "0" => Ok(false.into()),
            _ => Err("true or false"),
        },
        "multi" => {
            let choices = text
                .split(',')
                .map(str::trim)
                .filter(|choice| !choice.is_empty());
            Ok(choices
                .map(|choice| Value::from(choice.to_owned()))
                .collect())
        }
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(name: &str, kind: &str) -> CatalogParameter {
        let parameter = json!({
            "name": name, "label": name, "type": kind, "required": false, "generated": false,
            "advanced": false, "immutable": false, "hidden": false,
        });
        serde_json::from_value(parameter).unwrap()
    }

    fn typed(key: &str, value: &str) -> Typed {
        Typed {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn the_entry_decides_what_a_value_is() {
        let known = ["int", "number", "bool", "string", "secret", "multi", "port"]
            .map(|kind| parameter(kind, kind));
        let given = vec![
            typed("int", "-3"),
            typed("number", "1.5"),
            typed("bool", "Yes"),
            typed("string", "8080"),
            typed("secret", " =true "),
            typed("multi", "a, b,"),
            typed("port", "80"),
            typed("UNKNOWN", "1"),
        ];
        let expected = json!({
            "int": -3, "number": 1.5, "bool": true, "string": "8080", "secret": " =true ",
            "multi": ["a", "b"], "port": 80, "UNKNOWN": "1",
        });
        assert_eq!(Value::Object(values(given, &known).unwrap()), expected);
    }

    #[test]
    fn a_wrong_value_is_told_by_its_key_and_not_repeated() {
        let known = [parameter("REPLICAS", "int")];
        let error = values(vec![typed("REPLICAS", "hunter2")], &known).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the value of REPLICAS must be a whole number"
        );
        assert!(values(vec![typed("A", "1"), typed("A", "2")], &known).is_err());
    }

    #[test]
    fn the_first_equals_sign_divides() {
        assert_eq!(pair("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("A="), Ok(("A".to_owned(), String::new())));
        assert!(pair("=b").is_err() && !pair("hunter2").unwrap_err().contains("hunter2"));
    }
}
