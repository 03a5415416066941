//! The front door: each host of the Proxmox API answers, is the one that is trusted, lets us in, and is a version
//! that we know.

use api::{Check, CheckState};
use futures::future::join_all;
use proxmox::{Client, Error, HostPort, Version};

use super::{
    PATIENCE,
    check::{Besides as _, explained, failed, ok, skipped, warning},
};
use crate::explain;

/// What one host had to say.
type Answer = Result<Version, Error>;

/// The findings, and a client of the hosts that let us in; none, when none does.
pub(crate) async fn look(cluster: &Client) -> (Vec<Check>, Option<Client>) {
    let asked = cluster
        .each_host()
        .into_iter()
        .map(|(host, client)| async move {
            let answer = match tokio::time::timeout(PATIENCE, client.version()).await {
                Ok(answer) => answer,
                Err(_) => Err(Error::Unreachable {
                    host: host.to_string(),
                    reason: format!("no answer within {} s", PATIENCE.as_secs()),
                }),
            };
            (host, answer)
        });
    let answers: Vec<(HostPort, Answer)> = join_all(asked).await;
    let entered = answers.iter().any(|(_, answer)| answer.is_ok());
    let mut checks: Vec<Check> = answers
        .iter()
        .flat_map(|(host, answer)| outside(host, answer))
        .collect();
    if entered {
        // The client goes on to the next host by itself.
        for check in &mut checks {
            check.state = check.state.min(CheckState::Warning);
        }
    }
    checks.push(login(cluster, &answers));
    if let Some(version) = answers.iter().find_map(|(_, answer)| answer.as_ref().ok()) {
        checks.push(known(version));
    }
    (checks, entered.then(|| cluster.clone()))
}

/// Whether a host answers and is trusted.
fn outside(host: &HostPort, answer: &Answer) -> [Check; 2] {
    let (reached, trusted) = ("api_reachable", "certificate");
    let unseen = || skipped(trusted, format!("{host} showed no certificate."));
    match answer {
        Err(error @ Error::Unreachable { .. }) => [
            failed(reached, format!("{host} does not answer."))
                .evidence(error.to_string())
                .hint("Check the address and the port (8006 unless changed), the firewall, and that the node is up."),
            unseen(),
        ],
        Err(error @ Error::Tls { reason, .. }) if is_no_tls(reason) => [
            failed(reached, format!("What answers at {host} is not the Proxmox API."))
                .evidence(error.to_string())
                .hint("Check the port: the Proxmox API speaks https, on 8006 unless changed."),
            unseen(),
        ],
        Err(error @ Error::Tls { .. }) => [
            ok(reached, format!("{host} answers.")),
            failed(trusted, format!("{host} shows another certificate than the one that is trusted."))
                .evidence(error.to_string())
                .hint("Compare the fingerprint on the node (System → Certificates). If it was renewed, put the new one into PROXMOX_FINGERPRINT; otherwise somebody may be in between."),
        ],
        Err(error @ Error::Malformed { .. }) => [
            failed(reached, format!("What answers at {host} is not the Proxmox API."))
                .evidence(error.to_string())
                .hint("Check the address and the port (8006 unless changed)."),
            ok(trusted, format!("{host} shows the certificate that is trusted.")),
        ],
        Ok(_) | Err(_) => [
            ok(reached, format!("{host} answers.")),
            ok(trusted, format!("{host} shows the certificate that is trusted.")),
        ],
    }
}

/// Whether the other side spoke no TLS at all, rather than showing a certificate that is not trusted.
fn is_no_tls(reason: &str) -> bool {
    ["corrupt message", "InvalidContentType", "unexpected eof"]
        .iter()
        .any(|words| reason.contains(words))
}

fn login(cluster: &Client, answers: &[(HostPort, Answer)]) -> Check {
    let user = cluster.identity().user;
    if answers.iter().any(|(_, answer)| answer.is_ok()) {
        return ok("login", format!("The Proxmox API lets `{user}` in."));
    }
    // A host that cannot be reached or trusted was told no password.
    let refused = answers.iter().find_map(|(_, answer)| match answer {
        Err(Error::Unreachable { .. } | Error::Tls { .. } | Error::Malformed { .. }) | Ok(_) => {
            None
        }
        Err(error) => Some(error),
    });
    match refused {
        Some(error @ Error::Unauthenticated { .. }) => {
            failed("login", format!("The Proxmox API does not let `{user}` in."))
                .evidence(error.to_string())
                .hint("Check the user with its realm (root@pam, not root), the password, or the token and its secret.")
        }
        Some(error) => explained("login", explain::proxmox("logging in", error)),
        None => skipped("login", "Not tried: no host of the API is reached and trusted."),
    }
}

fn known(version: &Version) -> Check {
    let told = format!("Proxmox VE {}", version.version);
    match version.numbers() {
        Some((9, _) | (8, 4..)) => ok("version", format!("{told} is a version that Proximity knows.")),
        Some((8, _)) => warning("version", format!("{told} is older than Proximity is made for."))
            .hint("Upgrade to 8.4 or 9; error messages of older hosts are less exact, and Docker in containers may be blocked."),
        Some((10.., _)) => warning("version", format!("{told} is newer than Proximity is made for."))
            .hint("It will probably work; look for a newer version of Proximity."),
        _ => failed("version", format!("{told} is not supported."))
            .hint("Proximity needs Proxmox VE 8.4 or later."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version {
            version: text.to_owned(),
            release: String::new(),
            repoid: String::new(),
        }
    }

    #[test]
    fn versions_are_judged() {
        for (text, state) in [
            ("9.1.4", CheckState::Ok),
            ("8.4.1", CheckState::Ok),
            ("8.2.7", CheckState::Warning),
            ("10.0.1", CheckState::Warning),
            ("7.4-3", CheckState::Failed),
            ("x", CheckState::Failed),
        ] {
            assert_eq!(known(&version(text)).state, state, "{text}");
        }
    }

    #[test]
    fn a_host_without_tls_is_not_told_as_a_wrong_certificate() {
        let host = HostPort {
            host: "pve".to_owned(),
            port: 80,
        };
        let error = Error::Tls {
            host: host.to_string(),
            reason: "received corrupt message of type InvalidContentType".to_owned(),
        };
        let [reached, trusted] = outside(&host, &Err(error));
        assert_eq!(
            reached.message,
            "What answers at pve:80 is not the Proxmox API."
        );
        assert_eq!(trusted.state, CheckState::Skipped);
    }
}
