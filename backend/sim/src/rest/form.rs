//! Decoding what comes with a request, as `pveproxy` does, mistakes included.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::Failure;

/// Kind of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Form,
    Json,
}

impl Kind {
    /// By the header; no header is a form.
    pub(crate) fn of(header: Option<&str>) -> Result<Self, Failure> {
        let Some(header) = header else {
            return Ok(Self::Form);
        };
        match header.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "application/json" => Ok(Self::Json),
            _ => Err(Failure::proxy(
                506,
                format!("upload 'Content-Type '{header}' not implemented"),
            )),
        }
    }

    /// The parameters in a body.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
        match self {
            Self::Form => decode(&String::from_utf8_lossy(bytes)),
            Self::Json => decode_json(bytes),
        }
    }
}

/// Decodes a query or form. Pairs end at `&` or `;`, and a value ends at an `=` that is not encoded.
pub(crate) fn decode(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for pair in text.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let mut halves = pair.split('=');
        let key = percent(halves.next().unwrap_or_default())?;
        let Some(value) = halves.next() else {
            continue;
        };
        let value = percent(value)?;
        if found.insert(key.clone(), value).is_some() {
            return Err(Failure::parameter(
                &key,
                "type check ('string') failed - got ARRAY",
            ));
        }
    }
    Ok(found)
}

/// Undoes percent encoding; `+` is a blank.
pub(crate) fn percent(text: &str) -> Result<String, Failure> {
    percent_bytes(&text.replace('+', " "))
}

/// Undoes percent encoding in a path or cookie, where `+` is itself.
pub(crate) fn percent_bytes(text: &str) -> Result<String, Failure> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).map_err(|_| Failure::proxy(400, "invalid UTF-8 in the request"))
}

fn decode_json(bytes: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
    let Ok(Value::Object(given)) = serde_json::from_slice(bytes) else {
        return Err(Failure::proxy(400, "malformed JSON string"));
    };
    let mut found = BTreeMap::new();
    for (key, value) in given {
        let value = match value {
            Value::Null => continue,
            Value::Bool(truth) => u8::from(truth).to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            Value::Array(_) | Value::Object(_) => {
                let text = "type check ('string') failed - got a structure";
                return Err(Failure::parameter(&key, text));
            }
        };
        found.insert(key, value);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_equals_sign_cuts_the_value() {
        let found = decode("net0=name=eth0,bridge=vmbr0&vmid=101&flag").unwrap();
        assert_eq!(found["net0"], "name");
        assert_eq!(found["vmid"], "101");
        assert!(!found.contains_key("flag"));
        let found = decode("net0=name%3Deth0%2Cbridge%3Dvmbr0&d=a+b%2B%C3%BC").unwrap();
        assert_eq!(found["net0"], "name=eth0,bridge=vmbr0");
        assert_eq!(found["d"], "a b+ü");
        assert!(decode("a=1&a=2").is_err());
    }

    #[test]
    fn bodies_by_their_kind() {
        let found = Kind::of(Some("application/json;charset=utf-8"))
            .unwrap()
            .decode(br#"{"vmid":101,"onboot":true,"x":"y","n":null}"#)
            .unwrap();
        assert_eq!(
            (found["vmid"].as_str(), found["onboot"].as_str()),
            ("101", "1")
        );
        assert_eq!(found.len(), 3);
        assert_eq!(Kind::of(Some("text/plain")).unwrap_err().status, 506);
    }
}
