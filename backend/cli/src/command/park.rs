//! `proximity status`, `park` and `resume`.

use api::{Park, Status};
use reqwest::Method;

use crate::{
    Console,
    client::Client,
    error::Error,
    table,
    text::{age, clean},
};

/// Why everything has to stop.
#[derive(clap::Args)]
pub struct Arguments {
    /// Why; shown to everybody until it is resumed
    #[arg(required = true, num_args = 1..)]
    reason: Vec<String>,
}

/// Shows what the service is doing.
pub(crate) async fn status(client: &Client, console: &mut Console) -> Result<(), Error> {
    let status: Status = client.get("/status").await?;
    draw(&status, console)
}

/// Parks everything.
pub(crate) async fn park(
    arguments: Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let wish = Park {
        reason: arguments.reason.join(" "),
    };
    let status: Status = client.ask(Method::POST, "/park", Some(&wish)).await?;
    draw(&status, console)
}

/// Lets everything go on.
pub(crate) async fn resume(client: &Client, console: &mut Console) -> Result<(), Error> {
    let status: Status = client.ask(Method::POST, "/resume", None::<&()>).await?;
    draw(&status, console)
}

fn draw(status: &Status, console: &mut Console) -> Result<(), Error> {
    if console.value(status)? {
        return Ok(());
    }
    let now = (console.now)();
    let parked = status.parked.as_ref().map(|parked| {
        format!(
            "by {}, {}: {}",
            clean(&parked.by),
            age(parked.at, now),
            clean(&parked.reason)
        )
    });
    let it = &status.operations;
    table::fields(
        console,
        &[
            ("Version", Some(status.version.clone())),
            ("Parked", Some(parked.unwrap_or_else(|| "no".to_owned()))),
            ("At work", Some(it.at_work.to_string())),
            ("Queued", Some(it.queued.to_string())),
            ("Running", Some(it.running.to_string())),
            ("Unwinding", Some(it.unwinding.to_string())),
            ("Stuck", Some(it.stuck.to_string())),
        ],
    )?;
    Ok(())
}
