//! The terminal: the one place that writes. Standard output carries what was asked for, standard error
//! progress and errors, so that the first can be piped.

use std::{
    io::{self, IsTerminal as _, Read, Write},
    time::SystemTime,
};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::Output;

/// Where a command reads and writes.
pub struct Console {
    /// Standard input.
    pub input: Box<dyn Read + Send>,
    /// Standard output.
    pub out: Box<dyn Write + Send>,
    /// Standard error.
    pub err: Box<dyn Write + Send>,
    /// How answers are printed.
    pub output: Output,
    /// Columns of the terminal that standard output is; `None` where it is none.
    pub width: Option<u16>,
    /// Whether standard error is a terminal: lines may be painted over, and colour means something.
    pub is_live: bool,
    /// Whether a person can be asked.
    pub is_interactive: bool,
    /// The time, by which ages are told.
    pub now: fn() -> DateTime<Utc>,
    /// Whether the last line of standard error is a passing one.
    is_passing: bool,
}

impl Console {
    /// That of this process.
    pub fn of_process(output: Output) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        Self {
            width: comfy_table::Table::new()
                .width()
                .filter(|_| out.is_terminal()),
            is_live: err.is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
            is_interactive: io::stdin().is_terminal(),
            ..Self::new(Box::new(io::stdin()), Box::new(out), Box::new(err), output)
        }
    }

    /// One that is no terminal.
    pub fn new(
        input: Box<dyn Read + Send>,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        output: Output,
    ) -> Self {
        Self {
            input,
            out,
            err,
            output,
            width: None,
            is_live: false,
            is_interactive: false,
            now: || SystemTime::now().into(),
            is_passing: false,
        }
    }

    /// A line of the answer.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        self.settle()?;
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Bytes of the answer, as they came.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.settle()?;
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// The answer as it is on the wire, in the form that was asked for; `false` where that is a table, which
    /// the caller draws.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> io::Result<bool> {
        let text = match self.output {
            Output::Table => return Ok(false),
            Output::Json => serde_json::to_string_pretty(value).map_err(io::Error::other)?,
            Output::Yaml => serde_yaml::to_string(value).map_err(io::Error::other)?,
        };
        self.say(text.trim_end())?;
        Ok(true)
    }

    /// One of an endless row of values: a line of JSON, or a document of YAML. `false` for tables.
    pub(crate) fn row(&mut self, value: &impl Serialize) -> io::Result<bool> {
        match self.output {
            Output::Table => Ok(false),
            Output::Json => {
                let line = serde_json::to_string(value).map_err(io::Error::other)?;
                self.say(&line)?;
                Ok(true)
            }
            Output::Yaml => {
                let text = serde_yaml::to_string(value).map_err(io::Error::other)?;
                self.say(&format!("---\n{}", text.trim_end()))?;
                Ok(true)
            }
        }
    }

    /// A line beside the answer.
    pub(crate) fn note(&mut self, line: &str) -> io::Result<()> {
        self.settle()?;
        writeln!(self.err, "{line}")?;
        self.err.flush()
    }

    /// A line that the next one paints over; nothing where that is not possible.
    pub(crate) fn pass_by(&mut self, line: &str) -> io::Result<()> {
        if !self.is_live {
            return Ok(());
        }
        // A line that wraps could not be painted over.
        let room = usize::from(self.width.unwrap_or(80)).saturating_sub(1);
        let line: String = line.chars().take(room).collect();
        write!(self.err, "\r\u{1b}[K{line}")?;
        self.is_passing = true;
        self.err.flush()
    }

    /// Wipes a passing line away, so that what comes next stands on a line of its own.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_passing) {
            write!(self.err, "\r\u{1b}[K")?;
            self.err.flush()?;
        }
        Ok(())
    }

    /// In red, where there are colours.
    pub(crate) fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    /// In green, where there are colours.
    pub(crate) fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.is_live {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
