//! The marks that an envelope prints on standard error, found and taken out again.

/// What was printed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing of the command: only what sshd, the shell and `pct` have to say.
    Before,
    /// The command runs.
    Within,
    /// It ended with this code.
    Ended(i32),
}

/// How much of what comes before the command is kept; it is only needed to explain why there is no command.
const PREAMBLE: usize = 16 * 1024;

/// A filter for standard error.
#[derive(Debug)]
pub(crate) struct Marks {
    begin: Vec<u8>,
    end: Vec<u8>,
    phase: Phase,
    held: Vec<u8>,
}

impl Marks {
    pub(crate) fn new(nonce: &str) -> Self {
        Self {
            begin: format!("proximity-begin {nonce}\n").into_bytes(),
            end: format!("proximity-end {nonce} ").into_bytes(),
            phase: Phase::Before,
            held: Vec::new(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// What was printed instead of the command.
    pub(crate) fn preamble(&self) -> String {
        match self.phase {
            Phase::Before => String::from_utf8_lossy(&self.held).trim().to_owned(),
            _ => String::new(),
        }
    }

    /// Takes bytes of standard error and returns those that are the command's own.
    pub(crate) fn filter(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        if self.phase == Phase::Before {
            let Some(at) = find(&self.held, &self.begin) else {
                let excess = self.held.len().saturating_sub(PREAMBLE);
                self.held.drain(..excess);
                return Vec::new();
            };
            self.held.drain(..at + self.begin.len());
            self.phase = Phase::Within;
        }
        if self.phase == Phase::Within {
            self.within()
        } else {
            // Something left running in the background: it is not the command's any more.
            self.held.clear();
            Vec::new()
        }
    }

    /// What was held back because it might have become a mark; for when no more will come.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        match self.phase {
            Phase::Within => std::mem::take(&mut self.held),
            _ => Vec::new(),
        }
    }

    fn within(&mut self) -> Vec<u8> {
        let Some(at) = find(&self.held, &self.end) else {
            let kept = overlap(&self.held, &self.end);
            let rest = self.held.split_off(self.held.len() - kept);
            return std::mem::replace(&mut self.held, rest);
        };
        let mark = self.held.split_off(at);
        let own = std::mem::replace(&mut self.held, mark);
        let number = &self.held[self.end.len()..];
        if let Some(length) = number.iter().position(|byte| *byte == b'\n') {
            let code = std::str::from_utf8(&number[..length])
                .ok()
                .and_then(|code| code.parse().ok());
            if let Some(code) = code {
                self.phase = Phase::Ended(code);
                self.held.clear();
            }
        }
        own
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// How many bytes at the end of `text` could be the start of `mark`.
fn overlap(text: &[u8], mark: &[u8]) -> usize {
    (1..mark.len().min(text.len() + 1))
        .rev()
        .find(|length| text.ends_with(&mark[..*length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_mark_all_is_preamble() {
        let mut marks = Marks::new("n");
        assert!(
            marks
                .filter(b"container '101' not running!\nproximity-beg")
                .is_empty()
        );
        assert_eq!(marks.phase(), Phase::Before);
        assert!(marks.preamble().starts_with("container '101' not running!"));
        assert!(marks.rest().is_empty());
    }

    #[test]
    fn a_mark_of_another_command_is_text() {
        let mut marks = Marks::new("n");
        let own = marks.filter(b"proximity-begin n\nproximity-end m 0\n");
        assert_eq!(own, b"proximity-end m 0\n");
        assert_eq!(marks.phase(), Phase::Within);
    }

    #[test]
    fn nothing_is_held_back_for_long() {
        let mut marks = Marks::new("n");
        assert_eq!(marks.filter(b"proximity-begin n\nstep\n"), b"step\n");
        assert!(marks.filter(b"prox").is_empty());
        assert_eq!(marks.filter(b"y"), b"proxy");
        assert!(marks.filter(b"proximity-end n").is_empty());
        assert_eq!(marks.rest(), b"proximity-end n");
    }

    proptest! {
        #[test]
        fn the_text_comes_through_whole_however_it_is_cut(
            text in r"(proximity-end |proximity-|5|prox|[a-e0-9]|\n){0,20}", code in 0..256_i32, sizes in prop::collection::vec(1..9_usize, 1..9)
        ) {
            let wire = format!("noise\nproximity-begin 5f\n{text}proximity-end 5f {code}\nafter");
            let mut marks = Marks::new("5f");
            let mut own = Vec::new();
            let mut rest = wire.as_bytes();
            for size in sizes.iter().cycle() {
                let (piece, more) = rest.split_at(rest.len().min(*size));
                own.extend(marks.filter(piece));
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(String::from_utf8(own).unwrap(), text);
            prop_assert_eq!(marks.phase(), Phase::Ended(code));
        }
    }
}
