//! `test` and `[`.

use crate::unix::files::Kind;
use crate::unix::process::{Call, Done};

pub(super) async fn main(call: &mut Call) -> Done {
    let mut words: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let closing = match call.name() {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    if let Some(closing) = closing
        && words.pop() != Some(closing)
    {
        return call.fail_with(2, &format!("missing {closing}")).await;
    }
    let mut test = Test {
        call,
        words: &words,
    };
    match test.whole() {
        Ok(true) => Ok(0),
        Ok(false) => Ok(1),
        Err(message) => {
            call.err(format!("sh: {message}\n")).await;
            Err(2)
        }
    }
}

struct Test<'a> {
    call: &'a Call,
    words: &'a [&'a str],
}

type Truth = Result<bool, String>;

impl Test<'_> {
    /// POSIX decides by the number of words where it can; only longer expressions are parsed.
    fn whole(&mut self) -> Truth {
        match *self.words {
            [] => Ok(false),
            [word] => Ok(!word.is_empty()),
            ["!", word] => Ok(word.is_empty()),
            [operator, word] => self
                .unary(operator, word)
                .unwrap_or_else(|| Err(format!("{operator}: unknown operand"))),
            [left, operator, right] if is_binary(operator) => self.binary(left, operator, right),
            _ => {
                let truth = self.or()?;
                match self.words.first() {
                    None => Ok(truth),
                    Some(word) => Err(format!("{word}: unknown operand")),
                }
            }
        }
    }

    fn next_is(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn or(&mut self) -> Truth {
        let mut truth = self.and()?;
        while self.next_is("-o") {
            truth |= self.and()?;
        }
        Ok(truth)
    }

    fn and(&mut self) -> Truth {
        let mut truth = self.not()?;
        while self.next_is("-a") {
            truth &= self.not()?;
        }
        Ok(truth)
    }

    fn not(&mut self) -> Truth {
        if self.words.len() > 1 && self.next_is("!") {
            return self.not().map(|truth| !truth);
        }
        self.primary()
    }

    fn primary(&mut self) -> Truth {
        if self.words.len() > 1 && self.next_is("(") {
            let truth = self.or()?;
            return if self.next_is(")") {
                Ok(truth)
            } else {
                Err("closing paren expected".to_owned())
            };
        }
        match *self.words {
            [left, operator, right, ..] if is_binary(operator) => {
                self.words = &self.words[3..];
                self.binary(left, operator, right)
            }
            [operator, word, ..] => {
                if let Some(truth) = self.unary(operator, word) {
                    self.words = &self.words[2..];
                    truth
                } else {
                    self.words = &self.words[1..];
                    Ok(!operator.is_empty())
                }
            }
            [word] => {
                self.words = &[];
                Ok(!word.is_empty())
            }
            [] => Err("argument expected".to_owned()),
        }
    }

    /// `None` when there is no such operator.
    fn unary(&self, operator: &str, word: &str) -> Option<Truth> {
        let files = self.call.machine.base().files();
        let path = self.call.path(word);
        let node = files.stat(&path);
        let is = |wanted: fn(&Kind) -> bool| node.as_ref().is_ok_and(|node| wanted(&node.kind));
        Some(Ok(match operator {
            "-n" => !word.is_empty(),
            "-z" => word.is_empty(),
            "-e" | "-r" | "-w" => node.is_ok(),
            "-f" => is(|kind| matches!(kind, Kind::File(_))),
            "-d" => is(|kind| matches!(kind, Kind::Directory(_))),
            "-c" => is(|kind| matches!(kind, Kind::Device(_))),
            // None of these kinds is simulated, and nothing here is a terminal.
            "-b" | "-p" | "-S" | "-t" => false,
            "-x" => node.is_ok_and(|node| node.is_dir() || node.mode & 0o111 != 0),
            "-s" => node.is_ok_and(|node| node.size() > 0),
            "-L" | "-h" => files
                .stat_link(&path)
                .is_ok_and(|node| matches!(node.kind, Kind::Link(_))),
            _ => return None,
        }))
    }

    fn binary(&self, left: &str, operator: &str, right: &str) -> Truth {
        let number = |word: &str| {
            word.trim()
                .parse::<i64>()
                .map_err(|_| format!("{word}: bad number"))
        };
        let modified = |word: &str| {
            let files = self.call.machine.base().files();
            files
                .stat(&self.call.path(word))
                .map(|node| node.modified)
                .ok()
        };
        Ok(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            "-nt" => modified(left) > modified(right),
            _ => modified(left) < modified(right),
        })
    }
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
    )
}
