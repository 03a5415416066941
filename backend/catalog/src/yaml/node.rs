//! A located YAML node.

use serde_json::Value;

use crate::finding::At;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// Text, and whether it was written plain, so that it may be read as null, a truth value or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Map(pub(crate) Vec<(Node, Node)>);

impl Map {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .find(|(k, _, _)| *k == key)
            .map(|(_, _, v)| v)
    }

    /// Key, where the key stands, value. The builder refuses keys that are not text.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &At, &Node)> {
        self.0
            .iter()
            .filter_map(|(k, v)| k.text().map(|text| (text, &k.at, v)))
    }
}

impl Scalar {
    fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    fn bool(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// A whole number. `017` is not taken for one: YAML 1.1 and 1.2 disagree about it.
    fn int(&self) -> Option<i64> {
        let digits = self.text.strip_prefix(['-', '+']).unwrap_or(&self.text);
        let octal_looking = digits.len() > 1 && digits.starts_with('0');
        (self.plain && !octal_looking).then(|| self.text.parse().ok())?
    }

    fn float(&self) -> Option<f64> {
        let number = self
            .text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        (self.plain && number)
            .then(|| self.text.parse().ok())?
            .filter(|f: &f64| f.is_finite())
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(s) if s.is_null())
    }

    /// The text of any scalar that is not null, as it was written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(s) if !s.is_null() => Some(&s.text),
            _ => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar(s) => s.bool(),
            _ => None,
        }
    }

    pub(crate) fn int(&self) -> Option<i64> {
        match &self.kind {
            Kind::Scalar(s) => s.int(),
            _ => None,
        }
    }

    pub(crate) fn float(&self) -> Option<f64> {
        match &self.kind {
            Kind::Scalar(s) => s.float(),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key).filter(|n| !n.is_null())
    }

    /// What the node is, for a sentence that says what it should have been.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(s) if s.is_null() => "nothing",
            Kind::Scalar(s) if s.bool().is_some() => "a truth value",
            Kind::Scalar(s) if s.float().is_some() => "a number",
            Kind::Scalar(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The node as JSON, with plain scalars read as YAML 1.2 does.
    pub(crate) fn json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(s) if s.is_null() => Value::Null,
            Kind::Scalar(s) => s
                .bool()
                .map(Value::from)
                .or_else(|| s.int().map(Value::from))
                .or_else(|| s.float().map(Value::from))
                .unwrap_or_else(|| Value::from(s.text.as_str())),
            Kind::List(list) => list.iter().map(Self::json).collect(),
            Kind::Map(map) => Value::Object(
                map.entries()
                    .map(|(k, _, v)| (k.to_owned(), v.json()))
                    .collect(),
            ),
        }
    }
}
