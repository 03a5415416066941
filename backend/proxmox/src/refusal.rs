//! What a refusal means, named by what the caller can do.
//!
//! The status codes are Proxmox's own mixture: nearly everything is a 500 whose text tells what it is, and 595 to 599 are
//! what the host that was asked says about another node.

use std::collections::BTreeMap;

use crate::Error;
use crate::endpoint::Endpoint;
use crate::request::Request;

/// An answer other than success, in its own words.
pub(crate) struct Refusal {
    /// Who said it.
    pub(crate) host: String,
    pub(crate) status: u16,
    pub(crate) message: String,
    /// By parameter.
    pub(crate) errors: BTreeMap<String, String>,
}

impl Refusal {
    pub(crate) fn into_error(self, request: &Request) -> Error {
        let Self {
            host,
            status,
            message,
            errors,
        } = self;
        match status {
            401 => Error::Unauthenticated { message },
            403 => Error::Forbidden { message },
            400 => invalid(request, message, errors),
            // The host lost the node in the middle, or something in front of the API lost the API.
            596..=599 | 502..=504 if !request.endpoint().is_repeatable() => Error::Unknown {
                call: request.call(),
                reason: message,
            },
            // 595: it could not even connect to the node, so nothing was forwarded, whatever the method.
            595..=599 => offline(request, &host, message),
            502..=504 => Error::Unreachable {
                host,
                reason: message,
            },
            status => by_text(request, status, message),
        }
    }
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

    fn refused(endpoint: Endpoint, status: u16, message: &str, errors: &[(&str, &str)]) -> Error {
        let request = Request::guest(endpoint, &"pve1".parse().unwrap(), "101".parse().unwrap())
            .variable("snapname", "before")
            .variable("upid", "UPID:x")
            .variable("storage", "local");
        let errors = errors
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let message = message.to_owned();
        Refusal {
            host: "h:8006".to_owned(),
            status,
            message,
            errors,
        }
        .into_error(&request)
    }

    fn says(endpoint: Endpoint, text: &str) -> Error {
        refused(endpoint, 500, text, &[])
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
    fn a_host_that_lost_a_node_says_what_is_certain() {
        use Endpoint::{ContainerStatus, StartContainer, Version};
        assert!(
            matches!(refused(ContainerStatus, 595, "No route to host", &[]), Error::NodeOffline { node, .. } if node == "pve1")
        );
        assert!(matches!(
            refused(StartContainer, 595, "No route to host", &[]),
            Error::NodeOffline { .. }
        ));
        assert!(matches!(
            refused(ContainerStatus, 596, "Connection timed out", &[]),
            Error::NodeOffline { .. }
        ));
        for status in [596, 597, 599, 502, 504] {
            assert!(
                matches!(
                    refused(StartContainer, status, "Connection timed out", &[]),
                    Error::Unknown { .. }
                ),
                "{status}"
            );
        }
        assert!(matches!(
            refused(Version, 502, "HTTP status 502", &[]),
            Error::Unreachable { .. }
        ));
    }

    #[test]
    fn a_missing_task_is_told_by_a_wrong_parameter() {
        let missing = [("upid", "no such task")];
        let text = "Parameter verification failed.";
        let found = refused(Endpoint::TaskStatus, 400, text, &missing);
        assert_eq!(
            found,
            Error::NotFound {
                what: "no such task (UPID:x)".to_owned()
            }
        );
        let found = refused(Endpoint::StartContainer, 400, text, &missing);
        assert!(matches!(found, Error::Invalid { errors, .. } if errors["upid"] == "no such task"));
    }
}
