//! What can go wrong in a command, and what the shell is told of it.

use std::{io, process::ExitCode};

use api::{OperationStatus, Problem};

use crate::{Console, text::clean};

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or the reader of the output went away.
    Done,
    /// 1: failed.
    Failed,
    /// 2: what was typed is wrong.
    Usage,
    /// 3: there is no such thing.
    NotFound,
    /// 4: not logged in, or not allowed.
    NotAllowed,
    /// 5: something else is in the way.
    Conflict,
    /// 6: the service does not answer.
    Unreachable,
    /// 130: a person pressed Ctrl-C, as shells write it.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::NotAllowed => 4,
            Exit::Conflict => 5,
            Exit::Unreachable => 6,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command did not do what was asked. None of the texts holds a password or a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What was typed is wrong; the text says how.
    #[error("{0}")]
    Usage(String),
    /// Nobody is logged in at this address.
    #[error(
        "not logged in at {url}; log in with `proximity login --url {url}`, or set PROXIMITY_TOKEN"
    )]
    LoggedOut { url: String },
    /// Logging in did not work.
    #[error("{url} knows no such user, or not by this password")]
    WrongPassword { url: String },
    /// Nobody has told the service where its cluster is.
    #[error("Proximity at {url} is not set up yet; open {url}/setup in a browser")]
    NotSetUp { url: String },
    /// The service said no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// No answer came.
    #[error("the service at {url} does not answer: {reason}")]
    Unreachable { url: String, reason: String },
    /// Something answered, and it was not the service.
    #[error("{url} answers, and not as Proximity does: {reason}")]
    Strange { url: String, reason: String },
    /// An operation came to rest without being completed; what there is to say has been said.
    #[error("the operation is {0}")]
    Ended(OperationStatus),
    /// Some of several were refused or did not complete; each has been told.
    #[error("{failed} of {of} apps: not done")]
    Several { failed: usize, of: usize },
    /// A checked file has errors; they have been printed.
    #[error("the entry cannot be deployed")]
    Unfit,
    /// A person pressed Ctrl-C while waiting; the operation goes on.
    #[error("no longer waiting")]
    Interrupted,
    /// A file of this machine.
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    /// The output.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// What the shell is told.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::LoggedOut { .. } | Self::WrongPassword { .. } => Exit::NotAllowed,
            Self::Refused(problem) => match problem.status {
                400 | 422 => Exit::Usage,
                401 | 403 => Exit::NotAllowed,
                404 => Exit::NotFound,
                409 => Exit::Conflict,
                _ => Exit::Failed,
            },
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Interrupted => Exit::Interrupted,
            Self::Strange { .. }
            | Self::Ended(_)
            | Self::Several { .. }
            | Self::Unfit
            | Self::NotSetUp { .. }
            | Self::File { .. }
            | Self::Output(_) => Exit::Failed,
        }
    }

    /// Says it on standard error, with all that helps.
    pub(crate) fn tell(&self, console: &mut Console) -> io::Result<()> {
        match self {
            // Said already where it was found, or nobody is left to hear it.
            Self::Ended(_) | Self::Unfit | Self::Interrupted => return Ok(()),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            _ => {}
        }
        let mark = console.red("error:");
        console.note(&format!("{mark} {}", clean(&self.to_string())))?;
        let Self::Refused(problem) = self else {
            return Ok(());
        };
        for field in &problem.errors {
            console.note(&format!(
                "  {} {}",
                clean(&field.pointer),
                clean(&field.message)
            ))?;
        }
        if problem.status == 401 {
            console.note("  log in with `proximity login`")?;
        }
        if problem.code == "forbidden" {
            console.note(
                "  use a token that may do this, or log in again: `proximity login` makes one that may do everything",
            )?;
        }
        if problem.request_id.is_empty() {
            return Ok(());
        }
        console.note(&format!(
            "  ({}, request {})",
            clean(&problem.code),
            clean(&problem.request_id)
        ))
    }
}
