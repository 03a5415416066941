//! Running a whole text: parsing, the order of its commands, and the end.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use brush_parser::ast::{CompoundList, Program, SourceLocation};
use brush_parser::{Parser, ParserOptions};

use super::{Flow, Shell, Stop};
use crate::unix::fd::Fd;

/// How much of its standard input ash reads at a time; what its commands find there begins after that.
const READ_AHEAD: usize = 1023;

pub(super) fn dialect() -> ParserOptions {
    ParserOptions {
        sh_mode: true,
        enable_extended_globbing: false,
        ..ParserOptions::default()
    }
}

/// How words are read: ash knows some expansions more than POSIX.
pub(super) fn words() -> ParserOptions {
    ParserOptions {
        sh_mode: false,
        ..dialect()
    }
}

fn parse(text: &str) -> Result<Program, String> {
    Parser::new(text.as_bytes(), &dialect())
        .parse_program()
        .map_err(|error| error.to_string())
}

impl Shell {
    /// Runs a script to its end and returns its exit code.
    pub(crate) async fn run_text(&mut self, text: &str) -> i32 {
        let flow = self.text(text).await;
        self.finish(flow).await
    }

    /// Runs the commands of a text in this shell.
    pub(super) fn text<'a>(&'a mut self, text: &'a str) -> BoxFuture<'a, Flow> {
        async move {
            match parse(text) {
                Ok(program) => {
                    for command in &program.complete_commands {
                        self.list(command).await?;
                    }
                    Ok(self.status)
                }
                Err(reason) => self.syntax_error(&reason).await,
            }
        }
        .boxed()
    }

    async fn syntax_error(&mut self, reason: &str) -> Flow {
        let reason = match reason {
            "syntax error at end of input" => "unexpected end of file",
            other => other,
        };
        self.complain(&format!("syntax error: {reason}")).await;
        self.status = 2;
        Err(Stop::Exit(2))
    }

    /// `sh -s`: the script comes on standard input, and its commands share what the shell has not read of it.
    /// A command that reads standard input may so swallow the rest of the script, as it does for real.
    pub(super) async fn run_input(&mut self) -> i32 {
        let mut text = String::from_utf8_lossy(
            &self
                .fds
                .get(0)
                .cloned()
                .unwrap_or(Fd::Null)
                .read_all()
                .await,
        )
        .into_owned();
        let flow = loop {
            let program = match parse(&text) {
                Ok(program) => program,
                Err(reason) => break self.syntax_error(&reason).await,
            };
            match self.commands_of_input(&text, &program).await {
                Ok(Some(rest)) => text = rest,
                Ok(None) => break Ok(self.status),
                Err(stop) => break Err(stop),
            }
        };
        self.finish(flow).await
    }

    /// Runs the commands of a script on standard input; the text to go on with when one of them has read
    /// from there.
    async fn commands_of_input(
        &mut self,
        text: &str,
        program: &Program,
    ) -> Result<Option<String>, Stop> {
        let starts: Vec<usize> = program
            .complete_commands
            .iter()
            .map(|command| command.location().map_or(0, |span| span.start.index))
            .map(|characters| text.chars().take(characters).map(char::len_utf8).sum())
            .collect();
        for (number, command) in program.complete_commands.iter().enumerate() {
            let next = starts.get(number + 1).copied().filter(|next| *next > 0);
            let end = end_of(text, command, starts[number], next.unwrap_or(text.len()));
            let mut read = end.div_ceil(READ_AHEAD) * READ_AHEAD;
            while read < text.len() && !text.is_char_boundary(read) {
                read += 1;
            }
            let unread = text.get(read..).unwrap_or_default();
            let input = Fd::of(Bytes::copy_from_slice(unread.as_bytes()));
            self.fds.set(0, input.clone());
            self.list(command).await?;
            let left = input.read_all().await;
            if left.len() < unread.len() {
                let mut rest = text[end..read].to_owned();
                rest.push_str(&String::from_utf8_lossy(&left));
                return Ok(Some(rest));
            }
        }
        Ok(None)
    }

    /// The end of a shell: its exit code, after the `EXIT` trap.
    pub(super) async fn finish(&mut self, flow: Flow) -> i32 {
        let code = match flow {
            Ok(code) | Err(Stop::Exit(code) | Stop::Return(code)) => code,
            Err(Stop::Break(_) | Stop::Continue(_)) => 0,
        };
        self.status = code;
        if let Some(trap) = self.traps.remove("EXIT") {
            self.options.errexit = false;
            if let Err(Stop::Exit(code)) = self.text(&trap).await {
                return code;
            }
        }
        code
    }
}

/// Where a command ends that begins at `start`, the line feed after it included; `next` is where the one after
/// it begins, with comments and empty lines in between.
fn end_of(text: &str, command: &CompoundList, start: usize, next: usize) -> usize {
    let slice = &text[start..next];
    // The place that the parser tells leaves the body of a here-document out.
    if slice.contains("<<") {
        return next;
    }
    let told = command.location().map_or(usize::MAX, |span| span.end.index);
    let told: usize = text.chars().take(told).map(char::len_utf8).sum();
    text[told..next].find('\n').map_or(next, |at| told + at + 1)
}
