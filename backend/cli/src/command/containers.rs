//! `proximity reconcile` and `proximity adopt`.

use api::{Adopt, AdoptionPlan, Deployed, Discrepancy, Reconciliation};
use reqwest::Method;

use super::life;
use crate::{Console, client::Client, error::Error, size, table, text::clean, wait};

/// Which containers, and whether to wait.
#[derive(clap::Args)]
pub struct Arguments {
    /// Number of the container
    #[arg(required_unless_present = "all")]
    vmid: Option<u32>,
    /// Every container of Proximity that belongs to no app here
    #[arg(long, conflicts_with_all = ["vmid", "node"])]
    all: bool,
    /// The node on which it must be
    #[arg(long)]
    node: Option<String>,
    /// Only print what would be taken back
    #[arg(long, conflicts_with_all = ["all", "wait"])]
    plan: bool,
    /// Wait until it is done, and show its steps
    #[arg(long)]
    wait: bool,
}

/// Compares the cluster with the database and tells what differs.
pub(crate) async fn reconcile(client: &Client, console: &mut Console) -> Result<(), Error> {
    let report = compare(client).await?;
    if console.value(&report)? {
        return Ok(());
    }
    if report.findings.is_empty() {
        console.say("Cluster and database agree.")?;
    }
    for finding in &report.findings {
        draw(finding, console)?;
    }
    Ok(())
}

async fn compare(client: &Client) -> Result<Reconciliation, Error> {
    client
        .ask(Method::POST, "/reconciliation", None::<&()>)
        .await
}

fn draw(finding: &Discrepancy, console: &mut Console) -> Result<(), Error> {
    let name = finding.app.as_deref().map(clean).unwrap_or_default();
    console.say(&format!("{} {name}", finding.kind))?;
    console.say(&format!("  {}", clean(&finding.message)))?;
    console.say(&format!("  {}", clean(&finding.hint)))?;
    Ok(())
}

/// Takes apps back that only their containers remember.
pub(crate) async fn adopt(
    arguments: &Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let Some(vmid) = arguments.vmid else {
        return all(arguments.wait, client, console).await;
    };
    let request = Adopt {
        node: arguments.node.clone(),
    };
    if arguments.plan {
        return plan(vmid, &request, client, console).await;
    }
    let adopted = one(vmid, &request, client).await?;
    life::finish(adopted.operation, arguments.wait, None, client, console).await
}

async fn one(vmid: u32, request: &Adopt, client: &Client) -> Result<Deployed, Error> {
    let path = format!("/containers/{vmid}/adopt");
    client.ask_once(Method::POST, &path, Some(request)).await
}

/// One after another; one that is refused or fails does not keep the others from coming back.
async fn all(wait: bool, client: &Client, console: &mut Console) -> Result<(), Error> {
    let report = compare(client).await?;
    let mut begun: Vec<Deployed> = Vec::new();
    let mut failed = None;
    for finding in report.findings.iter().filter(|one| one.adoptable) {
        let Some(vmid) = finding.vmid else { continue };
        let request = Adopt {
            node: finding.node.clone(),
        };
        match one(vmid, &request, client).await {
            Ok(adopted) => begun.push(adopted),
            Err(error) => {
                console.note(&format!("container {vmid}: {error}"))?;
                failed = Some(error);
            }
        }
    }
    if wait {
        for adopted in &mut begun {
            adopted.operation =
                wait::until_at_rest(client, console, adopted.operation.id, None).await?;
            if !adopted.operation.status.is_over() || adopted.operation.error.is_some() {
                failed = Some(Error::Ended(adopted.operation.status));
            }
        }
    }
    if !console.value(&begun)? {
        let rows = begun.iter().map(|adopted| {
            [
                adopted.app.name.clone(),
                adopted.app.catalog_id.clone(),
                adopted
                    .app
                    .vmid
                    .map(|vmid| vmid.to_string())
                    .unwrap_or_default(),
                adopted.operation.status.to_string(),
                adopted.operation.id.to_string(),
            ]
        });
        let header = ["NAME", "CATALOG", "VMID", "ADOPTION", "OPERATION"];
        table::print(console, header, rows, "There is nothing to adopt.")?;
    }
    failed.map_or(Ok(()), Err)
}

async fn plan(
    vmid: u32,
    request: &Adopt,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let path = format!("/containers/{vmid}/adopt?plan=true");
    let plan: AdoptionPlan = client.ask(Method::POST, &path, Some(request)).await?;
    if console.value(&plan)? {
        return Ok(());
    }
    let entry = if plan.in_catalog {
        plan.catalog_id.clone()
    } else {
        format!("{} (not in the catalog)", plan.catalog_id)
    };
    let created = plan.created_at.map(|time| time.to_rfc3339());
    let power = if plan.running { "runs" } else { "is stopped" };
    table::fields(
        console,
        &[
            ("Name", Some(plan.name.clone())),
            ("Id", Some(plan.app.to_string())),
            ("Catalog", Some(entry)),
            ("Deployed", created),
            (
                "Container",
                Some(format!("{} on {} {power}", plan.vmid, plan.node)),
            ),
            ("Memory", plan.resources.memory.map(size::told)),
            ("Disk", plan.resources.disk.map(size::told)),
        ],
    )?;
    Ok(())
}
