//! Reading `params` of an `app.yaml`.

use serde_json::Value;

use super::{Choice, Generate, Kind, Param, Validate, label, value};
use crate::{
    finding::{At, Findings},
    template, text, unit,
    yaml::{Fields, Node},
};

/// Names that the environment of `docker compose` itself has: a value in `.env` would not win over it.
const TAKEN: &[&str] = &["PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "SHELL"];

/// Reads the list of parameters.
pub(crate) fn read(nodes: &[Node], findings: &mut Findings) -> Vec<(Param, At)> {
    let mut params: Vec<(Param, At)> = Vec::new();
    for node in nodes {
        let Some(param) = parameter(node, findings) else {
            continue;
        };
        if params.iter().any(|(p, _)| p.name == param.name) {
            findings.error(
                &node.at,
                format!("The parameter `{}` stands here twice.", param.name),
            );
            continue;
        }
        params.push((param, node.at.clone()));
    }
    for (param, at) in &params {
        if let Some(other) = param.generate.as_ref().and_then(Generate::needs)
            && !params.iter().any(|(p, _)| {
                p.name == other && p.generate.as_ref().is_none_or(|g| g.needs().is_none())
            })
        {
            findings.error(
                at,
                format!("`{}` is made from `{other}`, which is no parameter that has a value of its own.", param.name),
            );
        }
    }
    params
}

fn parameter(node: &Node, findings: &mut Findings) -> Option<Param> {
    let mut fields = Fields::of(node, "A parameter", findings)?;
    let name = fields.text("name", findings);
    let word = fields
        .text("type", findings)
        .unwrap_or_else(|| "string".to_owned());
    let kind = Kind::parse(&word);
    if kind.is_none() {
        let hint = text::nearest(&word, Kind::WORDS).map_or_else(
            || format!(" Types are {}.", Kind::WORDS.join(", ")),
            |near| format!(" Did you mean `{near}`?"),
        );
        findings.error(
            &node.at,
            format!("There is no type `{}`.{hint}", text::excerpt(&word)),
        );
    }
    let default = fields.node("default").cloned();
    let mut param = Param {
        label: fields
            .text("label", findings)
            .unwrap_or_else(|| label(name.as_deref().unwrap_or_default())),
        help: fields.text("help", findings),
        group: fields.text("group", findings),
        kind: kind.unwrap_or(Kind::String),
        required: fields.flag("required", findings).unwrap_or(false),
        validate: validate(fields.node("validate"), kind, findings),
        options: options(fields.list("options", findings), findings),
        generate: generate(fields.node("generate"), findings),
        immutable: fields.flag("immutable", findings).unwrap_or(false),
        advanced: fields.flag("advanced", findings).unwrap_or(false),
        hidden: fields.flag("hidden", findings).unwrap_or(false),
        show_after_deploy: fields.flag("show_after_deploy", findings).unwrap_or(false),
        when: when(&mut fields, findings),
        env: fields.flag("env", findings).unwrap_or(true),
        ..Param::text(name.as_deref().unwrap_or_default())
    };
    fields.finish(findings);
    let Some(name) = name else {
        findings.error(&node.at, "A parameter needs a `name`.");
        return None;
    };
    kind?;
    if !is_name(&name) {
        findings.error(
            &node.at,
            format!(
                "`{}` is no name of a variable: letters, digits and `_`, at most 128.",
                text::excerpt(&name)
            ),
        );
        return None;
    }
    if param.env && TAKEN.contains(&name.as_str()) {
        findings.error(
            &node.at,
            format!("`{name}` is a variable of the system; choose another name."),
        );
    }
    if matches!(param.kind, Kind::Enum | Kind::Multi) && param.options.is_empty() {
        findings.error(
            &node.at,
            format!("`{name}` needs `options` to choose from."),
        );
    }
    if param.hidden && param.required && param.generate.is_none() && default.is_none() {
        findings.error(
            &node.at,
            format!("`{name}` is hidden and required, and nothing gives it a value."),
        );
    }
    if let Some(default) = default {
        param.default = checked_default(&param, &default, findings);
    }
    Some(param)
}

/// What compose takes for the name of a variable.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn checked_default(param: &Param, node: &Node, findings: &mut Findings) -> Option<Value> {
    let json = match param.kind {
        // `017` and `yes` stay what the author wrote where text is wanted.
        Kind::String | Kind::Text | Kind::Secret | Kind::Enum => {
            node.text().map_or_else(|| node.json(), Value::from)
        }
        _ => node.json(),
    };
    value::check(param, &json)
        .map_err(|wrong| {
            findings.error(
                &node.at,
                format!("The default of `{}` {wrong}.", param.name),
            );
        })
        .ok()
}

fn options(nodes: &[Node], findings: &mut Findings) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for node in nodes {
        let choice = if let Some(text) = node.text() {
            Some(Choice {
                value: text.to_owned(),
                label: text.to_owned(),
            })
        } else {
            choice(node, findings)
        };
        if let Some(choice) = choice {
            if choices.iter().any(|c| c.value == choice.value) {
                findings.error(&node.at, "This option stands here twice.");
            }
            choices.push(choice);
        }
    }
    choices
}

