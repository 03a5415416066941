//! The body of a request.

use api::FieldError;
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::{error::Error, router::BODY_LIMIT};

/// Longest sentence that a parser may say.
const LONGEST: usize = 300;

/// A JSON body as `T`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::NotJson);
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|error| match error.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: BODY_LIMIT },
                    _ => Error::CutBody,
                })?;
        parse(&bytes).map(Self)
    }
}

/// `application/json`, or a kind of it (RFC 6839), with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = pointer(error.path());
        explain(path, error.inner())
    })?;
    deserializer
        .end()
        .map_err(|error| explain(String::new(), &error))?;
    Ok(value)
}

fn explain(pointer: String, error: &serde_json::Error) -> Error {
    if error.classify() != Category::Data {
        return Error::MalformedJson {
            reason: error.to_string().chars().take(LONGEST).collect(),
        };
    }
    let said = error.to_string();
    // Where it is, the pointer tells.
    let said = said.split(" at line ").next().unwrap_or_default();
    Error::Field(field(pointer, said))
}

/// What serde says of a field, without the value: it may be a password that stands in the wrong place.
fn field(mut pointer: String, said: &str) -> FieldError {
    let about_a_name = [
        ("missing field", "is missing"),
        ("unknown field", "is not known here"),
        ("duplicate field", "is there twice"),
    ];
    let about_a_name = about_a_name
        .iter()
        .find(|(begin, _)| said.starts_with(begin));
    let message = if let Some((_, message)) = about_a_name {
        // The parser names the field itself, or only what it is in.
        let quoted = said.split('`').nth(1).unwrap_or_default();
        if pointer.rsplit('/').next() != Some(escape(quoted).as_str()) {
            step(&mut pointer, quoted);
        }
        (*message).to_owned()
    } else if let Some((_, expected)) = said.rsplit_once(", expected ") {
        format!("must be {}", wanted(expected))
    } else {
        said.chars().take(LONGEST).collect()
    };
    FieldError { pointer, message }
}

/// What serde expects, in the words of JSON.
fn wanted(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number, not negative and not too large",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        "a sequence" => "an array",
        _ => expected,
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => step(&mut pointer, &index.to_string()),
            Segment::Map { key } => step(&mut pointer, key),
            // A variant of an enum is no member of the document.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn step(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&escape(name));
}

fn escape(name: &str) -> String {
    name.chars()
        .take(LONGEST)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use api::{CreateToken, Deploy, Login};
    use axum::http::HeaderValue;

    use super::*;

    fn refused<T: DeserializeOwned>(text: &str) -> (String, String) {
        match parse::<T>(text.as_bytes()).map(|_| ()).unwrap_err() {
            Error::Field(FieldError { pointer, message }) => (pointer, message),
            other => panic!("{other:?}"),
        }
    }

    fn at(pointer: &str, message: &str) -> (String, String) {
        (pointer.to_owned(), message.to_owned())
    }

    #[test]
    fn a_wrong_field_is_pointed_at() {
        assert_eq!(
            refused::<Deploy>(r#"{"catalog_id": 7}"#),
            at("/catalog_id", "must be a string")
        );
        assert_eq!(
            refused::<Deploy>(r#"{"catalog_id": "x", "resources": {"memory": -1}}"#),
            at(
                "/resources/memory",
                "must be a whole number, not negative and not too large"
            ),
        );
        assert_eq!(
            refused::<Deploy>(
                r#"{"catalog_id": "x", "network": {"nameservers": ["1.1.1.1", "no"]}}"#
            ),
            at("/network/nameservers/1", "invalid IP address syntax"),
        );
        assert_eq!(
            refused::<CreateToken>(r#"{"name": "x", "scopes": ["root"]}"#),
            at("/scopes/0", "must be one of `read`, `write`, `admin`"),
        );
        assert_eq!(
            refused::<Deploy>(r#"{"catalog_id": "x", "resources": 7}"#),
            at("/resources", "must be an object"),
        );
    }

    #[test]
    fn a_missing_field_and_an_unknown_one_are_pointed_at() {
        assert_eq!(refused::<Deploy>("{}"), at("/catalog_id", "is missing"));
        assert_eq!(
            refused::<Deploy>(r#"{"catalog_id": "x", "a/b": 1}"#),
            at("/a~1b", "is not known here")
        );
        assert_eq!(
            refused::<Deploy>(r#"{"catalog_id": "x", "resources": {"ram": 1}}"#),
            at("/resources/ram", "is not known here"),
        );
        assert_eq!(
            refused::<Login>(r#"{"username": "a", "username": "b", "password": "c"}"#),
            at("/username", "is there twice"),
        );
    }

    #[test]
    fn a_value_is_not_repeated() {
        let (_, message) =
            refused::<Deploy>(r#"{"catalog_id": "x", "resources": "hunter2, expected"}"#);
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for text in ["", "{", "{\"catalog_id\": \"x\"} {}", "nonsense", &deep] {
            let error = parse::<Deploy>(text.as_bytes()).unwrap_err();
            let is_malformed = matches!(error, Error::MalformedJson { .. });
            // An array in the place of an object is found out before its depth is.
            assert!(is_malformed || text == deep, "{text:.20} gave {error:?}");
        }
        let value = format!(r#"{{"catalog_id": "x", "parameters": {{"a": {deep}"#);
        assert!(matches!(
            parse::<Deploy>(value.as_bytes()),
            Err(Error::MalformedJson { .. })
        ));
    }

    #[test]
    fn a_body_must_say_that_it_is_json() {
        let says = |kind: &'static str| {
            is_json(&HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static(kind),
            )]))
        };
        assert!(
            says("application/json")
                && says("Application/JSON; charset=utf-8")
                && says("application/a+json")
        );
        assert!(
            !says("text/plain")
                && !says("application/x-www-form-urlencoded")
                && !says("image/svg+json")
        );
        assert!(!is_json(&HeaderMap::new()));
    }
}
