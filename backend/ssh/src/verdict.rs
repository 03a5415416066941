//! What became of a command, judged from the marks, from what was said, and from how the connection ended.

use std::time::Duration;

use crate::envelope::Envelope;
use crate::exchange::{Broken, Exit};
use crate::hearing::Hearing;
use crate::marks::Phase;
use crate::{Error, Host, Output};

/// The code of a command that this side gave up on: what GNU `timeout` would have said.
const GAVE_UP: i32 = 124;
/// How `timeout` tells that it ended a command: GNU by 124, busybox by the signal (143), both by 137 where TERM was ignored.
const ENDED_BY_TIMEOUT: [i32; 3] = [124, 137, 143];

/// All that is known about a command but its output.
pub(crate) struct Verdict<'a> {
    pub(crate) host: &'a Host,
    pub(crate) envelope: &'a Envelope,
    pub(crate) deadline: Duration,
    pub(crate) took: Duration,
}

impl Verdict<'_> {
    /// The channel was closed; `exit` is what the login shell ended with.
    pub(crate) fn ended(&self, exit: &Exit, hearing: &mut Hearing) -> Result<Output, Error> {
        match hearing.phase() {
            Phase::Ended(code) => {
                let late = self.took >= Duration::from_secs(self.envelope.seconds);
                if late && ENDED_BY_TIMEOUT.contains(&code) {
                    return Err(Error::TimedOut {
                        after: self.deadline,
                        ended: true,
                        output: hearing.take(code),
                    });
                }
                Ok(hearing.take(code))
            }
            Phase::Within => {
                let reason = match exit {
                    Exit::Code(code) => format!("it was ended from outside (exit code {code})"),
                    Exit::Signal(signal) => format!("it was ended from outside (signal {signal})"),
                    Exit::Untold => "it was ended from outside".to_owned(),
                };
                Err(self.cut(reason, hearing))
            }
            Phase::Before => {
                let code = match exit {
                    Exit::Code(code) => *code,
                    Exit::Signal(_) | Exit::Untold => -1,
                };
                Err(self.not_started(code, hearing.preamble()))
            }
        }
    }

    /// Both outputs ended before the command began.
    pub(crate) fn not_begun(&self, hearing: &mut Hearing) -> Error {
        self.not_started(-1, hearing.preamble())
    }

    /// The far side did not end in time and neither did this one wait longer.
    pub(crate) fn gave_up(&self, hearing: &mut Hearing) -> Error {
        Error::TimedOut {
            after: self.deadline,
            ended: false,
            output: hearing.take(GAVE_UP),
        }
    }

    /// The connection broke.
    pub(crate) fn broken(&self, broken: Broken, hearing: &mut Hearing) -> Error {
        match broken {
            Broken::Refused(reason) => self.not_started(-1, reason),
            Broken::Lost(reason) => self.cut(reason, hearing),
        }
    }

    fn cut(&self, reason: String, hearing: &mut Hearing) -> Error {
        Error::Cut {
            node: self.host.node.clone(),
            reason,
            output: hearing.take(-1),
        }
    }

    fn not_started(&self, code: i32, message: String) -> Error {
        if let Some(vmid) = self.envelope.vmid
            && let Some(error) = container_problem(self.host, vmid, &message)
        {
            return error;
        }
        Error::NotStarted {
            node: self.host.node.clone(),
            code,
            message,
        }
    }
}

/// What `pct` says about a container that it cannot work with (`PVE::LXC::Config::load_config`, `PVE::CLI::pct::exec`).
pub(crate) fn container_problem(host: &Host, vmid: u32, message: &str) -> Option<Error> {
    if message.contains(&format!("container '{vmid}' not running!")) {
        return Some(Error::ContainerNotRunning { vmid });
    }
    let missing = format!("/lxc/{vmid}.conf' does not exist");
    (message.contains("Configuration file 'nodes/") && message.contains(&missing)).then(|| {
        Error::NotOnThisNode {
            node: host.node.clone(),
            vmid,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Stream;

    fn host() -> Host {
        Host {
            node: "pve1".into(),
            address: "192.0.2.1".into(),
            port: 22,
            key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0mCYW5z8MZz9jLnG7zZ1fC2iv0r3tN5k0m8a8K2v1R"
                .parse()
                .unwrap(),
        }
    }

    fn judge(stderr: &str, exit: i32, took: u64) -> Result<Output, Error> {
        let envelope = Envelope {
            line: String::new(),
            nonce: "n".into(),
            seconds: 10,
            vmid: Some(101),
        };
        let mut hearing = Hearing::new("n", 100);
        hearing.hear(Stream::Stderr, stderr.as_bytes(), &mut |_, _| {});
        Verdict {
            host: &host(),
            envelope: &envelope,
            deadline: Duration::from_secs(10),
            took: Duration::from_secs(took),
        }
        .ended(&Exit::Code(exit), &mut hearing)
    }

    #[test]
    fn a_code_counts_only_when_the_command_told_it() {
        let told = judge("proximity-begin n\noopsproximity-end n 255\n", 0, 1).unwrap();
        assert_eq!((told.code, told.stderr_text().as_str()), (255, "oops"));
        assert!(matches!(
            judge("proximity-begin n\n", 137, 1),
            Err(Error::Cut { .. })
        ));
        assert!(matches!(
            judge("sh: pct: not found\n", 127, 1),
            Err(Error::NotStarted { code: 127, message, .. }) if message == "sh: pct: not found"
        ));
    }

    #[test]
    fn pct_is_understood() {
        assert!(matches!(
            judge("container '101' not running!\n", 255, 1),
            Err(Error::ContainerNotRunning { vmid: 101 })
        ));
        assert!(matches!(
            judge(
                "Configuration file 'nodes/pve1/lxc/101.conf' does not exist\n",
                2,
                1
            ),
            Err(Error::NotOnThisNode { vmid: 101, .. })
        ));
        assert!(matches!(
            judge(
                "Configuration file 'nodes/pve1/lxc/1011.conf' does not exist\n",
                2,
                1
            ),
            Err(Error::NotStarted { .. })
        ));
    }

    #[test]
    fn a_signal_before_its_time_is_the_commands_own() {
        for code in ENDED_BY_TIMEOUT {
            let said = format!("proximity-begin n\nproximity-end n {code}\n");
            assert_eq!(judge(&said, 0, 9).unwrap().code, code);
            assert!(matches!(
                judge(&said, 0, 10),
                Err(Error::TimedOut { ended: true, .. })
            ));
        }
    }
}
