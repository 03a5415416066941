//! What a command said, bounded.

use std::fmt;

use crate::Error;

/// What a command left behind: its exit code and the end of what it wrote.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The exit code; 128 and more is a signal, as shells count.
    pub code: i32,
    /// The end of standard output.
    pub stdout: Vec<u8>,
    /// The end of standard error.
    pub stderr: Vec<u8>,
    /// How many bytes of both were written before what is kept.
    pub dropped: u64,
}

impl Output {
    /// The output if the code was zero, else [`Error::Failed`] with the last lines of what was said.
    pub fn ok(self) -> Result<Self, Error> {
        if self.code == 0 {
            return Ok(self);
        }
        Err(Error::Failed {
            code: self.code,
            message: self.last_lines(5),
        })
    }

    /// Standard output as text; bytes that are none are replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text; bytes that are none are replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The last `n` lines of standard error, or of standard output when nothing was said there; empty lines left out.
    pub fn last_lines(&self, n: usize) -> String {
        let text = if self.stderr.trim_ascii().is_empty() {
            self.stdout_text()
        } else {
            self.stderr_text()
        };
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(n)..].join("\n")
    }
}

/// What programs print may be secret: sizes only.
impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Output")
            .field("code", &self.code)
            .field("stdout", &self.stdout.len())
            .field("stderr", &self.stderr.len())
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// The end of a stream that may be longer than memory.
#[derive(Debug)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    keep: usize,
    dropped: u64,
}

impl Tail {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            bytes: Vec::new(),
            keep,
            dropped: 0,
        }
    }

    /// Adds bytes; what is too old goes, in strides, so that the whole is not moved for every read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > self.keep.saturating_mul(2).saturating_add(4096) {
            self.trim();
        }
    }

    /// What is held at the moment, perhaps a little more than will be kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is kept, and how much was not.
    pub(crate) fn take(&mut self) -> (Vec<u8>, u64) {
        self.trim();
        let dropped = std::mem::take(&mut self.dropped);
        (std::mem::take(&mut self.bytes), dropped)
    }

    fn trim(&mut self) {
        let excess = self.bytes.len().saturating_sub(self.keep);
        self.bytes.drain(..excess);
        self.dropped += excess as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_end_and_counts_the_rest() {
        let mut tail = Tail::new(10);
        for _ in 0..2000 {
            tail.push(b"0123456789abc");
        }
        let (bytes, dropped) = tail.take();
        assert_eq!(bytes, b"3456789abc");
        assert_eq!(dropped, 2000 * 13 - 10);
    }

    #[test]
    fn a_failure_is_told_by_its_last_lines() {
        let output = Output {
            code: 3,
            stdout: b"fine so far\n".to_vec(),
            stderr: b"one\n\ntwo\nthree\n".to_vec(),
            dropped: 0,
        };
        assert_eq!(output.last_lines(2), "two\nthree");
        let error = output.ok().unwrap_err();
        assert!(matches!(error, Error::Failed { code: 3, .. }));
        assert!(error.to_string().contains("three"));
        let silent = Output {
            code: 1,
            stdout: b"only here\n".to_vec(),
            ..Output::default()
        };
        assert_eq!(silent.last_lines(9), "only here");
    }
}
