//! Simple commands: assignments, words, redirections, and who carries them out.

use std::sync::Arc;

use brush_parser::ast::{
    Assignment, AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem, FunctionBody,
    IoRedirect, SimpleCommand,
};

use super::{DEEPEST, Flow, Shell, Stop, Variable};
use crate::unix::fd::Fds;
use crate::unix::machine::Flavour;
use crate::unix::process::{Unstartable, execute};

/// Commands whose arguments `NAME=value` are assignments: not split into fields.
const DECLARING: &[&str] = &["export", "readonly", "local"];

/// A simple command after expansion.
struct Expanded<'a> {
    argv: Vec<String>,
    assignments: Vec<(String, String)>,
    redirects: Vec<&'a IoRedirect>,
}

impl Shell {
    pub(super) async fn simple(&mut self, command: &SimpleCommand) -> Flow {
        self.substituted = None;
        let expanded = self.expand_command(command).await?;
        let Some(fds) = self.redirect(expanded.redirects.into_iter()).await? else {
            // A redirection that fails ends the script where the command is a special builtin.
            return match expanded.argv.first().map(String::as_str) {
                Some("exec" | "." | ":" | "eval" | "set" | "shift" | "export") => {
                    Err(Stop::Exit(1))
                }
                _ => Ok(1),
            };
        };
        if self.options.xtrace {
            self.trace(&expanded.assignments, &expanded.argv).await;
        }
        if expanded.argv.is_empty() {
            for (name, value) in expanded.assignments {
                self.assign(&name, value).await?;
            }
            return Ok(self.substituted.unwrap_or(0));
        }
        self.dispatch(expanded.argv, expanded.assignments, fds)
            .await
    }

