//! Flags the way Docker's clients read them (spf13/pflag): `--flag=value`, `--flag value`, `-f value`, `-it`.

use crate::unix::Call;

/// A flag: long name, short letter, whether it takes a value.
pub(in crate::guests::modelled) struct Flag(
    pub(in crate::guests::modelled) &'static str,
    pub(in crate::guests::modelled) Option<char>,
    pub(in crate::guests::modelled) bool,
);

/// Flags and the words that are none.
#[derive(Clone, Debug, Default)]
pub(in crate::guests::modelled) struct Arguments {
    flags: Vec<(&'static str, String)>,
    pub(in crate::guests::modelled) rest: Vec<String>,
}

impl Arguments {
    /// Whether a switch is on; `--flag=false` is off.
    pub(in crate::guests::modelled) fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != "false")
    }

    /// The last value of a flag.
    pub(in crate::guests::modelled) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last()
    }

    pub(in crate::guests::modelled) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.flags
            .iter()
            .filter(move |(flag, _)| *flag == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads flags; `mixed` is whether they may follow the first word that is none.
pub(in crate::guests::modelled) fn parse(
    words: &[String],
    flags: &[Flag],
    mixed: bool,
) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let flag = flags
                .iter()
                .find(|flag| flag.0 == name)
                .ok_or(format!("unknown flag: --{name}"))?;
            let value = match (attached, flag.2) {
                (Some(value), _) => value,
                (None, false) => "true".to_owned(),
                (None, true) => words
                    .next()
                    .cloned()
                    .ok_or(format!("flag needs an argument: --{name}"))?,
            };
            arguments.flags.push((flag.0, value));
        } else if word.len() > 1 && word.starts_with('-') {
            short(word, &mut words, flags, &mut arguments)?;
        } else {
            arguments.rest.push(word.clone());
            if !mixed {
                break;
            }
        }
    }
    arguments.rest.extend(words.cloned());
    Ok(arguments)
}

fn short<'a>(
    word: &str,
    words: &mut impl Iterator<Item = &'a String>,
    flags: &[Flag],
    arguments: &mut Arguments,
) -> Result<(), String> {
    let letters = word[1..].char_indices();
    for (at, letter) in letters {
        let flag = flags
            .iter()
            .find(|flag| flag.1 == Some(letter))
            .ok_or(format!("unknown shorthand flag: '{letter}' in {word}"))?;
        if !flag.2 {
            arguments.flags.push((flag.0, "true".to_owned()));
            continue;
        }
        let attached = &word[1 + at + letter.len_utf8()..];
        let value = if attached.is_empty() {
            words
                .next()
                .cloned()
                .ok_or(format!("flag needs an argument: '{letter}' in {word}"))?
        } else {
            attached.strip_prefix('=').unwrap_or(attached).to_owned()
        };
        arguments.flags.push((flag.0, value));
        return Ok(());
    }
    Ok(())
}

/// As [`parse`]; a mistake is said, and the client ends with `code`.
pub(in crate::guests::modelled) async fn read(
    call: &Call,
    words: &[String],
    flags: &[Flag],
    mixed: bool,
    code: i32,
) -> Result<Arguments, i32> {
    match parse(words, flags, mixed) {
        Ok(arguments) => Ok(arguments),
        Err(message) => {
            call.err(format!("{message}\nSee 'docker --help'.\n")).await;
            Err(code)
        }
    }
}
