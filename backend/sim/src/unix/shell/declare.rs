//! Builtins that change the shell's variables and switches: `set`, `export`, `local`, `trap`, …

use super::{Flow, Shell, Stop};

/// Splits `NAME=value`; refuses what is no name.
fn assignment(word: &str) -> Option<(&str, Option<&str>)> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let mut characters = name.chars();
    let first = characters.next()?;
    let valid = (first == '_' || first.is_ascii_alphabetic())
        && characters.all(|c| c == '_' || c.is_ascii_alphanumeric());
    valid.then_some((name, value))
}

impl Shell {
    async fn bad_name(&mut self, command: &str, word: &str) -> Flow {
        self.complain(&format!("{command}: {word}: bad variable name"))
            .await;
        Err(Stop::Exit(2))
    }

    /// `export` and `readonly`.
    pub(super) async fn declare(&mut self, argv: &[String]) -> Flow {
        let command = argv[0].as_str();
        let words: Vec<&String> = argv[1..].iter().filter(|word| *word != "-p").collect();
        if words.is_empty() {
            return self
                .print_variables(
                    |variable| match command {
                        "export" => variable.exported,
                        _ => variable.readonly,
                    },
                    &format!("{command} "),
                )
                .await;
        }
        for word in words {
            let Some((name, value)) = assignment(word) else {
                return self.bad_name(command, word).await;
            };
            if let Some(value) = value {
                self.assign(name, value.to_owned()).await?;
            }
            let variable = self.variables.entry(name.to_owned()).or_default();
            match command {
                "export" => variable.exported = true,
                _ => variable.readonly = true,
            }
        }
        Ok(0)
    }

    async fn print_variables(
        &mut self,
        wanted: impl Fn(&super::Variable) -> bool + Send,
        prefix: &str,
    ) -> Flow {
        let mut lines: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, variable)| wanted(variable))
            .map(|(name, variable)| match &variable.value {
                Some(value) => format!("{prefix}{name}='{}'\n", value.replace('\'', "'\"'\"'")),
                None => format!("{prefix}{name}\n"),
            })
            .collect();
        lines.sort();
        let written = self.call(vec!["set".to_owned()]).out(lines.concat()).await;
        Ok(written.err().unwrap_or(0))
    }

    pub(super) async fn local(&mut self, argv: &[String]) -> Flow {
        if self.locals.is_empty() {
            self.complain("local: not in a function").await;
            return Err(Stop::Exit(2));
        }
        for word in &argv[1..] {
            let Some((name, value)) = assignment(word) else {
                return self.bad_name("local", word).await;
            };
            let before = self.variables.get(name).cloned();
            if let Some(frame) = self.locals.last_mut() {
                frame.push((name.to_owned(), before));
            }
            match value {
                Some(value) => self.assign(name, value.to_owned()).await?,
                None => drop(self.variables.remove(name)),
            }
        }
        Ok(0)
    }

    pub(super) fn unset(&mut self, argv: &[String]) -> i32 {
        let mut functions = false;
        let mut status = 0;
        for word in &argv[1..] {
            match word.as_str() {
                "-f" => functions = true,
                "-v" => functions = false,
                name if functions => drop(self.functions.remove(name)),
                name if self
                    .variables
                    .get(name)
                    .is_some_and(|variable| variable.readonly) =>
                {
                    status = 1;
                }
                name => drop(self.variables.remove(name)),
            }
        }
        status
    }

    pub(super) async fn set(&mut self, argv: &[String]) -> Flow {
        if argv.len() == 1 {
            return self
                .print_variables(|variable| variable.value.is_some(), "")
                .await;
        }
        let mut words = argv[1..].iter().peekable();
        while let Some(word) = words.peek() {
            let on = match word.chars().next() {
                Some('-') => true,
                Some('+') => false,
                _ => break,
            };
            let word = words.next().map_or("", String::as_str);
            if word == "--" {
                self.args = words.cloned().collect();
                return Ok(0);
            }
            for letter in word.chars().skip(1) {
                let known = if letter == 'o' {
                    match words.next() {
                        Some(name) => self.switch_long(name, on),
                        None => true,
                    }
                } else {
                    self.switch(letter, on)
                };
                if !known {
                    self.complain(&format!("set: illegal option {word}")).await;
                    return Err(Stop::Exit(2));
                }
            }
        }
        if words.peek().is_some() {
            self.args = words.cloned().collect();
        }
        Ok(0)
    }

    pub(super) async fn shift(&mut self, argv: &[String]) -> Flow {
        let count = match argv.get(1).map(|word| word.parse::<usize>()) {
            None => 1,
            Some(Ok(count)) => count,
            Some(Err(_)) => {
                self.complain(&format!("shift: Illegal number: {}", argv[1]))
                    .await;
                return Err(Stop::Exit(2));
            }
        };
        if count > self.args.len() {
            return Ok(1);
        }
        self.args.drain(..count);
        Ok(0)
    }

    /// `trap [ACTION] CONDITION…`.
    pub(super) async fn trap(&mut self, argv: &[String]) -> Flow {
        let words: Vec<&str> = argv[1..]
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "--")
            .collect();
        let Some((action, conditions)) = words.split_first() else {
            let lines: String = self
                .traps
                .iter()
                .map(|(condition, action)| format!("trap -- '{action}' {condition}\n"))
                .collect();
            let written = self.call(vec!["trap".to_owned()]).out(lines).await;
            return Ok(written.err().unwrap_or(0));
        };
        let (action, conditions) = if conditions.is_empty() {
            ("-", vec![*action])
        } else {
            (*action, conditions.to_vec())
        };
        for condition in conditions {
            let name = match condition.trim_start_matches("SIG") {
                "0" => "EXIT",
                "1" => "HUP",
                "2" => "INT",
                "15" => "TERM",
                name => name,
            };
            if !matches!(
                name,
                "EXIT"
                    | "HUP"
                    | "INT"
                    | "QUIT"
                    | "TERM"
                    | "USR1"
                    | "USR2"
                    | "PIPE"
                    | "ALRM"
                    | "ERR"
                    | "CHLD"
            ) {
                self.complain(&format!("trap: {condition}: invalid signal specification"))
                    .await;
                return Ok(1);
            }
            if action == "-" {
                self.traps.remove(name);
            } else {
                self.traps.insert(name.to_owned(), action.to_owned());
            }
        }
        Ok(0)
    }
}
