//! `proximity audit`.

use api::{AuditEntry, AuditOutcome};

use crate::{
    Console,
    client::{Client, given},
    error::Error,
    moment::Moment,
    table,
    text::age,
};

/// Which entries.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only what this user did
    #[arg(long, value_name = "USER")]
    by: Option<String>,
    /// Only this action, as app.deploy, or all with this noun: app, operation, operations, session, token, user, cluster
    #[arg(long)]
    action: Option<String>,
    /// Only what was done with this: an app by its name, an operation by its id, a token by its name
    #[arg(long)]
    target: Option<String>,
    /// Only what was accepted or denied
    #[arg(long)]
    outcome: Option<AuditOutcome>,
    /// Only from this time on: so long ago (90m, 2h, 7d) or 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// So many of the last ones
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Tells who did what.
pub(crate) async fn run(
    arguments: Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let asked_at = (console.now)();
    let time = |moment: Option<Moment>| moment.map(|moment| moment.at(asked_at).to_rfc3339());
    let query = [
        ("principal", arguments.by),
        ("action", arguments.action),
        ("target", arguments.target),
        ("outcome", arguments.outcome.map(|word| word.to_string())),
        ("since", time(arguments.since)),
        ("until", time(arguments.until)),
        ("limit", Some(arguments.limit.clamp(1, 100).to_string())),
    ];
    let query = given(query);
    let entries: Vec<AuditEntry> = client.list("/audit", &query, Some(arguments.limit)).await?;
    if console.value(&entries)? {
        return Ok(());
    }
    let rows = entries.into_iter().map(|entry| {
        [
            age(entry.time, asked_at),
            entry.principal,
            entry.action,
            entry.target,
            entry.outcome.to_string(),
            entry.detail.unwrap_or_default(),
        ]
    });
    let header = ["WHEN", "WHO", "ACTION", "TARGET", "OUTCOME", "DETAIL"];
    table::print(console, header, rows, "Nothing that fits.")?;
    Ok(())
}
