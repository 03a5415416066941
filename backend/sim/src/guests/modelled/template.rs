//! Go templates, as far as `docker … --format` needs them: `{{.A.B}}`, `{{json .A}}`, and text.

use serde_json::Value;

/// Renders a template over a value; the error is Docker's own.
pub(in crate::guests::modelled) fn render(template: &str, value: &Value) -> Result<String, String> {
    if template == "json" {
        return Ok(value.to_string());
    }
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        text.push_str(&rest[..at]);
        let Some((expression, after)) = rest[at + 2..].split_once("}}") else {
            return Err("template parsing error: template: :1: unclosed action".to_owned());
        };
        rest = after;
        text.push_str(&evaluate(expression.trim(), value)?);
    }
    text.push_str(rest);
    Ok(text.replace("\\t", "\t").replace("\\n", "\n"))
}

fn evaluate(expression: &str, value: &Value) -> Result<String, String> {
    if let Some(path) = expression.strip_prefix("json ") {
        return Ok(follow(path.trim(), value)?.to_string());
    }
    let path = expression.strip_prefix("println ").unwrap_or(expression);
    if !path.starts_with('.') || path.contains(' ') {
        let word = path.split_whitespace().next().unwrap_or(path);
        return Err(format!(
            "template parsing error: template: :1: function \"{word}\" not defined"
        ));
    }
    Ok(match follow(path, value)? {
        Value::String(text) => text.clone(),
        Value::Null => "<no value>".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(_) => "map[]".to_owned(),
        other => other.to_string(),
    })
}

fn follow<'a>(path: &str, value: &'a Value) -> Result<&'a Value, String> {
    let mut here = value;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        here = here.get(part).ok_or_else(|| {
            format!(
                "template: :1:2: executing \"\" at <{path}>: map has no entry for key \"{part}\""
            )
        })?;
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_json_and_mistakes() {
        let value = json!({"Driver": "overlay2", "State": {"Status": "running", "Code": 3}});
        assert_eq!(render("{{.Driver}}", &value).unwrap(), "overlay2");
        assert_eq!(
            render("{{ .State.Status }}:{{.State.Code}}", &value).unwrap(),
            "running:3"
        );
        assert_eq!(
            render("{{json .State.Status}}", &value).unwrap(),
            "\"running\""
        );
        assert!(render("{{.Nope}}", &value).is_err());
        assert!(render("{{range .State}}", &value).is_err());
    }
}
