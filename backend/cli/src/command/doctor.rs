//! `proximity doctor`.

use api::{Check, CheckState, Checkup};
use reqwest::Method;

use crate::{Console, client::Client, error::Error, table, text::clean};

/// Looks at everything that a deployment needs, and fails when something of it does not work.
pub(crate) async fn run(client: &Client, console: &mut Console) -> Result<(), Error> {
    let checkup: Checkup = client.ask(Method::GET, "/doctor", None::<&()>).await?;
    if !console.value(&checkup)? {
        show(&checkup, console)?;
    }
    match checkup.state {
        CheckState::Failed => Err(Error::Unfit),
        _ => Ok(()),
    }
}

fn show(checkup: &Checkup, console: &mut Console) -> Result<(), Error> {
    let rows = checkup.checks.iter().map(|check| {
        [
            check.state.to_string(),
            check.node.clone().unwrap_or_default(),
            check.name.clone(),
            check.message.clone(),
        ]
    });
    let header = ["STATE", "NODE", "CHECK", "FINDING"];
    table::print(console, header, rows, "There is nothing to look at.")?;
    // What is well needs no proof.
    let bad = |check: &&Check| check.state > CheckState::Skipped;
    for check in checkup.checks.iter().filter(bad) {
        explain(check, console)?;
    }
    let count = |state| {
        checkup
            .checks
            .iter()
            .filter(|check| check.state == state)
            .count()
    };
    let all = checkup.checks.len();
    console.note(
        &match (count(CheckState::Failed), count(CheckState::Warning)) {
            (0, 0) => "Everything that a deployment needs is there.".to_owned(),
            (0, some) => format!("Deployments work; {some} of {all} findings are warnings."),
            (some, _) => format!(
                "{some} of {all} findings are failures: deployments that meet them will fail."
            ),
        },
    )?;
    Ok(())
}

/// What was seen, and what can be done.
fn explain(check: &Check, console: &mut Console) -> Result<(), Error> {
    let place = check
        .node
        .as_ref()
        .map_or_else(String::new, |node| format!(" on {node}"));
    console.say("")?;
    console.say(&clean(&format!("{}{place}: {}", check.name, check.message)))?;
    for line in &check.evidence {
        console.say(&format!("    {}", clean(line)))?;
    }
    if let Some(hint) = &check.hint {
        console.say(&format!("  → {}", clean(hint)))?;
    }
    Ok(())
}