    async fn expand_command<'a>(
        &mut self,
        command: &'a SimpleCommand,
    ) -> Result<Expanded<'a>, Stop> {
        let mut expanded = Expanded {
            argv: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
        };
        if let Some(word) = &command.word_or_name {
            expanded.argv = self.fields(&word.value).await?;
        }
        let declares = expanded.argv.len() == 1 && DECLARING.contains(&expanded.argv[0].as_str());
        for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) if declares => {
                    expanded.argv.push(self.one_string(&word.value).await?);
                }
                CommandPrefixOrSuffixItem::Word(word)
                | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                    expanded.argv.extend(self.fields(&word.value).await?);
                }
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    expanded.redirects.push(redirect);
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return self.unsupported("<(").await;
                }
            }
        }
        for item in command.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    expanded
                        .assignments
                        .push(self.assignment(assignment).await?);
                }
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    expanded.redirects.push(redirect);
                }
                _ => return self.unsupported("<(").await,
            }
        }
        Ok(expanded)
    }

    async fn assignment(&mut self, assignment: &Assignment) -> Result<(String, String), Stop> {
        match (&assignment.name, &assignment.value) {
            (AssignmentName::VariableName(name), AssignmentValue::Scalar(word)) => {
                let mut value = self.one_string(&word.value).await?;
                if assignment.append {
                    value.insert_str(0, self.get(name).unwrap_or_default());
                }
                Ok((name.clone(), value))
            }
            _ => self.unsupported("(").await,
        }
    }

    async fn unsupported<T>(&mut self, token: &str) -> Result<T, Stop> {
        self.complain(&format!("syntax error: unexpected \"{token}\""))
            .await;
        Err(Stop::Exit(2))
    }

    async fn trace(&self, assignments: &[(String, String)], argv: &[String]) {
        let assignments = assignments
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = assignments.chain(argv.iter().cloned()).collect();
        self.call(Vec::new())
            .err(format!("+ {}\n", words.join(" ")))
            .await;
    }

    /// Runs argv as a special builtin, a function, a builtin or a program.
    pub(super) async fn dispatch(
        &mut self,
        argv: Vec<String>,
        assignments: Vec<(String, String)>,
        fds: Fds,
    ) -> Flow {
        let name = argv[0].clone();
        if let Some(body) = self.functions.get(&name).cloned() {
            return self.function(&body, argv, assignments, fds).await;
        }
        if name == "exec" {
            return self.exec(argv, assignments, fds).await;
        }
        if super::builtins::is_builtin(&name) {
            let before = std::mem::replace(&mut self.fds, fds);
            let saved = self.shadow(assignments).await?;
            let flow = self.builtin(&argv).await;
            self.restore(saved);
            self.fds = before;
            return flow;
        }
        self.program(argv, assignments, fds).await
    }

    async fn program(
        &mut self,
        argv: Vec<String>,
        assignments: Vec<(String, String)>,
        fds: Fds,
    ) -> Flow {
        let name = argv[0].clone();
        let mut call = self.call(argv);
        call.env.extend(assignments);
        call.fds = fds.clone();
        match execute(call).await {
            Ok(code) => Ok(code),
            Err(reason) => {
                let before = std::mem::replace(&mut self.fds, fds);
                self.complain(&self.unstartable(&name, reason)).await;
                self.fds = before;
                Ok(reason.code())
            }
        }
    }

    fn unstartable(&self, name: &str, reason: Unstartable) -> String {
        match (reason, self.machine.base().flavour()) {
            (Unstartable::NotExecutable, _) => format!("{name}: Permission denied"),
            (Unstartable::NotFound, _)
                if name.contains('/') && self.machine.base().flavour() == Flavour::Debian =>
            {
                format!("{name}: No such file or directory")
            }
            (Unstartable::NotFound, Flavour::Busybox) => format!("{name}: not found"),
            (Unstartable::NotFound, Flavour::Debian) => format!("{name}: command not found"),
        }
    }

    /// `exec`: redirections that stay, or a program in the place of the shell.
    async fn exec(
        &mut self,
        argv: Vec<String>,
        assignments: Vec<(String, String)>,
        fds: Fds,
    ) -> Flow {
        if argv.len() == 1 {
            self.fds = fds;
            for (name, value) in assignments {
                self.assign(&name, value).await?;
            }
            return Ok(0);
        }
        self.traps.remove("EXIT");
        let code = self.program(argv[1..].to_vec(), assignments, fds).await?;
        Err(Stop::Exit(code))
    }

    async fn function(
        &mut self,
        body: &Arc<FunctionBody>,
        argv: Vec<String>,
        assignments: Vec<(String, String)>,
        fds: Fds,
    ) -> Flow {
        if self.depth >= DEEPEST {
            self.complain("maximum function recursion depth exceeded")
                .await;
            return Err(Stop::Exit(2));
        }
        self.depth += 1;
        let saved = self.shadow(assignments).await?;
        let before = std::mem::replace(&mut self.fds, fds);
        let arguments = std::mem::replace(&mut self.args, argv[1..].to_vec());
        self.locals.push(Vec::new());
        let flow = self.redirected(&body.0, body.1.as_ref()).await;
        let locals = self.locals.pop().unwrap_or_default();
        self.restore(locals);
        self.args = arguments;
        self.fds = before;
        self.restore(saved);
        self.depth -= 1;
        match flow {
            Err(Stop::Return(code)) => Ok(code),
            other => other,
        }
    }

    /// Assignments that hold for one command; what to put back afterwards.
    async fn shadow(
        &mut self,
        assignments: Vec<(String, String)>,
    ) -> Result<Vec<(String, Option<Variable>)>, Stop> {
        let mut saved = Vec::new();
        for (name, value) in assignments {
            saved.push((name.clone(), self.variables.get(&name).cloned()));
            self.assign(&name, value).await?;
            if let Some(variable) = self.variables.get_mut(&name) {
                variable.exported = true;
            }
        }
        Ok(saved)
    }

    fn restore(&mut self, saved: Vec<(String, Option<Variable>)>) {
        for (name, variable) in saved.into_iter().rev() {
            match variable {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }
}
