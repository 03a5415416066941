//! A node over SSH: reached, the one that it was, letting us in, with a working `pct`, a good `lxc-pve` and a clock that
//! is right.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use api::Check;
use proxmox::NodeName;
use ssh::{Command, Error, Output};

use super::check::{Besides as _, explained, failed, ok, skipped, warning};
use crate::{explain, hosts::Hosts};

/// Time for the script; `pct` alone, written in Perl, takes most of a second to begin.
const PATIENCE: Duration = Duration::from_secs(15);
/// A clock that is further off than this is worth a word, in seconds: certificates of registries are judged by it.
const OFF: u64 = 30;

/// Tells a fact a line. Whoever is not root calls `pct` through sudo, as commands in containers do.
const SCRIPT: &str = "if [ \"$(id -u)\" = 0 ]; then sudo=; else sudo='sudo -n'; fi\n\
printf 'clock %s\\n' \"$(date +%s)\"\n\
printf 'pve-container %s\\n' \"$(dpkg-query -W -f='${Version}' pve-container 2>/dev/null)\"\n\
printf 'lxc-pve %s\\n' \"$(dpkg-query -W -f='${Version}' lxc-pve 2>/dev/null)\"\n\
if said=$($sudo pct list 2>&1 >/dev/null); then printf 'pct works\\n'; else printf 'pct %s\\n' \"$said\"; fi\n";

/// What the script told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    /// Seconds since the epoch.
    clock: Option<u64>,
    container: Option<String>,
    lxc: Option<String>,
    /// Nothing when it works, else what it said.
    pct: Option<String>,
}

impl Facts {
    fn read(text: &str) -> Self {
        let mut facts = Self {
            pct: Some("it was not told".to_owned()),
            ..Self::default()
        };
        for line in text.lines() {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            let told = || Some(value.to_owned()).filter(|value| !value.is_empty());
            match name {
                "clock" => facts.clock = value.parse().ok(),
                "pve-container" => facts.container = told(),
                "lxc-pve" => facts.lxc = told(),
                "pct" => facts.pct = (value != "works").then(|| value.to_owned()),
                _ => {}
            }
        }
        facts
    }
}

/// Everything about one node.
pub(super) async fn look(hosts: &Hosts, node: &NodeName) -> Vec<Check> {
    let found = match hosts.host(node).await {
        Err(failure) => vec![explained("ssh_reachable", failure)],
        Ok(host) => {
            let key = host.key.fingerprint();
            let command = Command::script(SCRIPT, [""; 0]).deadline(PATIENCE);
            let (began, asked) = (SystemTime::now(), Instant::now());
            let outcome = hosts.pool().run(&host, command).await;
            let middle = began + asked.elapsed() / 2;
            let address = format!("{}:{}", host.address, host.port);
            judge(&address, &key, middle, outcome)
        }
    };
    found.into_iter().map(|check| check.on(node)).collect()
}

fn judge(address: &str, key: &str, now: SystemTime, outcome: Result<Output, Error>) -> Vec<Check> {
    let doing = "looking at the node over SSH";
    let reached = || ok("ssh_reachable", format!("{address} answers over SSH."));
    let known = || {
        ok(
            "ssh_host_key",
            "The node shows the SSH host key that is expected.",
        )
        .evidence(key)
    };
    let entered = || ok("ssh_login", "The node lets Proximity in over SSH.");
    match outcome {
        Ok(output) => {
            let facts = Facts::read(&output.stdout_text());
            let mut checks = vec![
                reached(),
                known(),
                entered(),
                pct(&facts),
                lxc(facts.lxc.as_deref()),
            ];
            checks.extend(facts.clock.map(|clock| self::clock(clock, now)));
            checks
        }
        Err(error @ Error::HostKeyChanged { .. }) => vec![
            reached(),
            explained("ssh_host_key", explain::ssh(doing, &error)),
        ],
        Err(error @ (Error::Denied { .. } | Error::BadKey { .. })) => vec![
            reached(),
            known(),
            explained("ssh_login", explain::ssh(doing, &error)),
        ],
        Err(error @ Error::Unreachable { .. }) => {
            vec![explained("ssh_reachable", explain::ssh(doing, &error))]
        }
        Err(error) => vec![
            reached(),
            known(),
            entered(),
            explained("pct", explain::ssh(doing, &error)),
        ],
    }
}

