//! The same as a command: what a person would type to do what a page's button does.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// An action as a command line of `proximity` and as a call with curl; `ui.as_command` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Command {
    /// With our own command line.
    pub(crate) cli: String,
    /// With curl. `PROXIMITY_URL` and `PROXIMITY_TOKEN` are variables: nothing of the session is in it.
    pub(crate) curl: String,
}

/// A command of `proximity` with these arguments.
pub(crate) fn cli<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = "proximity".to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    line
}

/// A call of the API: method, path under `/api/v1`, body.
pub(crate) fn curl(method: &str, path: &str, body: Option<&Value>) -> String {
    let mut line = "curl".to_owned();
    if method != "GET" && (method != "POST" || body.is_none()) {
        let _ = write!(line, " -X {method}");
    }
    line.push_str(" -H \"Authorization: Bearer $PROXIMITY_TOKEN\"");
    if let Some(body) = body {
        let json = serde_json::to_string(body).unwrap_or_default();
        let _ = write!(
            line,
            " -H 'Content-Type: application/json' -d {}",
            quoted(&json)
        );
    }
    // The variable must be expanded and the path must not be.
    let _ = write!(
        line,
        " \"$PROXIMITY_URL\"{}",
        quoted(&format!("/api/v1{path}"))
    );
    line
}

/// A word for a POSIX shell (2.2.2): as it is where nothing in it means anything, else in single quotes.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_reaches_the_command_as_it_is() {
        assert_eq!(quoted("uptime-kuma"), "uptime-kuma");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("Bob's $HOME `id`"), "'Bob'\\''s $HOME `id`'");
        let hostile = [
            "a b", "$(id)", "a'b", "a\nb", "*", "~", "\\", "é", "!x", "#x",
        ];
        for word in hostile {
            let heard = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(heard.stdout).unwrap(), word);
        }
    }

    #[test]
    fn commands_are_as_one_would_type_them() {
        assert_eq!(
            cli(["deploy", "memos", "--name", "My notes"]),
            "proximity deploy memos --name 'My notes'"
        );
        assert_eq!(
            curl("POST", "/apps/memos/stop", None),
            "curl -X POST -H \"Authorization: Bearer $PROXIMITY_TOKEN\" \"$PROXIMITY_URL\"/api/v1/apps/memos/stop"
        );
        assert!(
            curl("POST", "/apps", Some(&json!({"name": "it's"})))
                .contains("-d '{\"name\":\"it'\\''s\"}'")
        );
    }
}
