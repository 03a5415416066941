//! Proximity: an app store for Proxmox VE clusters. One program: the service, a simulated cluster to try it
//! on, and the commands that talk to a running service. The only place where all crates meet.

mod backup;
mod builtin;
mod demo;
mod first_run;
mod logging;
mod serve;
mod settings;
mod simulate;
mod stop;

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::settings::Source;

/// An app store for Proxmox VE clusters.
#[derive(Parser)]
#[command(
    version,
    about,
    max_term_width = 110,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Arguments {
    /// How answers are printed.
    #[arg(long, global = true, value_enum, default_value = "table")]
    output: cli::Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service. Its settings are environment variables; `.env.example` lists them all
    Serve,
    /// Run the service with a simulated cluster inside: nothing is needed, nothing real happens
    Demo(demo::Arguments),
    /// Run a simulated cluster alone, for a service of another process
    Sim(simulate::Arguments),
    /// Bring the database to the version of this program
    Migrate,
    /// Write database, key and catalog into one file, also while the service runs
    Backup(backup::Backup),
    /// Put a backup in place; the service must not run
    Restore(backup::Restore),
    /// Print the version
    Version,
    #[command(flatten)]
    Client(cli::ClientCommand),
}

/// How long threads may take to end after everything else has.
const LAST_CALL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    // ring everywhere: see the workspace manifest.
    let _ = rustls::crypto::ring::default_provider().install_default();
    allow_files();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(arguments));
            // A lookup of a name that hangs in a thread must not hold up the end.
            runtime.shutdown_timeout(LAST_CALL);
            code
        }
        Err(error) => complain(&anyhow::Error::from(error)),
    }
}

/// Lifts the limit of open files as far as the system lets us: each page that is open is one, and the usual 1024 are
/// there for programs that use `select`.
fn allow_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // What is not granted is less room, and no reason not to start.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: maximum,
                maximum,
            },
        );
    }
}

async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Client(command) => return cli::run(command, arguments.output).await,
        Command::Serve => serve::command().await,
        Command::Demo(options) => demo::command(options).await,
        Command::Sim(options) => simulate::command(options).await,
        Command::Migrate => serve::migrate().await,
        Command::Backup(options) => backup::backup(options).await,
        Command::Restore(options) => backup::restore(options).await,
        Command::Version => {
            say(&format!("proximity {}", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// Takes the settings out of the environment; they are read where they are used.
fn source() -> anyhow::Result<Source> {
    // A variable that is no text cannot be a setting of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Source::new(
        variables,
        None::<&PathBuf>.map(PathBuf::as_path),
    )?)
}

/// A line on standard output, for the person who started the program.
fn say(line: &str) {
    // A closed pipe is no reason to stop serving.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The error with its causes, each a clause.
fn complain(error: &anyhow::Error) -> ExitCode {
    let mark = if std::io::stderr().is_terminal() {
        "\u{1b}[31merror:\u{1b}[0m"
    } else {
        "error:"
    };
    let _ = writeln!(std::io::stderr(), "{mark} {error:#}");
    ExitCode::FAILURE
}
