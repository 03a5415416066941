//! From an HTTP answer to data or to an [`Error`] named by what the caller can do.
//!
//! The status codes are Proxmox's own mixture: nearly everything is a 500 whose text tells what it is, and 595 to 599 are
//! what the host that was asked says about another node. Since libpve-http-server-perl 5.2 (8.3) the text is `message` in
//! the body; before, and for refused credentials still, it is only the reason phrase.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::fields::Reply;
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
            return Err(self.refusal(request));
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

    fn refusal(&self, request: &Request) -> Error {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let message = self.message(&body);
        match self.status {
            401 => Error::Unauthenticated { message },
            403 => Error::Forbidden { message },
            400 => invalid(request, message, errors(&body)),
            // The host lost the node in the middle, or something in front of the API lost the API.
            596..=599 | 502..=504 if !request.endpoint().is_repeatable() => Error::Unknown {
                call: request.call(),
                reason: message,
            },
            // 595: it could not even connect to the node, so nothing was forwarded, whatever the method.
            595..=599 => offline(request, &self.host, message),
            502..=504 => Error::Unreachable {
                host: self.host.clone(),
                reason: message,
            },
            status => by_text(request, status, message),
        }
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

fn offline(request: &Request, host: &str, message: String) -> Error {
    match request.node() {
        Some(node) => Error::NodeOffline {
            node: node.to_owned(),
            message,
        },
        None => Error::Unreachable {
            host: host.to_owned(),
            reason: message,
        },
    }
}

fn invalid(request: &Request, message: String, errors: BTreeMap<String, String>) -> Error {
    match errors.get("upid") {
        Some(text) if request.endpoint().names("upid") && text.contains("no such task") => {
            let upid = request
                .variables()
                .iter()
                .find(|(name, _)| *name == "upid")
                .map_or("", |(_, upid)| upid);
            Error::NotFound {
                what: format!("{text} ({upid})"),
            }
        }
        _ => Error::Invalid { message, errors },
    }
}

/// Names a refusal by its text.
///
/// "Does not exist" alone says little: a container whose volume is missing does exist. So only the texts about the thing
/// that the call names become [`Error::NotFound`].
fn by_text(request: &Request, status: u16, message: String) -> Error {
    let has = |text: &str| message.contains(text);
    let endpoint = request.endpoint();
    let missing = has("does not exist");
    if has("no quorum") {
        Error::NoQuorum
    } else if endpoint == Endpoint::CreateContainer && (has("already exists") || has("File exists"))
    {
        Error::VmidTaken { message }
    } else if missing && has("Configuration file '") && endpoint.names("vmid")
        || missing && message.starts_with("storage '") && endpoint.names("storage")
        || missing && message.starts_with("snapshot '") && endpoint.names("snapname")
        || has("no such task") && endpoint.names("upid")
    {
        Error::NotFound { what: message }
    } else if has("hostname lookup '") && request.node().is_some() {
        // A node that the cluster does not know (any more). What is on it is not proven gone.
        offline(request, "", message)
    } else if let Some(lock) = lock(&message) {
        Error::Locked { lock, message }
    } else if has("already running") || message.ends_with("container is running") {
        Error::AlreadyRunning
    } else if has("not running") {
        Error::NotRunning
    } else {
        Error::Refused { status, message }
    }
}

/// The kind of lock that a text speaks of.
fn lock(message: &str) -> Option<String> {
    if let Some((_, rest)) = message.split_once(" is locked (") {
        return rest.split_once(')').map(|(lock, _)| lock.to_owned());
    }
    let busy = message.contains("can't lock file")
        || message.contains("got lock request timeout")
        || message.contains("can't acquire lock");
    busy.then(|| "file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// What a current host says: the text in the body, with its newline.
    fn says(endpoint: Endpoint, text: &str) -> Error {
        refused(
            endpoint,
            500,
            "first line only",
            &serde_json::json!({"data": null, "message": format!("{text}\n")}).to_string(),
        )
    }

    #[test]
    fn texts_become_names() {
        use Endpoint::{
            CreateContainer, DeleteContainer, DeleteSnapshot, StartContainer, StopContainer,
            StorageContent,
        };
        let missing = "Configuration file 'nodes/pve1/lxc/101.conf' does not exist";
        assert_eq!(
            says(StartContainer, missing),
            Error::NotFound {
                what: missing.to_owned()
            }
        );
        assert_eq!(
            says(StartContainer, "CT 101 already running"),
            Error::AlreadyRunning
        );
        assert_eq!(
            says(
                DeleteContainer,
                "unable to destroy CT 101 - container is running"
            ),
            Error::AlreadyRunning
        );
        assert_eq!(says(StopContainer, "CT 101 not running"), Error::NotRunning);
        assert_eq!(
            says(StopContainer, "cluster not ready - no quorum?"),
            Error::NoQuorum
        );
        assert!(
            matches!(says(StopContainer, "CT is locked (snapshot-delete)"), Error::Locked { lock, .. } if lock == "snapshot-delete")
        );
        let busy = "can't lock file '/run/lock/lxc/pve-config-101.lock' - got timeout";
        assert!(matches!(says(StopContainer, busy), Error::Locked { lock, .. } if lock == "file"));
        for taken in [
            "CT 101 already exists on node 'pve1'",
            "VM 101 already exists on node 'pve2'",
            "unable to create CT 101 - CT 101 already exists on node 'pve1'",
            "unable to open file '/etc/pve/nodes/pve1/lxc/101.conf.tmp' - File exists",
        ] {
            assert_eq!(
                says(CreateContainer, taken),
                Error::VmidTaken {
                    message: taken.to_owned()
                }
            );
        }
        assert!(matches!(
            says(StorageContent, "storage 'nas' does not exist"),
            Error::NotFound { .. }
        ));
        assert!(matches!(
            says(DeleteSnapshot, "snapshot 'before' does not exist"),
            Error::NotFound { .. }
        ));
        assert!(matches!(
            says(
                StartContainer,
                "hostname lookup 'pve9' failed - failed to get address info"
            ),
            Error::NodeOffline { .. }
        ));
    }

    #[test]
    fn a_missing_volume_is_not_a_missing_container() {
        for text in [
            "storage 'nas' does not exist",
            "volume 'nas:vm-101-disk-0' does not exist",
            "bridge 'vmbr9' does not exist",
        ] {
            assert_eq!(
                says(Endpoint::DeleteContainer, text),
                Error::Refused {
                    status: 500,
                    message: text.to_owned()
                }
            );
        }
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
    fn a_host_that_lost_a_node_says_what_is_certain() {
        use Endpoint::{ContainerStatus, StartContainer, Version};
        assert!(
            matches!(refused(ContainerStatus, 595, "No route to host", ""), Error::NodeOffline { node, .. } if node == "pve1")
        );
        assert!(matches!(
            refused(StartContainer, 595, "No route to host", ""),
            Error::NodeOffline { .. }
        ));
        assert!(matches!(
            refused(ContainerStatus, 596, "Connection timed out", ""),
            Error::NodeOffline { .. }
        ));
        for status in [596, 597, 599, 502, 504] {
            assert!(
                matches!(
                    refused(StartContainer, status, "Connection timed out", ""),
                    Error::Unknown { .. }
                ),
                "{status}"
            );
        }
        assert!(matches!(
            refused(Version, 502, "", "<html>"),
            Error::Unreachable { .. }
        ));
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
        let body = r#"{"data":null,"errors":{"upid":"no such task"}}"#;
        assert!(matches!(
            refused(Endpoint::TaskStatus, 400, "", body),
            Error::NotFound { .. }
        ));
        assert!(matches!(
            refused(Endpoint::StartContainer, 400, "", body),
            Error::Invalid { .. }
        ));
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
}
