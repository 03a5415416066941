//! `proximity start`, `stop`, `restart` and `delete`.

use api::{Bulk, BulkItem, BulkStarted, Operation, OperationKind, OperationStatus, Started};
use reqwest::Method;

use crate::{
    Console,
    client::{Client, segment},
    error::Error,
    table,
    text::clean,
    wait,
};

/// Which apps, and whether to wait.
#[derive(clap::Args)]
pub struct Arguments {
    /// Names or ids of the apps
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Wait until it is done, and show its steps
    #[arg(long)]
    wait: bool,
}

/// Starts an operation on an app, or one on each of several.
pub(crate) async fn run(
    arguments: &Arguments,
    kind: OperationKind,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let [name] = arguments.names.as_slice() else {
        return bulk(&arguments.names, kind, arguments.wait, client, console).await;
    };
    let app = segment(name)?;
    let (method, path) = match kind {
        OperationKind::Delete => (Method::DELETE, format!("/apps/{app}")),
        _ => (Method::POST, format!("/apps/{app}/{kind}")),
    };
    let started: Started = client.ask_once(method, &path, None::<&()>).await?;
    finish(started.operation, arguments.wait, None, client, console).await
}

async fn bulk(
    names: &[String],
    kind: OperationKind,
    wait: bool,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let request = Bulk {
        kind,
        apps: names.to_vec(),
    };
    let mut begun: BulkStarted = client
        .ask_once(Method::POST, "/operations", Some(&request))
        .await?;
    if wait {
        // They run beside each other; each is told when its turn to be waited for comes.
        for item in &mut begun.items {
            if let Some(operation) = &mut item.operation {
                *operation = wait::until_at_rest(client, console, operation.id, None).await?;
            }
        }
    }
    if !console.value(&begun)? {
        let rows = begun.items.iter().map(row);
        table::print(console, ["APP", "STATE", "OPERATION"], rows, "")?;
    }
    let failed = begun.items.iter().filter(|item| !is_well(item)).count();
    if failed > 0 {
        return Err(Error::Several {
            failed,
            of: begun.items.len(),
        });
    }
    Ok(())
}

fn row(item: &BulkItem) -> [String; 3] {
    match (&item.operation, &item.refusal) {
        (Some(operation), _) => [
            item.app.clone(),
            operation.status.to_string(),
            operation.id.to_string(),
        ],
        (None, refusal) => {
            let why = refusal.as_ref().map(|refusal| refusal.message.clone());
            [
                item.app.clone(),
                "refused".to_owned(),
                why.unwrap_or_default(),
            ]
        }
    }
}

/// Under way or completed.
fn is_well(item: &BulkItem) -> bool {
    let ended_badly = [OperationStatus::Unwound, OperationStatus::Stuck];
    item.operation
        .as_ref()
        .is_some_and(|operation| !ended_badly.contains(&operation.status))
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
