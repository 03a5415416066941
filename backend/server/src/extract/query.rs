//! The query of a request.

use std::{fmt, str::FromStr};

use axum::{
    extract::{FromRequestParts, Query as Parsed},
    http::{Uri, request::Parts},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::error::Error;

/// The query as `T`. Unknown parameters are passed over; empty ones count as absent, for that is what a form
/// sends for a field that was left empty.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Several words separated by commas in one parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.split(',')
            .map(|word| word.trim().parse().map_err(serde::de::Error::custom))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let given: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.ends_with('='))
        .collect();
    let malformed = |reason: String| Error::MalformedQuery { reason };
    let uri = Uri::try_from(format!("/?{}", given.join("&")))
        .map_err(|error| malformed(error.to_string()))?;
    Parsed::try_from_uri(&uri)
        .map(|Parsed(value)| value)
        .map_err(|error| {
            let reason = error.body_text();
            let reason = reason
                .strip_prefix("Failed to deserialize query string: ")
                .unwrap_or(&reason);
            malformed(reason.chars().take(300).collect())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::OperationStatus;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Filter {
        status: Option<OperationStatus>,
        limit: Option<u32>,
        #[serde(default)]
        plan: bool,
    }

    #[test]
    fn parameters_are_read_by_type() {
        let filter: Filter = parse("status=stuck&limit=5&plan=true&theme=dark").unwrap();
        assert_eq!(
            filter,
            Filter {
                status: Some(OperationStatus::Stuck),
                limit: Some(5),
                plan: true
            }
        );
    }

    #[test]
    fn an_empty_parameter_is_as_if_absent() {
        let filter: Filter = parse("status=&limit=&plan=").unwrap();
        assert_eq!(
            filter,
            Filter {
                status: None,
                limit: None,
                plan: false
            }
        );
    }

    #[test]
    fn several_words_are_separated_by_commas() {
        #[derive(Debug, Deserialize)]
        struct Several {
            status: List<OperationStatus>,
        }
        let several: Several = parse("status=queued,%20running").unwrap();
        let both = vec![OperationStatus::Queued, OperationStatus::Running];
        assert_eq!(several.status, List(both));
        let error = parse::<Several>("status=queued,,done").unwrap_err();
        assert!(error.to_string().contains("status: "), "{error}");
    }

    #[test]
    fn a_wrong_value_is_told_by_its_name() {
        for (query, name) in [
            ("status=done", "status"),
            ("limit=-1", "limit"),
            ("plan=perhaps", "plan"),
        ] {
            let error = parse::<Filter>(query).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("The query is not valid: {name}: ")),
                "{error}"
            );
        }
    }
}
