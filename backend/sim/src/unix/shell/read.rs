//! Builtins that take words apart: `read` and `getopts`.

use super::{Flow, Shell, Stop};
use crate::unix::fd::Fd;

impl Shell {
    /// `read [-r] [-p TEXT] [-t SECONDS] NAME…`.
    pub(super) async fn read(&mut self, argv: &[String]) -> Flow {
        let mut raw = false;
        let mut names = Vec::new();
        let mut words = argv[1..].iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-r" => raw = true,
                "-p" | "-t" | "-n" | "-u" => drop(words.next()),
                option if option.starts_with('-') && option.len() > 1 => {
                    self.complain(&format!("read: illegal option {option}"))
                        .await;
                    return Ok(2);
                }
                name => names.push(name.to_owned()),
            }
        }
        let input = self.fds.get(0).cloned().unwrap_or(Fd::Null);
        let mut line = String::new();
        let mut complete = false;
        while let Some(piece) = input.read_line().await {
            line.push_str(&String::from_utf8_lossy(&piece));
            complete = line.ends_with('\n');
            if complete && !raw && line.ends_with("\\\n") && !line.ends_with("\\\\\n") {
                line.truncate(line.len() - 2);
                continue;
            }
            break;
        }
        if complete {
            line.pop();
        }
        if !raw {
            line = unprotect(&line);
        }
        if names.is_empty() {
            names.push("REPLY".to_owned());
        }
        self.distribute(&line, &names).await?;
        Ok(i32::from(!complete))
    }

    /// Gives each name one field of a line, the last one all that is left.
    async fn distribute(&mut self, line: &str, names: &[String]) -> Result<(), Stop> {
        let separators = self.get("IFS").unwrap_or(" \t\n").to_owned();
        let is_space = |c: char| separators.contains(c) && c.is_ascii_whitespace();
        let mut rest = line.trim_start_matches(is_space);
        for (number, name) in names.iter().enumerate() {
            let value;
            if number + 1 == names.len() {
                value = rest.trim_end_matches(is_space);
            } else {
                let end = rest.find(|c| separators.contains(c)).unwrap_or(rest.len());
                value = &rest[..end];
                rest = rest[end..].trim_start_matches(is_space);
                if let Some(c) = rest.chars().next()
                    && separators.contains(c)
                {
                    rest = rest[c.len_utf8()..].trim_start_matches(is_space);
                }
            }
            let value = value.to_owned();
            self.assign(name, value).await?;
        }
        Ok(())
    }

    /// `getopts SPECIFICATION NAME [ARG…]`.
    pub(super) async fn getopts(&mut self, argv: &[String]) -> Flow {
        let [_, specification, name, rest @ ..] = argv else {
            self.complain("getopts: usage: getopts optstring var [arg...]")
                .await;
            return Ok(2);
        };
        let arguments = if rest.is_empty() {
            self.args.clone()
        } else {
            rest.to_vec()
        };
        let index: usize = self
            .get("OPTIND")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        let within: usize = self
            .get("_OPTPOS")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        let word = arguments.get(index - 1).cloned().unwrap_or_default();
        let letter = word
            .chars()
            .nth(within)
            .filter(|_| word.starts_with('-') && word != "--");
        let Some(letter) = letter else {
            if word == "--" {
                self.assign("OPTIND", (index + 1).to_string()).await?;
            }
            self.assign(name, "?".to_owned()).await?;
            return Ok(1);
        };
        let last = within + 1 >= word.chars().count();
        let (mut next, mut position) = if last {
            (index + 1, 1)
        } else {
            (index, within + 1)
        };
        let place = specification.find(letter).filter(|_| letter != ':');
        let takes = place.is_some_and(|place| specification[place + 1..].starts_with(':'));
        let mut found = letter.to_string();
        if place.is_none() {
            "?".clone_into(&mut found);
            if !specification.starts_with(':') {
                self.complain(&format!("illegal option -{letter}")).await;
            }
        } else if takes {
            let value = if last {
                next += 1;
                arguments.get(index).cloned()
            } else {
                (next, position) = (index + 1, 1);
                Some(word.chars().skip(within + 1).collect())
            };
            if let Some(value) = value {
                self.assign("OPTARG", value).await?;
            } else {
                "?".clone_into(&mut found);
                self.complain(&format!("no arg for -{letter} option")).await;
            }
        }
        self.assign("OPTIND", next.to_string()).await?;
        self.assign("_OPTPOS", position.to_string()).await?;
        self.assign(name, found).await?;
        Ok(0)
    }
}

/// Without `-r` a backslash protects the next character and goes away.
fn unprotect(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            text.extend(characters.next());
        } else {
            text.push(c);
        }
    }
    text
}
