//! The commands, a file a noun: what may be typed, what is called, how the answer is told.

mod apps;
mod audit;
mod catalog;
mod containers;
mod deploy;
mod doctor;
mod events;
mod life;
mod login;
mod logs;
mod nodes;
mod operations;
mod park;

use api::OperationKind;

use crate::{Console, Environment, client::Client, error::Error};

/// A command that talks to a running service.
#[derive(clap::Subcommand)]
pub enum ClientCommand {
    /// Log in and keep a token for the other commands
    Login(login::Arguments),
    /// Browse the catalog, or check an entry of your own
    Catalog(catalog::Arguments),
    /// Deploy an app from the catalog
    Deploy(Box<deploy::Arguments>),
    /// List the apps
    Apps,
    /// Show an app
    Show(apps::Named),
    /// Print the logs of an app, as its services wrote them
    Logs(logs::Arguments),
    /// Start a stopped app, or several
    Start(life::Arguments),
    /// Stop a running app and its container, or several
    Stop(life::Arguments),
    /// Stop an app, then start it, or several
    Restart(life::Arguments),
    /// Delete an app with its container and data, or several
    Delete(life::Arguments),
    /// List the operations, or show one
    Operations(operations::Arguments),
    /// Cancel an operation: what it did is undone
    Cancel(operations::Named),
    /// Try a stuck operation again where it is stuck
    Retry(operations::Named),
    /// Give a stuck operation up: its app is free, what may be left on the cluster is yours to look after
    Abandon(operations::Abandon),
    /// Show what the service is doing, and whether it is parked
    Status,
    /// Park every operation where it is: the emergency stop
    Park(park::Arguments),
    /// Let everything that is parked go on
    Resume,
    /// Print what happened last
    Events(events::Arguments),
    /// Tell who did what
    Audit(audit::Arguments),
    /// List the nodes of the cluster, as apps are placed on them
    Nodes,
    /// Compare the cluster with the database, and tell what differs
    Reconcile,
    /// Take an app back that only its container remembers, e.g. after a lost database
    Adopt(containers::Arguments),
    /// Look at everything that a deployment needs: API, privileges, nodes, storages, SSH; fails when something is amiss
    Doctor,
}

/// Carries a command out.
pub(crate) async fn run(
    command: ClientCommand,
    environment: &Environment,
    console: &mut Console,
) -> Result<(), Error> {
    if let ClientCommand::Login(arguments) = command {
        return login::run(arguments, environment, console).await;
    }
    let client = &Client::of(environment)?;
    match command {
        // Done above: it needs no token.
        ClientCommand::Login(_) => Ok(()),
        ClientCommand::Catalog(arguments) => catalog::run(arguments, client, console).await,
        ClientCommand::Deploy(arguments) => deploy::run(*arguments, client, console).await,
        ClientCommand::Apps => apps::list(client, console).await,
        ClientCommand::Show(named) => apps::show(&named, client, console).await,
        ClientCommand::Logs(arguments) => logs::run(&arguments, client, console).await,
        ClientCommand::Start(arguments) => {
            life::run(&arguments, OperationKind::Start, client, console).await
        }
        ClientCommand::Stop(arguments) => {
            life::run(&arguments, OperationKind::Stop, client, console).await
        }
        ClientCommand::Restart(arguments) => {
            life::run(&arguments, OperationKind::Restart, client, console).await
        }
        ClientCommand::Delete(arguments) => {
            life::run(&arguments, OperationKind::Delete, client, console).await
        }
        ClientCommand::Operations(arguments) => operations::run(&arguments, client, console).await,
        ClientCommand::Cancel(named) => operations::cancel(&named, client, console).await,
        ClientCommand::Retry(named) => operations::retry(&named, client, console).await,
        ClientCommand::Abandon(arguments) => operations::abandon(arguments, client, console).await,
        ClientCommand::Status => park::status(client, console).await,
        ClientCommand::Park(arguments) => park::park(arguments, client, console).await,
        ClientCommand::Resume => park::resume(client, console).await,
        ClientCommand::Events(arguments) => events::run(&arguments, client, console).await,
        ClientCommand::Audit(arguments) => audit::run(arguments, client, console).await,
        ClientCommand::Nodes => nodes::list(client, console).await,
        ClientCommand::Reconcile => containers::reconcile(client, console).await,
        ClientCommand::Adopt(arguments) => containers::adopt(&arguments, client, console).await,
        ClientCommand::Doctor => doctor::run(client, console).await,
    }
}
