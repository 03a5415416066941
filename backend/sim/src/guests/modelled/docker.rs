//! The Docker engine of a guest and its command line.

pub(super) mod arguments;
mod chatter;
mod cli;
pub(super) mod container;
mod exec;
pub(super) mod image;
mod info;
mod inspect;
mod known;
mod logs;
pub(super) mod pull;
mod resources;
pub(super) mod run;
mod state;
mod store;
mod visitor;

use std::sync::MutexGuard;

use super::guest::Guest;
use crate::unix::{Call, Done};

pub(super) use cli::main;

pub(super) use logs::{LogQuery, Shown, follow};
pub(super) use state::{Answer, DockerState};
pub(super) use visitor::{Found, Visitor};

/// What the client says when nobody answers on the socket.
pub(super) const NO_DAEMON: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

/// The engine of one guest, as its clients see it.
#[derive(Clone, Copy)]
pub(super) struct Docker<'a> {
    pub(super) guest: &'a Guest,
}

impl<'a> Docker<'a> {
    pub(super) const fn of(guest: &'a Guest) -> Self {
        Self { guest }
    }

    pub(super) fn state(self) -> MutexGuard<'a, DockerState> {
        self.guest.docker()
    }

    /// Nothing but `version` and `info` works without the daemon.
    pub(super) async fn check(self, call: &Call) -> Result<(), i32> {
        if self.state().is_ready() {
            return Ok(());
        }
        call.err(format!("{NO_DAEMON}\n")).await;
        Err(1)
    }

    /// A refusal of the daemon, and the end with this code.
    pub(super) async fn refuse<T>(call: &Call, code: i32, message: &str) -> Result<T, i32> {
        call.err(format!("Error response from daemon: {message}\n"))
            .await;
        Err(code)
    }
}

/// Writes lines to standard output.
pub(super) async fn print(call: &Call, lines: impl IntoIterator<Item = String>) -> Done {
    let text: String = lines.into_iter().map(|line| format!("{line}\n")).collect();
    call.out(text).await?;
    Ok(0)
}
