//! The client commands: they call the REST API of a running service and print what it answers.
//!
//! ```text
//! ClientCommand ─► command/… ─► Client ─► REST API
//!                     │
//!                     └──► Console (stdout: what was asked for; stderr: progress and errors)
//! ```
//!
//! Knows the wire types of `api` and nothing else of the service: whatever can be done here can be done by a
//! script. It must not know databases, Proxmox or the catalog's files.

mod client;
mod command;
mod config;
mod console;
mod environment;
mod error;
mod events;
mod moment;
mod parameter;
mod progress;
mod size;
mod sse;
mod table;
mod text;
mod wait;

use std::process::ExitCode;

pub use command::ClientCommand;
pub use console::Console;
pub use environment::Environment;
pub use error::Exit;

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

/// Carries a command out, with the terminal and the environment of this process.
pub async fn run(command: ClientCommand, output: Output) -> ExitCode {
    let mut console = Console::of_process(output);
    run_in(command, &Environment::of_process(), &mut console)
        .await
        .into()
}

/// Carries a command out in given surroundings: what [`run`] does, for tests and for programs that embed it.
pub async fn run_in(
    command: ClientCommand,
    environment: &Environment,
    console: &mut Console,
) -> Exit {
    let done = command::run(command, environment, console).await;
    let settled = console.settle();
    match done.and(settled.map_err(error::Error::from)) {
        Ok(()) => Exit::Done,
        Err(error) => {
            // Where standard error is closed too, the exit code is all that can be told.
            let _ = error.tell(console);
            error.exit()
        }
    }
}
