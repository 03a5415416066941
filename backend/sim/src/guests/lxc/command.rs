//! Runs the programs that do the work: `lxc-*`, `btrfs`, `tar`, `ip`.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

/// One call of a program. Dropping the future that runs it ends the program.
#[derive(Debug)]
pub(super) struct Tool {
    program: &'static str,
    command: Command,
}

impl Tool {
    pub(super) fn new(program: &'static str) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).kill_on_drop(true);
        // Programs answer in English whatever the machine speaks; their words end up in task logs.
        command.env("LC_ALL", "C.UTF-8");
        Self { program, command }
    }

    pub(super) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(super) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Standard output of a program that succeeds; else the last line that it wrote to standard error.
    pub(super) async fn text(mut self) -> Result<String, String> {
        let output = self
            .command
            .output()
            .await
            .map_err(|error| format!("{}: {error}", self.program))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let reason = errors.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(match reason {
            Some(line) => line.to_owned(),
            None => format!("{} failed: {}", self.program, output.status),
        })
    }

    /// The command itself, for a caller that wants its pipes.
    pub(super) fn into_command(self) -> Command {
        self.command
    }
}
