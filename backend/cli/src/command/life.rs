//! `proximity start`, `stop`, `restart` and `delete`.

use api::{Operation, OperationKind, Started};
use reqwest::Method;

use crate::{
    Console,
    client::{Client, segment},
    error::Error,
    text::clean,
    wait,
};

/// Which app, and whether to wait.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name or id of the app
    name: String,
    /// Wait until it is done, and show its steps
    #[arg(long)]
    wait: bool,
}

/// Starts an operation on an app.
pub(crate) async fn run(
    arguments: &Arguments,
    kind: OperationKind,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let app = segment(&arguments.name)?;
    let (method, path) = match kind {
        OperationKind::Delete => (Method::DELETE, format!("/apps/{app}")),
        _ => (Method::POST, format!("/apps/{app}/{kind}")),
    };
    let started: Started = client.ask_once(method, &path, None::<&()>).await?;
    finish(started.operation, arguments.wait, None, client, console).await
}

/// Tells that an operation is under way, or with `wait` how it ended.
pub(crate) async fn finish(
    operation: Operation,
    wait: bool,
    after: Option<i64>,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    if !wait {
        if !console.value(&Started {
            operation: operation.clone(),
        })? {
            console.say(&format!(
                "{} of {} is {}: operation {}",
                operation.kind,
                clean(&operation.app.name),
                operation.status,
                operation.id
            ))?;
            console.note(&format!(
                "To follow it: proximity operations {} --wait",
                operation.id
            ))?;
        }
        return Ok(());
    }
    let operation = wait::until_at_rest(client, console, operation.id, after).await?;
    let is_told = console.value(&Started {
        operation: operation.clone(),
    })?;
    wait::verdict(console, &operation)?;
    if !is_told {
        console.say(&format!(
            "{} of {} is completed",
            operation.kind,
            clean(&operation.app.name)
        ))?;
    }
    Ok(())
}
