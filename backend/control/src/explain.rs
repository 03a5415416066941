//! What Proxmox and SSH answered, turned into an explained failure.

use proxmox::Error as Proxmox;
use saga::Failure;
use ssh::Error as Ssh;

use crate::{failures, hosts::said};

/// A call to the cluster failed while `doing` (“creating the container”).
pub(crate) fn proxmox(doing: &str, error: &Proxmox) -> Failure {
    let failure = |code: &str, what: &str, hint: &str| {
        Failure::new(code, format!("{what} while {doing}."))
            .evidence(error.to_string())
            .hint(hint)
    };
    match error {
        Proxmox::Unreachable { .. } => failure(
            "cluster_unreachable",
            "The Proxmox API does not answer",
            "Check that the hosts in PROXMOX_HOST are up and reachable from here, then try again.",
        ),
        Proxmox::Unknown { .. } => failure(
            "outcome_unknown",
            "The connection to the Proxmox API was lost, and what it did is not known",
            "Check the node's task log, then try again.",
        ),
        Proxmox::Tls { .. } => failure(
            "cluster_untrusted",
            "The certificate of the Proxmox API is not the one that is trusted",
            "If the certificate was renewed, set PROXMOX_FINGERPRINT to its new fingerprint.",
        ),
        Proxmox::Unauthenticated { .. } => failure(
            "cluster_login_failed",
            "The Proxmox API refuses the login",
            "Check PROXMOX_USER with PROXMOX_PASSWORD, or PROXMOX_TOKEN_ID with PROXMOX_TOKEN_SECRET.",
        ),
        Proxmox::Forbidden { .. } => failure(
            "cluster_forbidden",
            "The Proxmox identity lacks a privilege that is needed",
            "Grant the privilege that Proxmox names to the user or token; docs/first-cluster.md lists all that are needed.",
        ),
        Proxmox::NodeOffline { .. } => failure(
            "node_offline",
            "The node does not answer the cluster",
            "Wait until the node is back, or deploy on another one.",
        ),
        Proxmox::NoQuorum => failure(
            "no_quorum",
            "The cluster has no quorum",
            "Bring enough nodes back, then try again.",
        ),
        Proxmox::Locked { .. } => failure(
            "container_locked",
            "The container is locked by another task",
            "Wait for that task (a backup, a migration), then try again.",
        ),
        Proxmox::NotFound { .. } => failure(
            "container_missing",
            "Proxmox does not know the container any more",
            "It was removed outside of Proximity; delete the app here, too.",
        ),
        Proxmox::TaskFailed { log, reason, .. } => {
            let mut failure = Failure::new(
                "task_failed",
                failures::sentence(&format!("Proxmox failed while {doing}: {reason}")),
            )
            .hint("The task's log on the node tells more.");
            failure.evidence.clone_from(log);
            space(reason, log).unwrap_or(failure)
        }
        Proxmox::TaskTimeout { .. } => failure(
            "task_timeout",
            "Proxmox did not finish in time",
            "Look at the task on the node; a slow storage is the usual cause.",
        ),
        _ => failure(
            "cluster_refused",
            "Proxmox refused",
            "Its own words tell why.",
        ),
    }
}

/// Nobody has said yet that this is the cluster: its certificate could not be looked at.
pub(crate) fn first_look(host: &proxmox::HostPort, error: &Proxmox) -> Failure {
    let failure = |code: &str, what: String, hint: &str| {
        Failure::new(code, what)
            .evidence(error.to_string())
            .hint(hint)
    };
    match error {
        Proxmox::Unreachable { .. } => failure(
            "cluster_unreachable",
            format!("{host} does not answer."),
            "Check the address and the port (8006 unless changed), the firewall, and that the node is up.",
        ),
        _ => failure(
            "cluster_untrusted",
            format!("What answers at {host} shows no certificate, so it is not the Proxmox API."),
            "Check the port: the Proxmox API speaks https, on 8006 unless changed.",
        ),
    }
}

/// A storage without room says so in many ways.
fn space(reason: &str, log: &[String]) -> Option<Failure> {
    const WORDS: [&str; 4] = [
        "no space left",
        "insufficient free",
        "out of space",
        "not enough free space",
    ];
    let lines = log.iter().map(String::as_str).chain([reason]);
    let evidence: Vec<String> = lines
        .filter(|line| WORDS.iter().any(|word| line.to_lowercase().contains(word)))
        .map(str::to_owned)
        .collect();
    let mut failure = Failure::new(
        "storage_full",
        "The storage has no room for the container's disk.",
    )
    .hint("Free space on the storage, choose a smaller disk, or name another node.");
    failure.evidence.clone_from(&evidence);
    (!evidence.is_empty()).then_some(failure)
}

/// A command on a node or in a container failed while `doing` (“installing Docker”).
pub(crate) fn ssh(doing: &str, error: &Ssh) -> Failure {
    let failure = |code: &str, what: &str, hint: &str| {
        Failure::new(code, format!("{what} while {doing}."))
            .evidence(error.to_string())
            .hint(hint)
    };
    match error {
        Ssh::Unreachable { .. } => failure(
            "ssh_unreachable",
            "The node does not answer over SSH",
            "Check that sshd runs on the node and that PROXMOX_SSH_HOSTS names the right address.",
        ),
        Ssh::HostKeyChanged { .. } => failure(
            "ssh_host_key_changed",
            "The node shows another SSH host key than before",
            "If the node was reinstalled, set its new key in PROXMOX_SSH_HOST_KEYS; otherwise somebody may be in between.",
        ),
        Ssh::Denied { .. } => failure(
            "ssh_denied",
            "The node refuses the SSH login",
            "Check PROXMOX_SSH_USER with PROXMOX_SSH_PASSWORD or PROXMOX_SSH_KEY_FILE.",
        ),
        Ssh::TimedOut { output, .. } => {
            let text = said(output);
            failures::known(&text).unwrap_or_else(|| {
                let mut failure = Failure::new("command_timeout", format!("Time ran out while {doing}."))
                    .hint("If the network or the storage is slow, raise the TIMEOUT_… setting of this step.");
                failure.evidence = failures::last_lines(&text, 12);
                failure
            })
        }
        Ssh::Failed { message, .. } => failures::explain(
            message,
            Failure::new(
                "command_failed",
                format!("The container refused while {doing}."),
            )
            .hint("Its last words tell why."),
        ),
        Ssh::Cut { .. } => failure(
            "ssh_cut",
            "The SSH connection to the node was lost",
            "Check the network between here and the node, then try again.",
        ),
        Ssh::ContainerNotRunning { .. } => failure(
            "container_stopped",
            "The container does not run",
            "Somebody stopped it, or it ran out of memory; the node's log tells.",
        ),
        Ssh::NotOnThisNode { .. } => failure(
            "container_moved",
            "The container is not on the node that should own it",
            "It was moved or removed meanwhile; try again.",
        ),
        _ => failure(
            "ssh_failed",
            "The SSH connection did not work",
            "Its own words tell why.",
        ),
    }
}