fn pct(facts: &Facts) -> Check {
    match (&facts.pct, &facts.container) {
        (None, Some(version)) => ok("pct", format!("`pct` works (pve-container {version}).")),
        (None, None) => ok("pct", "`pct` works."),
        (Some(said), _) => {
            let check = failed("pct", "`pct` does not work for the SSH user.").hint(
                "Log in as root, or let the user run `pct` by sudo without a password; and see that PROXMOX_SSH_HOSTS names a Proxmox node.",
            );
            said.lines()
                .take(5)
                .fold(check, super::check::Besides::evidence)
        }
    }
}

/// `lxc-pve` before 6.0.5-2 (6.0.0-2 on Proxmox VE 8) mounts `/proc/sys` so that current runc can start no container on
/// a bridge network (Proxmox bug 7006).
fn lxc(version: Option<&str>) -> Check {
    let name = "lxc_pve";
    let Some(version) = version else {
        return skipped(name, "The node does not tell the version of `lxc-pve`.");
    };
    match lets_docker_work(version) {
        Some(true) => ok(name, format!("lxc-pve {version} lets Docker work.")),
        Some(false) => failed(name, format!("lxc-pve {version} keeps current Docker from starting containers."))
            .hint("Upgrade the node (lxc-pve 6.0.5-2 or later on Proxmox VE 9), then restart its containers."),
        None => skipped(name, format!("The version {version} of `lxc-pve` cannot be judged.")),
    }
}

fn lets_docker_work(version: &str) -> Option<bool> {
    let (upstream, revision) = version.split_once('-')?;
    let mut numbers = upstream.splitn(3, '.').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let upstream = (next()?, next()?, next()?);
    // Local builds have more behind it, as in 2+bpo1.
    let digits = revision
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(revision.len());
    let revision: u32 = revision[..digits].parse().ok()?;
    Some(match upstream {
        (6, 0, 0 | 5) => revision >= 2,
        other => other > (6, 0, 5),
    })
}

fn clock(node: u64, now: SystemTime) -> Check {
    let here = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let off = node.abs_diff(here);
    let side = if node > here { "ahead of" } else { "behind" };
    if off <= OFF {
        return ok("clock", "The node's clock agrees with this machine's.");
    }
    warning("clock", format!("The node's clock is {off} s {side} this machine's."))
        .hint("Set both by NTP: with a wrong clock certificates of registries and package mirrors are refused.")
}

#[cfg(test)]
mod tests {
    use api::CheckState;

    use super::*;

    #[test]
    fn the_versions_of_lxc_that_break_docker_are_known() {
        for (version, works) in [
            ("6.0.5-3", Some(true)),
            ("6.0.5-2", Some(true)),
            ("6.0.5-1", Some(false)),
            ("6.0.4-2", Some(false)),
            ("6.0.0-2", Some(true)),
            ("6.0.0-1", Some(false)),
            ("5.0.2-4", Some(false)),
            ("6.1.0-1~x", Some(true)),
            ("7.0.0-1", Some(true)),
            ("6.0", None),
            ("git", None),
        ] {
            assert_eq!(lets_docker_work(version), works, "{version}");
        }
    }

    #[test]
    fn facts_are_read_and_what_is_missing_is_not_taken_for_good() {
        let facts = Facts::read("clock 1760000000\npve-container 6.1.10\nlxc-pve \npct works\n");
        assert_eq!(
            (facts.clock, facts.lxc, facts.pct),
            (Some(1_760_000_000), None, None)
        );
        assert_eq!(pct(&Facts::read("")).state, CheckState::Failed);
        let refused = pct(&Facts::read("pct sudo: a password is required\n"));
        assert_eq!(refused.evidence, ["sudo: a password is required"]);
    }

    #[test]
    fn a_clock_may_be_a_little_off() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(clock(1000 + OFF, now).state, CheckState::Ok);
        let late = clock(900, now);
        assert_eq!(
            late.message,
            "The node's clock is 100 s behind this machine's."
        );
        assert_eq!(late.state, CheckState::Warning);
    }
}
