//! The client commands: they call the REST API and print.

use std::process::ExitCode;

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

/// A command that talks to a running service.
#[derive(clap::Subcommand)]
pub enum ClientCommand {
    /// List the apps
    Apps,
}

/// Carries a command out.
pub async fn run(_command: ClientCommand, _output: Output) -> ExitCode {
    ExitCode::FAILURE
}
