//! What each page offers to do, as commands; `ui.as_commands` shows them.

use std::fmt::Write as _;

use api::{Operation, OperationStatus};
use serde::Serialize;
use serde_json::{Value, json};

use super::command::{self, Command};

/// A command and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Offer {
    /// What it does, as the button says it.
    what: &'static str,
    #[serde(flatten)]
    command: Command,
}

/// On an app's page.
pub(crate) fn of_app(name: &str) -> Vec<Offer> {
    let path = |end| format!("/apps/{}{end}", segment(name));
    let post = |end| command::curl("POST", &path(end), None);
    vec![
        offer("Start", &["start", name], post("/start")),
        offer("Stop", &["stop", name], post("/stop")),
        offer("Restart", &["restart", name], post("/restart")),
        offer(
            "Follow the logs",
            &["logs", name, "--follow"],
            command::curl("GET", &path("/logs?follow=true"), None),
        ),
    ]
}

/// On the first page: the same for several apps, with the names of some. Nothing that destroys: these are not the ones
/// that somebody has chosen.
pub(crate) fn of_several(names: &[&str]) -> Vec<Offer> {
    let several = |what, kind: &'static str| {
        let arguments: Vec<&str> = [kind].into_iter().chain(names.iter().copied()).collect();
        let body = json!({"kind": kind, "apps": names});
        let curl = command::curl("POST", "/operations", Some(&body));
        offer(what, &arguments, curl)
    };
    vec![
        several("Start several", "start"),
        several("Restart several", "restart"),
        several("Stop several", "stop"),
    ]
}

/// On the page of an app's settings.
pub(crate) fn of_deletion(name: &str) -> Vec<Offer> {
    let path = format!("/apps/{}", segment(name));
    vec![offer(
        "Delete the app",
        &["delete", name],
        command::curl("DELETE", &path, None),
    )]
}

/// On the page of an operation: what may be done with it as it is now.
pub(crate) fn of_operation(operation: &Operation) -> Vec<Offer> {
    let id = operation.id.to_string();
    let path = |end| format!("/operations/{id}{end}");
    let mut offers = vec![offer(
        "Show it, and wait until it rests",
        &["operations", &id, "--wait"],
        command::curl("GET", &path(""), None),
    )];
    let given_up = operation.abandoned.is_some();
    match operation.status {
        OperationStatus::Queued | OperationStatus::Running => offers.push(offer(
            "Cancel",
            &["cancel", &id],
            command::curl("POST", &path("/cancel"), None),
        )),
        OperationStatus::Stuck if !given_up => {
            let body = reason("looked after by hand");
            offers.push(offer(
                "Retry",
                &["retry", &id],
                command::curl("POST", &path("/retry"), None),
            ));
            offers.push(offer(
                "Give up",
                &["abandon", &id, "--reason", "looked after by hand"],
                command::curl("POST", &path("/abandon"), Some(&body)),
            ));
        }
        _ => {}
    }
    offers
}

/// A new token, on the page of settings. The command line makes its own when it logs in.
pub(crate) fn of_tokens() -> Vec<Offer> {
    let body = json!({"name": "backup script", "scopes": ["write"]});
    vec![Offer {
        what: "Make a token",
        command: Command {
            cli: String::new(),
            curl: command::curl("POST", "/tokens", Some(&body)),
        },
    }]
}

/// On the page of the audit log.
pub(crate) fn of_audit() -> Vec<Offer> {
    vec![
        offer(
            "The last entries",
            &["audit"],
            command::curl("GET", "/audit", None),
        ),
        offer(
            "Logins that were refused",
            &["audit", "--action", "session", "--outcome", "denied"],
            command::curl("GET", "/audit?action=session&outcome=denied", None),
        ),
    ]
}

/// Looking for differences and taking an app back, on the page of settings.
pub(crate) fn of_differences() -> Vec<Offer> {
    let body = json!({});
    vec![
        offer(
            "Compare now",
            &["reconcile"],
            command::curl("POST", "/reconciliation", None),
        ),
        offer(
            "Adopt container 101",
            &["adopt", "101"],
            command::curl("POST", "/containers/101/adopt", Some(&body)),
        ),
    ]
}

/// The emergency stop, on the page of settings.
pub(crate) fn of_stop() -> Vec<Offer> {
    let body = reason("maintenance of the storage");
    vec![
        offer(
            "Park everything",
            &["park", "maintenance of the storage"],
            command::curl("POST", "/park", Some(&body)),
        ),
        offer(
            "Let everything go on",
            &["resume"],
            command::curl("POST", "/resume", None),
        ),
    ]
}

fn offer(what: &'static str, arguments: &[&str], curl: String) -> Offer {
    Offer {
        what,
        command: Command {
            cli: command::cli(arguments.iter().copied()),
            curl,
        },
    }
}

fn reason(reason: &str) -> Value {
    json!({"reason": reason})
}

/// A name as one segment of a path (RFC 3986, 3.3: what is not unreserved is written as bytes).
pub(super) fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_for_the_shell_and_for_the_address() {
        let offers = of_app("Bob's notes/é");
        let stop = &offers[1];
        assert_eq!(stop.command.cli, "proximity stop 'Bob'\\''s notes/é'");
        assert!(
            stop.command
                .curl
                .ends_with("/api/v1/apps/Bob%27s%20notes%2F%C3%A9/stop"),
            "{}",
            stop.command.curl
        );
    }

    #[test]
    fn several_apps_are_one_command() {
        let stop = of_several(&["blog", "my shop"]).pop().unwrap();
        assert_eq!(stop.command.cli, "proximity stop blog 'my shop'");
        let body = r#"{"apps":["blog","my shop"],"kind":"stop"}"#;
        assert!(stop.command.curl.contains(body), "{}", stop.command.curl);
    }

    #[test]
    fn a_query_reaches_curl_as_it_is() {
        let logs = of_app("memos").pop().unwrap();
        assert!(
            logs.command
                .curl
                .ends_with("'/api/v1/apps/memos/logs?follow=true'"),
            "{}",
            logs.command.curl
        );
    }
}
