//! From an HTTP answer to its data, or to the words of a refusal.
//!
//! Since libpve-http-server-perl 5.2 (8.3) the words are `message` in the body; before, and for refused credentials still,
//! they are only the reason phrase.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::fields::Reply;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::{Error, Result};

/// What came back, undecoded.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: u16,
    /// Only where it differs from the status code's usual one.
    pub(crate) reason: Option<String>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The `data` of a success, or what went wrong.
    pub(crate) fn into_reply(self, request: &Request) -> Result<Reply> {
        if !(200..300).contains(&self.status) {
            let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
            let refusal = Refusal {
                host: self.host.clone(),
                status: self.status,
                message: self.message(&body),
                errors: errors(&body),
            };
            return Err(refusal.into_error(request));
        }
        let call = request.call();
        let reason = match serde_json::from_slice(&self.body) {
            Ok(Value::Object(mut body)) => match body.remove("data") {
                Some(data) => return Ok(Reply { call, data }),
                None => "the answer has no data".to_owned(),
            },
            Ok(_) => "the answer is not an object".to_owned(),
            Err(error) => format!("the answer is not JSON: {error}"),
        };
        Err(if request.endpoint().is_repeatable() {
            Error::Malformed { call, reason }
        } else {
            Error::Unknown { call, reason }
        })
    }

    /// Proxmox's words: `message`, else the reason phrase.
    fn message(&self, body: &Value) -> String {
        let said = body
            .get("message")
            .and_then(Value::as_str)
            .map(clean)
            .filter(|text| !text.is_empty());
        let reason = || {
            self.reason
                .as_deref()
                .map(clean)
                .filter(|text| !text.is_empty())
        };
        said.or_else(reason)
            .unwrap_or_else(|| format!("HTTP status {}", self.status))
    }
}

/// One paragraph without control characters and of bounded length, fit for a log and a page.
fn clean(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(4000)
        .collect()
}

fn errors(body: &Value) -> BTreeMap<String, String> {
    let errors = body
        .get("errors")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    errors
        .map(|(name, text)| {
            (
                clean(name),
                clean(text.as_str().unwrap_or(&text.to_string())),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    fn write(endpoint: Endpoint) -> Request {
        let request = Request::guest(endpoint, &"pve1".parse().unwrap(), "101".parse().unwrap());
        request
            .variable("snapname", "before")
            .variable("upid", "UPID:x")
            .variable("storage", "local")
    }

    fn answered(endpoint: Endpoint, status: u16, reason: &str, body: &str) -> Result<Reply> {
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        Answer {
            host: "h:8006".to_owned(),
            status,
            reason,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
        .into_reply(&write(endpoint))
    }

    fn refused(endpoint: Endpoint, status: u16, reason: &str, body: &str) -> Error {
        answered(endpoint, status, reason, body).unwrap_err()
    }

    #[test]
    fn old_hosts_speak_by_reason_phrase_alone() {
        let text = "CT 100 already exists on node 'pve'";
        assert_eq!(
            refused(Endpoint::CreateContainer, 500, text, "{\"data\":null}"),
            Error::VmidTaken {
                message: text.to_owned()
            }
        );
        assert_eq!(
            refused(Endpoint::Version, 401, "No ticket", ""),
            Error::Unauthenticated {
                message: "No ticket".to_owned()
            }
        );
        let bare = refused(Endpoint::StopContainer, 500, "", "<html>");
        assert_eq!(
            bare,
            Error::Refused {
                status: 500,
                message: "HTTP status 500".to_owned()
            }
        );
    }

    #[test]
    fn an_unreadable_success_is_nonsense_on_a_read_and_unknown_on_a_write() {
        for body in ["", "<html>", "[]", "{}", "{\"data\":"] {
            assert!(
                matches!(
                    answered(Endpoint::Version, 200, "", body),
                    Err(Error::Malformed { .. })
                ),
                "{body}"
            );
            assert!(
                matches!(
                    answered(Endpoint::StartContainer, 200, "", body),
                    Err(Error::Unknown { .. })
                ),
                "{body}"
            );
        }
        assert!(
            answered(Endpoint::Version, 200, "", "{\"data\":null}")
                .unwrap()
                .data
                .is_null()
        );
    }

    #[test]
    fn control_characters_do_not_reach_a_log() {
        assert_eq!(clean("a\nb\u{1b}[31m\n"), "a b [31m");
        assert_eq!(clean(&"x".repeat(10_000)).len(), 4000);
    }

    #[test]
    fn errors_name_their_parameters() {
        let body = r#"{"data":null,"message":"Parameter verification failed.\n","errors":{"hostname":"invalid format\n","n":1}}"#;
        let Error::Invalid { message, errors } = refused(Endpoint::CreateContainer, 400, "", body)
        else {
            panic!("not Invalid")
        };
        assert_eq!(message, "Parameter verification failed.");
        assert_eq!(
            (errors["hostname"].as_str(), errors["n"].as_str()),
            ("invalid format", "1")
        );
    }
}
