//! Shapes of JSON in words.

use serde::Serialize;
use serde_json::Value;

use super::outline::{Span, members, rows, spans, text};

/// A named shape.
#[derive(Serialize)]
pub(super) struct Shape {
    name: String,
    description: Vec<Span>,
    fields: Vec<Field>,
    /// Shapes whose fields it has besides its own.
    includes: Vec<Type>,
    /// The words that it can be, where it is one of several.
    words: Vec<String>,
    /// What it is, where it has no fields.
    kind: Option<Type>,
}

/// A field of a shape, or a parameter.
#[derive(Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Type,
    pub(super) required: bool,
    pub(super) description: Vec<Span>,
}

/// A type in words, with the name of the shape that it leads to.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Type {
    text: String,
    link: Option<String>,
}

impl Shape {
    /// The shape of a schema.
    pub(super) fn of(name: &str, schema: &Value) -> Self {
        // Fields that were flattened in are a list of shapes: references, and one object of its own.
        let (mut fields, mut includes) = (fields(schema), Vec::new());
        for part in rows(&schema["allOf"]) {
            match part.get("$ref") {
                Some(_) => includes.push(Type::of(part)),
                None => fields.extend(self::fields(part)),
            }
        }
        let words: Vec<String> = rows(&schema["enum"]).map(text).collect();
        let is_plain = fields.is_empty() && includes.is_empty() && words.is_empty();
        Self {
            name: name.to_owned(),
            description: spans(schema["description"].as_str().unwrap_or_default()),
            kind: is_plain.then(|| Type::of(schema)),
            fields,
            includes,
            words,
        }
    }
}

fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<&str> = rows(&schema["required"])
        .filter_map(Value::as_str)
        .collect();
    members(&schema["properties"])
        .map(|(name, schema)| Field::of(name, schema, required.contains(&name.as_str())))
        .collect()
}

impl Field {
    /// A field of this name and schema.
    pub(super) fn of(name: &str, schema: &Value, required: bool) -> Self {
        Self {
            name: name.to_owned(),
            shape: Type::of(schema),
            required,
            description: spans(description(schema)),
        }
    }
}

/// What is said of a field: by itself, or where it may be absent by the part that tells what it is.
fn description(schema: &Value) -> &str {
    let parts = rows(&schema["oneOf"]);
    let said = [schema]
        .into_iter()
        .chain(parts)
        .find_map(|schema| schema["description"].as_str());
    said.unwrap_or_default()
}

impl Type {
    /// A schema in words.
    pub(super) fn of(schema: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return Self {
                text: String::new(),
                link: Some(name.to_owned()),
            };
        }
        // "This, or nothing" and a reference with a description are lists with one part that tells.
        let parts = ["oneOf", "anyOf", "allOf"]
            .into_iter()
            .flat_map(|list| rows(&schema[list]));
        if let Some(part) = parts.into_iter().find(|part| part["type"] != "null") {
            return Self::of(part);
        }
        let words: Vec<String> = rows(&schema["enum"])
            .map(|word| format!("`{}`", text(word)))
            .collect();
        if !words.is_empty() {
            return Self::plain(words.join(" or "));
        }
        let kinds = rows(&schema["type"]).chain([&schema["type"]]);
        let kind = kinds
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("any value");
        match (kind, schema["format"].as_str()) {
            ("array", _) => {
                let item = Self::of(&schema["items"]);
                Self {
                    text: format!("list of {}", item.text),
                    ..item
                }
            }
            (_, Some("date-time")) => Self::plain("time".to_owned()),
            (kind, _) => Self::plain(kind.to_owned()),
        }
    }

    fn plain(text: String) -> Self {
        Self { text, link: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value) -> String {
        let Type { text, link } = Type::of(schema);
        let link = link.map(|link| format!("[{link}]")).unwrap_or_default();
        format!("{text}{link}")
    }

    #[test]
    fn types_are_told_in_words() {
        assert_eq!(told(&json!({"type": "string"})), "string");
        assert_eq!(
            told(&json!({"type": ["string", "null"], "format": "date-time"})),
            "time"
        );
        assert_eq!(
            told(&json!({"type": "array", "items": {"$ref": "#/components/schemas/App"}})),
            "list of [App]"
        );
        assert_eq!(
            told(&json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/App"}]})),
            "[App]"
        );
        assert_eq!(
            told(&json!({"type": "string", "enum": ["a", "b"]})),
            "`a` or `b`"
        );
        assert_eq!(told(&json!({})), "any value");
    }

    #[test]
    fn flattened_fields_are_kept() {
        let schema = json!({"allOf": [
            {"$ref": "#/components/schemas/Token"},
            {"type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}},
        ]});
        let shape = Shape::of("CreatedToken", &schema);
        assert_eq!(shape.includes.len(), 1);
        assert_eq!(shape.fields.len(), 1);
        assert!(shape.fields[0].required);
    }
}
