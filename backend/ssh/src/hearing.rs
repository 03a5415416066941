//! What comes back from a command: marks taken out, the end of it kept, each line told as it comes.

use crate::command::Stream;
use crate::marks::{Marks, Phase};
use crate::output::{Output, Tail};

/// Longer lines are told in pieces.
const LONGEST_LINE: usize = 16 * 1024;

/// Hears both streams of one command.
#[derive(Debug)]
pub(crate) struct Hearing {
    marks: Marks,
    stdout: Heard,
    stderr: Heard,
}

/// Told each line.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(Stream, &str) + Send);

impl Hearing {
    pub(crate) fn new(nonce: &str, keep: usize) -> Self {
        Self {
            marks: Marks::new(nonce),
            stdout: Heard::new(keep),
            stderr: Heard::new(keep),
        }
    }

    pub(crate) fn hear(&mut self, stream: Stream, bytes: &[u8], sink: Sink<'_>) {
        match stream {
            Stream::Stdout => self.stdout.hear(bytes, |line| sink(stream, line)),
            Stream::Stderr => {
                let own = self.marks.filter(bytes);
                self.stderr.hear(&own, |line| sink(stream, line));
            }
        }
    }

    /// Tells what is left without a line end; nothing more will come.
    pub(crate) fn finish(&mut self, sink: Sink<'_>) {
        let rest = self.marks.rest();
        self.stderr.hear(&rest, |line| sink(Stream::Stderr, line));
        self.stdout.finish(|line| sink(Stream::Stdout, line));
        self.stderr.finish(|line| sink(Stream::Stderr, line));
    }

    pub(crate) fn phase(&self) -> Phase {
        self.marks.phase()
    }

    /// What was said instead of the command: on standard error, or else on standard output.
    pub(crate) fn preamble(&self) -> String {
        let said = self.marks.preamble();
        if said.is_empty() {
            String::from_utf8_lossy(self.stdout.tail.bytes())
                .trim()
                .to_owned()
        } else {
            said
        }
    }

    /// What was heard, emptied.
    pub(crate) fn take(&mut self, code: i32) -> Output {
        let (stdout, lost) = self.stdout.tail.take();
        let (stderr, more) = self.stderr.tail.take();
        Output {
            code,
            stdout,
            stderr,
            dropped: lost + more,
        }
    }
}

#[derive(Debug)]
struct Heard {
    tail: Tail,
    line: Vec<u8>,
}

impl Heard {
    fn new(keep: usize) -> Self {
        Self {
            tail: Tail::new(keep),
            line: Vec::new(),
        }
    }

    fn hear(&mut self, bytes: &[u8], mut tell: impl FnMut(&str)) {
        self.tail.push(bytes);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() >= LONGEST_LINE {
                self.finish(&mut tell);
            }
        }
    }

    fn finish(&mut self, mut tell: impl FnMut(&str)) {
        if self.line.is_empty() {
            return;
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        tell(&String::from_utf8_lossy(line));
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[(Stream, &[u8])]) -> Vec<(Stream, String)> {
        let mut told = Vec::new();
        let mut hearing = Hearing::new("n", 100);
        let mut sink = |stream, line: &str| told.push((stream, line.to_owned()));
        for (stream, bytes) in pieces {
            hearing.hear(*stream, bytes, &mut sink);
        }
        hearing.finish(&mut sink);
        told
    }

    #[test]
    fn lines_are_told_whole_and_the_marks_are_not() {
        use Stream::{Stderr, Stdout};
        let told = lines(&[
            (
                Stderr,
                b"perl: warning: Setting locale failed.\nproximity-begin n\n",
            ),
            (Stdout, b"one\r\ntw"),
            (Stderr, b"\nhm"),
            (Stdout, b"o\n\xffend"),
            (Stderr, b"mproximity-end n 0\n"),
        ]);
        let expected = [
            (Stdout, "one"),
            (Stderr, ""),
            (Stdout, "two"),
            (Stdout, "\u{fffd}end"),
            (Stderr, "hmm"),
        ];
        assert_eq!(
            told,
            expected.map(|(stream, line)| (stream, line.to_owned()))
        );
    }

    #[test]
    fn an_endless_line_is_told_in_pieces() {
        let told = lines(&[(Stream::Stdout, &[b'x'; 10_000][..]); 4]);
        assert_eq!(told.len(), 2);
        assert_eq!(
            told.iter().map(|(_, line)| line.len()).sum::<usize>(),
            40_000
        );
    }
}
