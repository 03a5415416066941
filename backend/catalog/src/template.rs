//! Tera, for files ending in `.tera` and for the few expressions of a manifest.
//!
//! No escaping, because the files are configuration and not HTML; an undefined name is an error. Compose files never
//! come here.

use std::io::{self, Write};

use serde::Serialize;
use tera::{Context, Tera};

/// Largest file that a template may write, in bytes.
const MAX_OUTPUT: usize = 1024 * 1024;

/// Renders a template. The error holds the engine's words; it never holds a value of the context.
pub(crate) fn render(name: &str, source: &str, context: &impl Serialize) -> Result<String, String> {
    let context = Context::from_serialize(context).map_err(|error| said(&error))?;
    let mut tera = Tera::new();
    tera.autoescape_on(Vec::<&'static str>::new());
    tera.add_raw_template(name, source)
        .map_err(|error| said(&error))?;
    let mut output = Bounded(Vec::new());
    tera.render_to(name, &context, &mut output)
        .map_err(|error| said(&error))?;
    String::from_utf8(output.0).map_err(|_| "the result is not text".to_owned())
}

/// Whether a template can be read at all.
pub(crate) fn check(name: &str, source: &str) -> Result<(), String> {
    let mut tera = Tera::new();
    tera.add_raw_template(name, source)
        .map_err(|error| said(&error))
}

/// Whether an expression can be read at all.
pub(crate) fn check_expression(expression: &str) -> Result<(), String> {
    check("expression", &condition(expression))
}

/// Whether an expression is true.
pub(crate) fn is_true(expression: &str, context: &impl Serialize) -> Result<bool, String> {
    render("expression", &condition(expression), context).map(|text| text == "1")
}

fn condition(expression: &str) -> String {
    format!("{{% if {expression} %}}1{{% endif %}}")
}

/// The messages of an error and its causes on one line.
fn said(error: &tera::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    let text = parts.join(": ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("the result is too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_without_escaping_and_strictly() {
        let context = json!({"params": {"A": "<&'\">"}});
        assert_eq!(
            render("a.conf", "x = {{ params.A }}", &context).as_deref(),
            Ok("x = <&'\">")
        );
        assert_eq!(
            render("a.html", "{{ params.A }}", &context).as_deref(),
            Ok("<&'\">")
        );
        let error = render("a.conf", "{{ params.MISSING }}", &context).unwrap_err();
        assert!(error.contains("MISSING"), "{error}");
        assert!(!error.contains("<&"), "{error}");
        assert!(render("a.conf", "{{ nothing }}", &context).is_err());
    }

    #[test]
    fn neither_files_nor_the_environment_are_in_reach() {
        let context = json!({});
        for source in [
            "{{ get_env(name='HOME') }}",
            "{% include '/etc/passwd' %}",
            "{% import '/etc/passwd' as x %}",
        ] {
            assert!(render("a", source, &context).is_err(), "{source}");
        }
    }

    #[test]
    fn output_is_bounded() {
        let source =
            "{% for i in range(end=100000) %}0123456789012345678901234567890123456789{% endfor %}";
        let error = render("a", source, &json!({})).unwrap_err();
        assert!(error.contains("too large"), "{error}");
    }

    #[test]
    fn expressions() {
        let context = json!({"params": {"MODE": "smtp", "ON": true}});
        assert_eq!(
            is_true("params.MODE == \"smtp\" and params.ON", &context),
            Ok(true)
        );
        assert_eq!(is_true("params.MODE == 'none'", &context), Ok(false));
        assert!(check_expression("params. ==").is_err());
    }
}
