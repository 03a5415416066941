//! The values that one deployment uses.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is wrong with a parameter that somebody gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer into the request, `/parameters/NAME`.
    pub pointer: String,
    /// What is wrong, in a sentence that never repeats the value.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(name: &str, message: impl Into<String>) -> Self {
        // RFC 6901: `~` and `/` are escaped.
        let name = name.replace('~', "~0").replace('/', "~1");
        Self {
            pointer: format!("/parameters/{name}"),
            message: message.into(),
        }
    }
}

/// One value, and whether it may be shown.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The checked value.
    pub value: Value,
    /// Whether it must not be shown.
    pub secret: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            f.write_str("(secret)")
        } else {
            write!(f, "{}", self.value)
        }
    }
}

/// The values of all parameters of an entry, by name: given, by default or made up.
///
/// It holds secrets in the open when it is serialised; who stores it must seal it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Values by name; a parameter without a value is not in it.
    pub values: BTreeMap<String, Answer>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.values).finish()
    }
}

impl Answers {
    /// The value of a parameter as the text that compose sees.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .map(|answer| crate::param::text(&answer.value))
    }

    /// The same with every secret replaced by `***`, for whatever is shown.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let hide = |answer: &Answer| {
            if answer.secret {
                Answer {
                    value: Value::from("***"),
                    secret: true,
                }
            } else {
                answer.clone()
            }
        };
        Self {
            values: self
                .values
                .iter()
                .map(|(k, v)| (k.clone(), hide(v)))
                .collect(),
        }
    }
}
