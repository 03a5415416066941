//! An app's own health check, carried out inside its container.
//!
//! From inside, because the control plane need not have a route to the app's network, and because the guest's
//! own loopback sees the same published ports that people do.

use std::time::Duration;

use catalog::Health;
use ssh::Command;

use crate::compose::Compose;

/// What must hold before an app counts as working, with all parameters filled in.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// How long the app may take to get there.
    pub within: Duration,
    /// What is asked, besides that every service is well; all must pass.
    pub probes: Vec<Probe>,
}

/// What is asked of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// A page, and the statuses that count as well.
    Http {
        /// On the guest's own loopback.
        url: String,
        /// Statuses that count as well.
        expect: Vec<u16>,
    },
    /// A port that accepts connections.
    Tcp {
        /// Port.
        port: u16,
    },
    /// A command in a service's container that ends with 0.
    Exec {
        /// Service.
        service: String,
        /// Command, without a shell.
        command: Vec<String>,
    },
    /// The services' own health checks, and nothing beyond.
    Compose,
}

impl From<Vec<Health>> for Check {
    fn from(health: Vec<Health>) -> Self {
        let mut check = Self {
            within: Duration::ZERO,
            probes: Vec::new(),
        };
        for health in health {
            let (within, probe) = probe(health);
            check.within = check.within.max(within);
            check.probes.push(probe);
        }
        check
    }
}

fn probe(health: Health) -> (Duration, Probe) {
    match health {
        Health::Http {
            scheme,
            port,
            path,
            expect,
            within,
            ..
        } => (
            within,
            Probe::Http {
                url: format!("{scheme}://127.0.0.1:{port}{path}"),
                expect,
            },
        ),
        Health::Tcp { port, within, .. } => (within, Probe::Tcp { port }),
        Health::Exec {
            service,
            command,
            within,
            ..
        } => (within, Probe::Exec { service, command }),
        Health::Compose { within, .. } => (within, Probe::Compose),
    }
}

impl Check {
    /// What is waited for, for people.
    pub(crate) fn describe(&self) -> String {
        let mut all = vec!["every service is well".to_owned()];
        all.extend(self.probes.iter().filter_map(Probe::describe));
        all.join(" and ")
    }

    /// Whether the app itself is asked, and not only the states of its services.
    pub(crate) fn asks_the_app(&self) -> bool {
        self.probes.iter().any(|probe| *probe != Probe::Compose)
    }
}

impl Probe {
    fn describe(&self) -> Option<String> {
        match self {
            Self::Http { url, .. } => Some(format!("{url} answers")),
            Self::Tcp { port } => Some(format!("port {port} accepts connections")),
            Self::Exec { service, .. } => Some(format!("{service} passes its check")),
            Self::Compose => None,
        }
    }

    /// The command to run in the guest; `None` when the services' states say it all.
    pub(crate) fn command(&self, compose: &Compose) -> Option<Command> {
        let argv = match self {
            // Busybox wget: -S prints the status line of each answer, also of one that counts as an error.
            Probe::Http { url, .. } => ["wget", "-q", "-S", "-T", "5", "-O", "/dev/null", url]
                .map(str::to_owned)
                .to_vec(),
            Probe::Tcp { port } => ["nc", "-z", "-w", "5", "127.0.0.1", &port.to_string()]
                .map(str::to_owned)
                .to_vec(),
            Probe::Exec { service, command } => {
                let mut arguments = vec!["exec", "--no-TTY", service];
                arguments.extend(command.iter().map(String::as_str));
                compose.command(arguments)
            }
            Probe::Compose => return None,
        };
        Some(Command::new(argv).deadline(Duration::from_secs(20)))
    }

    /// Whether the command's outcome means well; else why not, in words.
    pub(crate) fn judge(&self, code: i32, output: &str) -> Result<(), String> {
        match self {
            Probe::Http { url, expect } => match first_status(output) {
                Some(status) if expect.contains(&status) => Ok(()),
                Some(status) => Err(format!("{url} answers {status}")),
                None => Err(format!("{url} does not answer")),
            },
            Probe::Tcp { port } if code != 0 => {
                Err(format!("port {port} does not accept connections"))
            }
            Probe::Exec { service, .. } if code != 0 => {
                Err(format!("the check in {service} ends with code {code}"))
            }
            _ => Ok(()),
        }
    }
}

/// The status of the first answer: what the app itself said, before any redirect was followed.
fn first_status(output: &str) -> Option<u16> {
    output.lines().find_map(|line| {
        let line = line
            .trim()
            .trim_start_matches("wget: server returned error: ");
        line.strip_prefix("HTTP/")?
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> Probe {
        Probe::Http {
            url: "http://127.0.0.1:80/".to_owned(),
            expect: vec![200, 302],
        }
    }

    #[test]
    fn the_first_answer_counts() {
        assert_eq!(
            http().judge(
                0,
                "  HTTP/1.1 302 Found\n  Location: /x\n  HTTP/1.1 500 No\n"
            ),
            Ok(())
        );
        assert_eq!(http().judge(0, "  HTTP/1.0 200 OK\n"), Ok(()));
        assert_eq!(
            http().judge(
                1,
                "wget: server returned error: HTTP/1.1 503 Service Unavailable"
            ),
            Err("http://127.0.0.1:80/ answers 503".to_owned())
        );
        assert_eq!(
            http().judge(
                1,
                "wget: can't connect to remote host (127.0.0.1): Connection refused"
            ),
            Err("http://127.0.0.1:80/ does not answer".to_owned())
        );
    }

    #[test]
    fn other_probes_go_by_their_exit_code() {
        let tcp = Probe::Tcp { port: 5432 };
        assert_eq!(tcp.judge(0, ""), Ok(()));
        assert!(tcp.judge(1, "").is_err());
    }
}
