//! `proximity operations`, `cancel`, `retry` and `abandon`.

use std::io;

use api::{Event, Operation, OperationId, OperationKind, OperationStatus, Started, StepStatus};
use chrono::{DateTime, Utc};
use reqwest::Method;

use super::life;
use crate::{
    Console,
    client::{Client, given},
    error::Error,
    moment::Moment,
    table,
    text::{age, length, words},
    wait,
};

/// Which operations.
#[derive(clap::Args)]
pub struct Arguments {
    /// Show this one with its steps
    id: Option<OperationId>,
    /// Wait until it is at rest, and show its steps as they come
    #[arg(long, requires = "id")]
    wait: bool,
    /// Only those of this app: by its id, or by the name that it had then
    #[arg(long, conflicts_with = "id")]
    app: Option<String>,
    /// Only those of this kind: deploy, start, stop, restart or delete
    #[arg(long, conflicts_with = "id")]
    kind: Option<OperationKind>,
    /// Only those that are queued, running, completed, unwinding, unwound or stuck; several separated by commas
    #[arg(long, value_delimiter = ',', conflicts_with = "id")]
    status: Vec<OperationStatus>,
    /// Only those asked for at this time or later: so long ago (90m, 2h, 7d) or 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    since: Option<Moment>,
    /// Only those asked for before this time, in the same forms
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    until: Option<Moment>,
    /// So many of the last ones
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "id")]
    limit: usize,
}

/// Which operation.
#[derive(clap::Args)]
pub struct Named {
    /// Id of the operation
    id: OperationId,
    /// Wait until it is at rest, and show its steps as they come
    #[arg(long)]
    wait: bool,
}

/// Which operation, and why.
#[derive(clap::Args)]
pub struct Abandon {
    /// Id of the operation
    id: OperationId,
    /// Why nobody will finish it; kept in its history
    #[arg(long)]
    reason: String,
}

/// Lists the operations, or shows one.
pub(crate) async fn run(
    arguments: &Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    match arguments.id {
        Some(id) if arguments.wait => {
            let operation = wait::until_at_rest(client, console, id, None).await?;
            if !console.value(&operation)? {
                draw(console, &operation)?;
            }
            wait::verdict(console, &operation)
        }
        Some(id) => {
            let operation: Operation = client.get(&format!("/operations/{id}")).await?;
            if !console.value(&operation)? {
                draw(console, &operation)?;
                if operation.error.is_some() || operation.status == OperationStatus::Stuck {
                    wait::explain(console, &operation)?;
                }
                // Of what is over its steps are all there is to say, and they have been said.
                if !operation.status.is_over() {
                    wait::advise(console, &operation)?;
                }
            }
            Ok(())
        }
        None => list(arguments, client, console).await,
    }
}

async fn list(arguments: &Arguments, client: &Client, console: &mut Console) -> Result<(), Error> {
    let asked_at = (console.now)();
    let time = |moment: Option<Moment>| moment.map(|moment| moment.at(asked_at).to_rfc3339());
    let statuses: Vec<&str> = arguments
        .status
        .iter()
        .map(|status| status.as_str())
        .collect();
    let statuses = Some(statuses.join(",")).filter(|statuses| !statuses.is_empty());
    let query = [
        ("app", arguments.app.clone()),
        ("kind", arguments.kind.map(|kind| kind.to_string())),
        ("status", statuses),
        ("since", time(arguments.since)),
        ("until", time(arguments.until)),
        ("limit", Some(arguments.limit.clamp(1, 100).to_string())),
    ];
    let query = given(query);
    let operations: Vec<Operation> = client
        .list("/operations", &query, Some(arguments.limit))
        .await?;
    if console.value(&operations)? {
        return Ok(());
    }
    let now = (console.now)();
    let rows = operations.iter().map(|operation| {
        [
            operation.id.to_string(),
            operation.kind.to_string(),
            operation.app.name.clone(),
            operation.status.to_string(),
            operation.requested_by.clone(),
            age(operation.created_at, now),
            taken(operation.started_at, operation.finished_at).unwrap_or_default(),
            operation
                .error
                .as_ref()
                .map(|error| error.code.clone())
                .unwrap_or_default(),
        ]
    });
    let header = [
        "ID", "KIND", "APP", "STATUS", "BY", "ASKED", "TOOK", "ERROR",
    ];
    table::print(console, header, rows, "No operations.")?;
    Ok(())
}

