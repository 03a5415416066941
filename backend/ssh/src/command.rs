//! A command as the caller words it: arguments, input, patience.

use std::fmt;
use std::time::Duration;

/// What is done with each line of output as it arrives. It runs between two reads, so it has to be quick.
pub type LineSink = Box<dyn FnMut(Stream, &str) + Send>;

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A program with its arguments; no shell looks at them unless the program is one.
pub struct Command {
    /// The program and its arguments. They may hold anything but NUL, yet others on the node can see them while the
    /// command runs: secrets and long texts go by `stdin`.
    pub argv: Vec<String>,
    /// What the command reads; its end is the end of these bytes.
    pub stdin: Vec<u8>,
    /// How long the command may run, waiting for a connection not counted. The far side ends it then, in whole seconds;
    /// this side gives up a little later, at [`Command::patience`].
    pub deadline: Duration,
    /// Who hears each line as it comes.
    pub on_line: Option<LineSink>,
    /// How much of each stream is kept, in bytes: the end of it.
    pub keep: usize,
}

impl Command {
    /// A command without input that may take a minute.
    pub fn new<I, S>(argv: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            stdin: Vec::new(),
            deadline: Duration::from_mins(1),
            on_line: None,
            keep: 1024 * 1024,
        }
    }

    /// A script for `sh`, given by standard input, so that it may be long and hold anything; `arguments` become `$1`, `$2` …
    pub fn script<I, S>(script: impl Into<Vec<u8>>, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let head = ["sh", "-s", "--"].map(String::from);
        Self::new(
            head.into_iter()
                .chain(arguments.into_iter().map(Into::into)),
        )
        .stdin(script)
    }

    /// With these bytes as its input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// With this much time.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// With somebody who hears each line.
    #[must_use]
    pub fn on_line(mut self, sink: impl FnMut(Stream, &str) + Send + 'static) -> Self {
        self.on_line = Some(Box::new(sink));
        self
    }

    /// With this many bytes of each stream kept.
    #[must_use]
    pub fn keep(mut self, bytes: usize) -> Self {
        self.keep = bytes;
        self
    }

    /// When this side gives up: the deadline and a tenth more, at least two seconds and at most five. As a rule the far
    /// side is first then, and its end is known; `pct` alone, written in Perl, takes most of a second to begin.
    pub fn patience(&self) -> Duration {
        let grace = (self.deadline / 10).clamp(Duration::from_secs(2), Duration::from_secs(5));
        self.deadline.saturating_add(grace)
    }
}

/// Arguments and input may hold secrets: only the program and the sizes are shown.
impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Command")
            .field("program", &self.argv.first())
            .field("arguments", &self.argv.len().saturating_sub(1))
            .field("stdin", &self.stdin.len())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_arguments_nor_input() {
        let command = Command::new(["login", "--password", "hunter2"]).stdin("hunter3");
        let shown = format!("{command:?}");
        assert!(shown.contains("login"), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn this_side_is_more_patient_than_the_far_side() {
        let patience = |seconds| {
            Command::new(["true"])
                .deadline(Duration::from_secs(seconds))
                .patience()
        };
        assert_eq!(patience(1), Duration::from_secs(3));
        assert_eq!(patience(30), Duration::from_secs(33));
        assert_eq!(patience(600), Duration::from_secs(605));
    }
}
