//! Waiting for an operation: its events as they come, its end as an answer.

use api::{Event, EventKind, Operation, OperationId, OperationStatus};

use crate::{
    Console,
    client::Client,
    error::Error,
    events::{Followed, Follower},
    progress::Progress,
    text::{clean, words},
};

/// Follows an operation until it is at rest, for as long as that takes. `after` is the last event that is not
/// to be told. A lost connection does not end it: the operation goes on without us.
pub(crate) async fn until_at_rest(
    client: &Client,
    console: &mut Console,
    id: OperationId,
    after: Option<i64>,
) -> Result<Operation, Error> {
    let interrupted = async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => {}
            // Without a handler Ctrl-C ends the process as ever.
            Err(_) => std::future::pending().await,
        }
    };
    let followed = tokio::select! {
        done = follow(client, console, id, after) => Some(done),
        () = interrupted => None,
    };
    if let Some(done) = followed {
        return done;
    }
    console.note(&format!(
        "The operation goes on. To follow it again: proximity operations {id} --wait"
    ))?;
    Err(Error::Interrupted)
}

async fn follow(
    client: &Client,
    console: &mut Console,
    id: OperationId,
    after: Option<i64>,
) -> Result<Operation, Error> {
    let mut progress = Progress::default();
    let mut events = Follower::new(client, format!("/operations/{id}/events"), after);
    loop {
        match events.next().await? {
            Followed::Event(event) => {
                progress.tell(console, &event)?;
                if may_be_the_last(&event)
                    && let Some(operation) = at_rest(client, id).await?
                {
                    return Ok(operation);
                }
            }
            Followed::End => {
                if let Some(operation) = at_rest(client, id).await? {
                    return Ok(operation);
                }
                // The service is stopping, or an old end was replayed of an operation that was tried again.
                events.rest().await;
            }
            Followed::Lost(reason) => {
                console.note(&format!("{}; trying again", clean(&reason)))?;
            }
        }
    }
}

fn may_be_the_last(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::OperationFinished | EventKind::OperationAbandoned
    )
}

/// The operation, once it is at rest; `None` also where the service is away for a moment.
async fn at_rest(client: &Client, id: OperationId) -> Result<Option<Operation>, Error> {
    match client.get::<Operation>(&format!("/operations/{id}")).await {
        Ok(operation) => Ok(Some(operation).filter(|operation| operation.status.is_at_rest())),
        Err(Error::Unreachable { .. }) => Ok(None),
        Err(Error::Refused(problem)) if problem.status >= 500 => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says why an operation was not completed, and what to type next.
pub(crate) fn verdict(console: &mut Console, operation: &Operation) -> Result<(), Error> {
    if operation.status == OperationStatus::Completed {
        return Ok(());
    }
    explain(console, operation)?;
    advise(console, operation)?;
    Err(Error::Ended(operation.status))
}

/// The error of an operation, explained.
pub(crate) fn explain(console: &mut Console, operation: &Operation) -> std::io::Result<()> {
    let what = format!("{} of {}", operation.kind, clean(&operation.app.name));
    let mark = console.red("error:");
    match &operation.error {
        Some(error) => {
            let step = error
                .step
                .as_deref()
                .map(|step| format!(" in {}", words(step)))
                .unwrap_or_default();
            console.note(&format!(
                "{mark} {what} failed{step}: {}",
                clean(&error.message)
            ))?;
            console.note(&format!("  ({})", clean(&error.code)))?;
            for line in error.evidence.iter().flat_map(|evidence| evidence.lines()) {
                console.note(&format!("  | {}", clean(line)))?;
            }
            if let Some(hint) = &error.hint {
                console.note(&format!("hint: {}", clean(hint)))?;
            }
        }
        None if operation.cancel_requested => {
            console.note(&format!("{mark} {what} was cancelled"))?;
        }
        None => console.note(&format!("{mark} {what} is {}", operation.status))?,
    }
    Ok(())
}

/// What to type next.
pub(crate) fn advise(console: &mut Console, operation: &Operation) -> std::io::Result<()> {
    console.note(&next(operation))
}

fn next(operation: &Operation) -> String {
    let id = operation.id;
    match operation.status {
        OperationStatus::Unwound => {
            format!("Everything it did is undone. To see its steps: proximity operations {id}")
        }
        OperationStatus::Stuck if operation.abandoned.is_some() => {
            format!("It was given up. To see its steps: proximity operations {id}")
        }
        OperationStatus::Stuck => format!(
            "It can go neither on nor back by itself. To try again: proximity retry {id} --wait\n\
             To give it up: proximity abandon {id} --reason TEXT"
        ),
        _ => format!("To follow it: proximity operations {id} --wait"),
    }
}