fn draw(console: &mut Console, operation: &Operation) -> io::Result<()> {
    let now = (console.now)();
    let given_up = operation.abandoned.as_ref().map(|abandoned| {
        format!(
            "by {}, {}: {}",
            abandoned.by,
            age(abandoned.at, now),
            abandoned.reason
        )
    });
    table::fields(
        console,
        &[
            ("Id", Some(operation.id.to_string())),
            (
                "Does",
                Some(format!("{} {}", operation.kind, operation.app.name)),
            ),
            ("Status", Some(operation.status.to_string())),
            ("Waits", operation.waiting.clone()),
            (
                "Cancelled",
                operation.cancel_requested.then(|| "asked for".to_owned()),
            ),
            ("Given up", given_up),
            (
                "Asked",
                Some(format!(
                    "by {}, {}",
                    operation.requested_by,
                    age(operation.created_at, now)
                )),
            ),
            ("Took", taken(operation.started_at, operation.finished_at)),
        ],
    )?;
    if operation.steps.is_empty() {
        return Ok(());
    }
    console.say("")?;
    let rows = operation.steps.iter().map(|step| {
        [
            words(&step.name),
            state(step.status).to_owned(),
            taken(step.started_at, step.finished_at).unwrap_or_default(),
        ]
    });
    table::print(console, ["STEP", "STATUS", "TOOK"], rows, "")
}

fn taken(began: Option<DateTime<Utc>>, ended: Option<DateTime<Utc>>) -> Option<String> {
    Some(length(ended? - began?))
}

fn state(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::Running => "running",
        StepStatus::Done => "done",
        StepStatus::Failed => "failed",
        StepStatus::Undone => "undone",
    }
}

/// Cancels an operation. With `wait` it is done when the operation is undone, which is what was asked for.
pub(crate) async fn cancel(
    named: &Named,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let id = named.id;
    let started: Started = client
        .ask(
            Method::POST,
            &format!("/operations/{id}/cancel"),
            None::<&()>,
        )
        .await?;
    if !named.wait {
        return life::finish(started.operation, false, None, client, console).await;
    }
    let operation = wait::until_at_rest(client, console, id, None).await?;
    let is_told = console.value(&Started {
        operation: operation.clone(),
    })?;
    if operation.status != OperationStatus::Unwound {
        // It came too late, or cannot be undone.
        if operation.status != OperationStatus::Completed {
            wait::explain(console, &operation)?;
            wait::advise(console, &operation)?;
        } else if !is_told {
            console.note("it was completed before it could be cancelled")?;
        }
        return Err(Error::Ended(operation.status));
    }
    if !is_told {
        console.say("It is cancelled, and what it did is undone.")?;
    }
    Ok(())
}

/// Tries a stuck operation again.
pub(crate) async fn retry(
    named: &Named,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let id = named.id;
    // What happened before is told already; only what comes is news.
    let query = [("format", "json".to_owned()), ("limit", "1000".to_owned())];
    let before: Vec<Event> = if named.wait {
        client
            .list(&format!("/operations/{id}/events"), &query, None)
            .await?
    } else {
        Vec::new()
    };
    let last = before.last().map(|event| event.id);
    let started: Started = client
        .ask(
            Method::POST,
            &format!("/operations/{id}/retry"),
            None::<&()>,
        )
        .await?;
    life::finish(started.operation, named.wait, last, client, console).await
}

/// Gives a stuck operation up.
pub(crate) async fn abandon(
    arguments: Abandon,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let path = format!("/operations/{}/abandon", arguments.id);
    let wish = api::Abandon {
        reason: arguments.reason,
    };
    let given_up: Started = client.ask(Method::POST, &path, Some(&wish)).await?;
    if !console.value(&given_up)? {
        let app = crate::text::clean(&given_up.operation.app.name);
        console.say(&format!("Given up. {app} is free for the next operation."))?;
        console.note("What may be left on the cluster is yours to look after.")?;
    }
    Ok(())
}
