//! What the page tells, in the order in which it tells it.

use serde::Serialize;
use serde_json::Value;

use super::schema::{Field, Shape, Type};
use crate::{openapi, problem::KINDS};

/// The whole page.
#[derive(Serialize)]
pub(super) struct Outline {
    title: String,
    version: String,
    description: Vec<Vec<Span>>,
    sections: Vec<Section>,
    shapes: Vec<Shape>,
    problems: Vec<Problem>,
}

/// The calls of one tag.
#[derive(Serialize)]
struct Section {
    name: String,
    description: Vec<Span>,
    calls: Vec<Call>,
}

/// One call.
#[derive(Serialize)]
struct Call {
    id: String,
    method: String,
    path: String,
    summary: Vec<Span>,
    description: Vec<Vec<Span>>,
    is_open: bool,
    parameters: Vec<Parameter>,
    body: Option<Type>,
    answers: Vec<Answer>,
    /// Answers that mean the same everywhere.
    usual: Vec<Answer>,
}

/// One parameter.
#[derive(Serialize)]
struct Parameter {
    place: String,
    #[serde(flatten)]
    field: Field,
}

/// One answer.
#[derive(Serialize)]
struct Answer {
    status: String,
    description: Vec<Span>,
    contents: Vec<Content>,
}

/// What an answer carries.
#[derive(Serialize)]
struct Content {
    media: String,
    shape: Type,
}

/// A kind of problem.
#[derive(Serialize)]
struct Problem {
    code: &'static str,
    status: u16,
    meaning: Vec<Span>,
}

/// A piece of a sentence.
#[derive(Serialize)]
pub(super) struct Span {
    text: String,
    is_code: bool,
}

/// A sentence in which code stands between backticks.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let pieces = text
        .split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty());
    pieces
        .map(|(index, piece)| Span {
            text: piece.to_owned(),
            is_code: index % 2 == 1,
        })
        .collect()
}

fn paragraphs(text: &str) -> Vec<Vec<Span>> {
    text.split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(spans)
        .collect()
}

/// A member that is text; nothing, where it is not there.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The members of an object; none, where it is not there.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The rows of an array; none, where it is not there.
pub(super) fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

impl Outline {
    /// The page for an OpenAPI document.
    pub(super) fn of(document: &Value) -> Self {
        let info = &document["info"];
        let problems = KINDS.iter().map(|kind| Problem {
            code: kind.code,
            status: kind.status,
            meaning: spans(kind.meaning),
        });
        Self {
            title: text(&info["title"]),
            version: text(&info["version"]),
            description: paragraphs(info["description"].as_str().unwrap_or_default()),
            sections: rows(&document["tags"])
                .map(|tag| section(document, tag))
                .collect(),
            shapes: members(&document["components"]["schemas"])
                .map(|(name, schema)| Shape::of(name, schema))
                .collect(),
            problems: problems.collect(),
        }
    }
}

fn section(document: &Value, tag: &Value) -> Section {
    let name = text(&tag["name"]);
    let calls = members(&document["paths"])
        .flat_map(|(path, item)| {
            members(item).map(move |(method, operation)| (path, method, operation))
        })
        .filter(|(_, _, operation)| rows(&operation["tags"]).any(|tag| *tag == name.as_str()))
        .map(|(path, method, operation)| call(path, method, operation));
    Section {
        description: spans(tag["description"].as_str().unwrap_or_default()),
        calls: calls.collect(),
        name,
    }
}

fn call(path: &str, method: &str, operation: &Value) -> Call {
    let body = members(&operation["requestBody"]["content"]).next();
    Call {
        id: format!(
            "{method}{}",
            path.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        ),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: spans(operation["summary"].as_str().unwrap_or_default()),
        description: paragraphs(operation["description"].as_str().unwrap_or_default()),
        is_open: operation.get("security").is_some(),
        parameters: rows(&operation["parameters"]).map(parameter).collect(),
        body: body.map(|(_, content)| Type::of(&content["schema"])),
        answers: answers(operation, false),
        usual: answers(operation, true),
    }
}

fn answers(operation: &Value, usual: bool) -> Vec<Answer> {
    members(&operation["responses"])
        .filter(|(status, response)| {
            let description = response["description"].as_str().unwrap_or_default();
            openapi::is_usual(status, description) == usual
        })
        .map(|(status, response)| answer(status, response))
        .collect()
}

fn parameter(parameter: &Value) -> Parameter {
    let required = parameter["required"] == true;
    let mut field = Field::of(
        parameter["name"].as_str().unwrap_or_default(),
        &parameter["schema"],
        required,
    );
    if let Some(description) = parameter["description"].as_str() {
        field.description = spans(description);
    }
    Parameter {
        place: text(&parameter["in"]),
        field,
    }
}

fn answer(status: &str, response: &Value) -> Answer {
    let contents = members(&response["content"]).map(|(media, content)| Content {
        media: media.clone(),
        shape: Type::of(&content["schema"]),
    });
    Answer {
        status: status.to_owned(),
        description: spans(response["description"].as_str().unwrap_or_default()),
        contents: contents.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backticks() {
        let told: Vec<(String, bool)> = spans("`detail` names `it`.")
            .into_iter()
            .map(|span| (span.text, span.is_code))
            .collect();
        let told: Vec<(&str, bool)> = told
            .iter()
            .map(|(text, is_code)| (text.as_str(), *is_code))
            .collect();
        assert_eq!(
            told,
            [
                ("detail", true),
                (" names ", false),
                ("it", true),
                (".", false)
            ]
        );
    }
}
