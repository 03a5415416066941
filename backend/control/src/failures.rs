//! Explained failures: what the machine said, turned into a code, a sentence and what to do next.
//!
//! The person who reads this sits in front of a failed deployment at night. Each known failure of this stack
//! has a row of its own; what is not known keeps the machine's words as evidence, and never a guess.

use saga::Failure;

/// One thing that is known to go wrong in a guest, told by words in its output.
struct Known {
    /// All of these stand in the output, in any order; compared in lower case.
    words: &'static [&'static str],
    code: &'static str,
    message: &'static str,
    hint: &'static str,
}

/// Most specific first: the first row that matches wins.
const KNOWN: &[Known] = &[
    Known {
        words: &["ip_unprivileged_port_start", "permission denied"],
        code: "docker_blocked_by_host",
        message: "The node's LXC does not let Docker set a network option, so no container can start on a bridge network.",
        hint: "Upgrade the package lxc-pve on the node (6.0.5-2 or later on Proxmox VE 9), then try again.",
    },
    Known {
        words: &["failed to register layer", "lchown"],
        code: "image_uid_out_of_range",
        message: "The image holds files of a user id above 65535, which an unprivileged container cannot map.",
        hint: "Use another image or tag of this app; this one cannot run in an unprivileged container.",
    },
    Known {
        words: &["toomanyrequests"],
        code: "registry_rate_limit",
        message: "The image registry refuses further downloads for now because too many were made from this address.",
        hint: "Wait for the limit to pass (an hour on Docker Hub), then deploy again.",
    },
    Known {
        words: &["no space left on device"],
        code: "disk_full",
        message: "The container's disk is full.",
        hint: "Deploy again with a larger disk (resources.disk), or free space on the storage.",
    },
    // What a file system with a quota for each container says instead.
    Known {
        words: &["disk quota exceeded"],
        code: "disk_full",
        message: "The container's disk is full.",
        hint: "Deploy again with a larger disk (resources.disk), or free space on the storage.",
    },
    Known {
        words: &["manifest unknown"],
        code: "image_not_found",
        message: "An image of this app does not exist in its registry.",
        hint: "Check the image's name and tag in the catalog entry.",
    },
    Known {
        words: &["not found", "manifest for"],
        code: "image_not_found",
        message: "An image of this app does not exist in its registry.",
        hint: "Check the image's name and tag in the catalog entry.",
    },
    Known {
        words: &["pull access denied"],
        code: "image_not_found",
        message: "An image of this app does not exist, or its registry wants a login.",
        hint: "Check the image's name and tag in the catalog entry.",
    },
    Known {
        words: &["no matching manifest for"],
        code: "image_wrong_architecture",
        message: "An image of this app is not made for the architecture of the node.",
        hint: "Choose a node of another architecture, or another app.",
    },
    Known {
        words: &["x509:"],
        code: "registry_untrusted",
        message: "The container does not trust the certificate of the image registry.",
        hint: "Check the clock of the node and the registry's certificate.",
    },
    Known {
        words: &["temporary failure in name resolution"],
        code: "no_dns",
        message: "Names cannot be resolved inside the container.",
        hint: "Check the name servers of the container's network, or deploy with network.nameservers.",
    },
    Known {
        words: &["lookup", "i/o timeout"],
        code: "no_dns",
        message: "Names cannot be resolved inside the container.",
        hint: "Check the name servers of the container's network, or deploy with network.nameservers.",
    },
    Known {
        words: &["connection refused", "/v2/"],
        code: "registry_unreachable",
        message: "The image registry does not answer.",
        hint: "Check the network of the container and whether the registry is up, then try again.",
    },
    Known {
        words: &["client.timeout exceeded", "/v2/"],
        code: "registry_unreachable",
        message: "The image registry does not answer.",
        hint: "Check the network of the container and whether the registry is up, then try again.",
    },
    Known {
        words: &["error response from daemon", "503 service unavailable"],
        code: "registry_unreachable",
        message: "The image registry answers that it is out of service.",
        hint: "Wait until the registry is up again, then try again.",
    },
    Known {
        words: &["port is already allocated"],
        code: "port_taken",
        message: "Two services of this app ask for the same port.",
        hint: "Give one of them another port in the app's parameters.",
    },
];

