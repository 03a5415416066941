//! Reading options the way `getopt` does.

use crate::unix::process::Call;

/// Options and operands of a call.
#[derive(Debug, Default)]
pub(super) struct Given {
    letters: Vec<(char, Option<String>)>,
    pub(super) operands: Vec<String>,
}

impl Given {
    pub(super) fn has(&self, letter: char) -> bool {
        self.letters.iter().any(|(given, _)| *given == letter)
    }

    /// The last value given with an option.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.values(letter).last()
    }

    pub(super) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.letters
            .iter()
            .filter(move |(given, _)| *given == letter)
            .filter_map(|(_, value)| value.as_deref())
    }
}

/// How a tool treats what comes after its first operand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Options may follow operands.
    Mixed,
    /// The first operand ends the options: what follows is a command line.
    First,
}

/// Parses `-a -bVALUE -c VALUE -- operands` by a `getopt` specification; an unknown option is refused.
pub(super) async fn parse(call: &Call, specification: &str, order: Order) -> Result<Given, i32> {
    let mut given = Given::default();
    let mut words = call.args().iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') || word.len() < 2 {
            given.operands.push(word.clone());
            if order == Order::First {
                break;
            }
            continue;
        }
        if word.starts_with("--") {
            return call.usage(word).await;
        }
        let letters = word[1..].char_indices();
        for (at, letter) in letters {
            let place = specification.find(letter).filter(|_| letter != ':');
            let Some(place) = place else {
                return call.usage(&format!("-{letter}")).await;
            };
            if !specification[place + letter.len_utf8()..].starts_with(':') {
                given.letters.push((letter, None));
                continue;
            }
            let attached = &word[1 + at + letter.len_utf8()..];
            let value = if attached.is_empty() {
                words.next().cloned()
            } else {
                Some(attached.to_owned())
            };
            let Some(value) = value else {
                return call
                    .fail(&format!("option requires an argument: {letter}"))
                    .await;
            };
            given.letters.push((letter, Some(value)));
            break;
        }
    }
    given.operands.extend(words.cloned());
    Ok(given)
}