fn choice(node: &Node, findings: &mut Findings) -> Option<Choice> {
    let mut fields = Fields::of(node, "An option", findings)?;
    let value = fields.text("value", findings);
    let label = fields.text("label", findings);
    fields.finish(findings);
    let Some(value) = value else {
        findings.error(&node.at, "An option needs a `value`.");
        return None;
    };
    Some(Choice {
        label: label.unwrap_or_else(|| value.clone()),
        value,
    })
}

fn when(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<String> {
    let node = fields.node("when")?;
    let expression = node.text().unwrap_or_default().to_owned();
    if let Err(message) = template::check_expression(&expression) {
        findings.error(&node.at, format!("`when` is no expression: {message}."));
    }
    Some(expression)
}

fn validate(node: Option<&Node>, kind: Option<Kind>, findings: &mut Findings) -> Validate {
    let Some(mut fields) = node.and_then(|n| Fields::of(n, "`validate`", findings)) else {
        return Validate::default();
    };
    let pattern = fields.node("pattern").and_then(|node| {
        let pattern = node.text()?;
        if let Err(error) = value::compile(pattern) {
            findings.error(&node.at, format!("This is no regular expression: {error}."));
        }
        Some(pattern.to_owned())
    });
    let validate = Validate {
        pattern,
        min: bound(&mut fields, "min", kind, findings),
        max: bound(&mut fields, "max", kind, findings),
        min_length: fields.number("min_length", findings),
        max_length: fields.number("max_length", findings),
        one_of: fields.texts("one_of", findings),
        message: fields.text("message", findings),
    };
    fields.finish(findings);
    validate
}

#[expect(clippy::cast_precision_loss, reason = "sizes up to 8 PiB are exact")]
fn bound(
    fields: &mut Fields<'_>,
    key: &'static str,
    kind: Option<Kind>,
    findings: &mut Findings,
) -> Option<f64> {
    let node = fields.node(key)?;
    let text = node.text().unwrap_or_default();
    let value = match kind {
        Some(Kind::Size) => unit::size(text).ok().map(|bytes| bytes as f64),
        Some(Kind::Duration) => unit::duration(text).ok().map(|d| d.as_secs_f64()),
        _ => node.float(),
    };
    if value.is_none() {
        findings.error(
            &node.at,
            format!("`{key}` does not fit the type of the parameter."),
        );
    }
    value
}

fn generate(node: Option<&Node>, findings: &mut Findings) -> Option<Generate> {
    let node = node?;
    let mut fields = Fields::of(node, "`generate`", findings)?;
    let kind = fields.text("kind", findings);
    let mut length = |fields: &mut Fields<'_>, key, default: usize, least: usize, most: usize| {
        let value = fields.number(key, findings);
        let value = value.map_or(default, |v| usize::try_from(v).unwrap_or(usize::MAX));
        if !(least..=most).contains(&value) {
            findings.error(&node.at, format!("`{key}` must be from {least} to {most}."));
        }
        value.clamp(least, most)
    };
    let generate = match kind.as_deref() {
        Some("password") => Some(Generate::Password {
            length: length(&mut fields, "length", 24, 8, 128),
            symbols: fields.flag("symbols", findings).unwrap_or(false),
        }),
        Some("alnum") => Some(Generate::Alnum {
            length: length(&mut fields, "length", 24, 1, 1024),
        }),
        Some("hex") => Some(Generate::Hex {
            bytes: length(&mut fields, "bytes", 32, 1, 1024),
        }),
        Some("base64") => Some(Generate::Base64 {
            bytes: length(&mut fields, "bytes", 32, 1, 1024),
        }),
        Some("uuid") => Some(Generate::Uuid),
        Some("username") => Some(Generate::Username),
        Some("from") => Some(Generate::From {
            length: length(&mut fields, "length", 64, 8, 64),
            of: needed(&mut fields, "of", node, findings),
        }),
        Some("jwt") => Some(Generate::Jwt {
            secret: needed(&mut fields, "secret", node, findings),
            claims: claims(&mut fields, findings),
        }),
        Some(kind @ ("bcrypt" | "rsa" | "ed25519")) => {
            findings.error(
                &node.at,
                format!("Values of the kind `{kind}` cannot be generated yet."),
            );
            return None;
        }
        other => {
            let kinds = "password, alnum, hex, base64, uuid, username, from, jwt";
            let other = text::excerpt(other.unwrap_or_default());
            findings.error(
                &node.at,
                format!("There is no kind `{other}`; kinds are {kinds}."),
            );
            return None;
        }
    };
    fields.finish(findings);
    generate
}

fn needed(
    fields: &mut Fields<'_>,
    key: &'static str,
    node: &Node,
    findings: &mut Findings,
) -> String {
    fields.text(key, findings).unwrap_or_else(|| {
        findings.error(
            &node.at,
            format!("`generate` needs `{key}`, the name of another parameter."),
        );
        String::new()
    })
}

fn claims(fields: &mut Fields<'_>, findings: &mut Findings) -> serde_json::Map<String, Value> {
    let Some(node) = fields.node("claims") else {
        return serde_json::Map::new();
    };
    if let Value::Object(map) = node.json() {
        return map;
    }
    findings.error(&node.at, "`claims` must be a mapping.");
    serde_json::Map::new()
}