/// The explanation of what a command in the guest said, or `None` when it is not a known failure.
pub(crate) fn known(output: &str) -> Option<Failure> {
    let lower = output.to_lowercase();
    let row = KNOWN
        .iter()
        .find(|row| row.words.iter().all(|word| lower.contains(word)))?;
    let mut failure = Failure::new(row.code, row.message).hint(row.hint);
    failure.evidence = lines_with(output, row.words);
    Some(failure)
}

/// The explanation of `output`, or `otherwise` with the last lines as evidence.
pub(crate) fn explain(output: &str, mut otherwise: Failure) -> Failure {
    known(output).unwrap_or_else(|| {
        otherwise.evidence.extend(last_lines(output, 12));
        otherwise
    })
}

/// The database does not answer. What it said is for the log alone.
pub(crate) fn database(error: &store::Error) -> Failure {
    tracing::error!(%error, "the database failed");
    database_silent()
}

/// The same, where the log has it already.
pub(crate) fn database_silent() -> Failure {
    Failure::new(
        "database_unavailable",
        "Proximity's own database cannot be read or written now.",
    )
    .hint("Nothing is lost: operations go on by themselves when it can. The service's log tells more.")
}

/// A clause made a sentence: a capital in front, one full stop behind.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

/// Lines that hold one of `words`: the evidence.
fn lines_with(output: &str, words: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in output.lines() {
        let lower = line.to_lowercase();
        let line = clean(line);
        if words.iter().any(|word| lower.contains(word)) && !found.contains(&line) {
            found.push(line);
        }
    }
    found.truncate(6);
    found
}

/// The last `count` lines that say anything.
pub(crate) fn last_lines(output: &str, count: usize) -> Vec<String> {
    let lines: Vec<String> = output
        .lines()
        .map(clean)
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// A line without control characters and of a length that a page can show.
fn clean(line: &str) -> String {
    let line = line
        .rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    line.chars()
        .filter(|character| !character.is_control())
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(output: &str) -> Option<String> {
        known(output).map(|failure| failure.code)
    }

    #[test]
    fn known_failures_are_recognised_by_their_words() {
        for (output, expected) in [
            (
                "open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied",
                "docker_blocked_by_host",
            ),
            (
                "failed to register layer: failed to Lchown \"/x\" for UID 1516583083, GID 0: lchown /x: invalid argument",
                "image_uid_out_of_range",
            ),
            (
                "toomanyrequests: You have reached your pull rate limit.",
                "registry_rate_limit",
            ),
            (
                "write /var/lib/docker/tmp/x: no space left on device",
                "disk_full",
            ),
            (
                "manifest for demo/none:1 not found: manifest unknown",
                "image_not_found",
            ),
            (
                "Get \"https://registry-1.docker.io/v2/\": dial tcp 1.2.3.4:443: connect: connection refused",
                "registry_unreachable",
            ),
            (
                "dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: read udp: i/o timeout",
                "no_dns",
            ),
        ] {
            assert_eq!(code(output).as_deref(), Some(expected), "{output}");
        }
        assert_eq!(code("something nobody has seen"), None);
    }

    #[test]
    fn evidence_is_the_lines_that_matter() {
        let failure = known("Pulling\ntoomanyrequests: limit\nbye\n").expect("known");
        assert_eq!(failure.evidence, ["toomanyrequests: limit"]);
    }

    #[test]
    fn an_unknown_failure_keeps_the_last_words() {
        let failure = explain("a\n\nb\u{7}c\r\n", Failure::new("x", "y"));
        assert_eq!(
            (failure.code.as_str(), failure.evidence),
            ("x", vec!["a".to_owned(), "bc".to_owned()])
        );
    }
}
