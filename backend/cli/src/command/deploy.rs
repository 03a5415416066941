//! `proximity deploy`.

use std::{fs, io::Read as _, net::IpAddr, path::Path};

use api::{Deploy, Deployed, Network, Plan, Resources};
use reqwest::Method;
use serde_json::{Map, Value};

use super::{
    apps::{self, resources, some},
    catalog,
};
use crate::{
    Console,
    client::Client,
    error::Error,
    parameter::{self, Typed, pair},
    size, table,
    text::{clean, words},
    wait,
};

/// Largest value of a parameter.
const LARGEST: u64 = 1 << 20;

/// What may be typed.
#[derive(clap::Args)]
pub struct Arguments {
    /// Id of the catalog entry
    id: String,
    /// Name of the app [default: the id, numbered when taken]
    #[arg(long)]
    name: Option<String>,
    /// Set a parameter; others on this machine can read it while this runs, so give secrets by --set-file
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Set a parameter to the content of a file, or of standard input where the path is -
    #[arg(long, value_name = "KEY=PATH", value_parser = pair)]
    set_file: Vec<(String, String)>,
    /// Node to deploy on [default: chosen by Proximity]
    #[arg(long)]
    node: Option<String>,
    /// Print what would happen and why there, and do nothing
    #[arg(long, conflicts_with = "wait")]
    plan: bool,
    /// Wait until it is done, and show its steps
    #[arg(long)]
    wait: bool,
    /// CPU cores
    #[arg(long)]
    cores: Option<u32>,
    /// Memory, such as 512MiB
    #[arg(long, value_parser = size::parse)]
    memory: Option<u64>,
    /// Swap, such as 512MiB
    #[arg(long, value_parser = size::parse)]
    swap: Option<u64>,
    /// Root file system, such as 8GiB
    #[arg(long, value_parser = size::parse)]
    disk: Option<u64>,
    /// Static address with its prefix, such as 192.168.1.50/24 [default: DHCP]
    #[arg(long)]
    address: Option<String>,
    /// Gateway of a static address
    #[arg(long, requires = "address")]
    gateway: Option<IpAddr>,
    /// Name server; may be given several times
    #[arg(long)]
    nameserver: Vec<IpAddr>,
    /// Bridge of the node
    #[arg(long)]
    bridge: Option<String>,
    /// VLAN tag
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4094))]
    vlan: Option<u16>,
}

/// Deploys an app, or tells what that would do.
pub(crate) async fn run(
    arguments: Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let (is_plan, is_waited_for) = (arguments.plan, arguments.wait);
    let request = request(arguments, client, console).await?;
    if is_plan {
        let plan: Plan = client
            .ask(Method::POST, "/apps?plan=true", Some(&request))
            .await?;
        if !console.value(&plan)? {
            draw(console, &plan)?;
        }
        return if plan.node.is_some() {
            Ok(())
        } else {
            Err(Error::Unfit)
        };
    }
    let deployed: Deployed = client
        .ask_once(Method::POST, "/apps", Some(&request))
        .await?;
    if is_waited_for {
        return finish(deployed, client, console).await;
    }
    if !console.value(&deployed)? {
        let Deployed { app, operation } = deployed;
        console.say(&format!(
            "{} is being deployed: operation {}",
            clean(&app.name),
            operation.id
        ))?;
        console.note(&format!(
            "To follow it: proximity operations {} --wait",
            operation.id
        ))?;
    }
    Ok(())
}

async fn request(
    arguments: Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<Deploy, Error> {
    let parameters = parameters(&arguments, client, console).await?;
    Ok(Deploy {
        catalog_id: arguments.id,
        name: arguments.name,
        parameters,
        node: arguments.node,
        resources: Resources {
            cores: arguments.cores,
            memory: arguments.memory,
            swap: arguments.swap,
            disk: arguments.disk,
        },
        network: Network {
            bridge: arguments.bridge,
            vlan: arguments.vlan,
            address: arguments.address,
            gateway: arguments.gateway,
            nameservers: arguments.nameserver,
        },
    })
}

async fn parameters(
    arguments: &Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<Map<String, Value>, Error> {
    if arguments.set.is_empty() && arguments.set_file.is_empty() {
        return Ok(Map::new());
    }
    let known = catalog::get(client, &arguments.id).await?.parameters;
    let mut typed: Vec<_> = arguments
        .set
        .iter()
        .map(|(key, value)| Typed {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    for (key, path) in &arguments.set_file {
        let mut value = content(Path::new(path), console)?;
        let kind = known
            .iter()
            .find(|parameter| parameter.name == *key)
            .map(|parameter| parameter.kind.as_str());
        // Editors end files with a line break that no password has; a text is taken as it is.
        if kind != Some("text") {
            value.truncate(value.trim_end_matches(['\r', '\n']).len());
        }
        typed.push(Typed {
            key: key.clone(),
            value,
        });
    }
    parameter::values(typed, &known)
}

fn content(path: &Path, console: &mut Console) -> Result<String, Error> {
    let failed = |source| Error::File {
        path: path.display().to_string(),
        source,
    };
    let mut value = String::new();
    if path == Path::new("-") {
        (&mut console.input)
            .take(LARGEST + 1)
            .read_to_string(&mut value)
            .map_err(failed)?;
    } else {
        fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut value))
            .map_err(failed)?;
    }
    if u64::try_from(value.len()).is_ok_and(|size| size > LARGEST) {
        return Err(Error::Usage(format!(
            "{} is too large for a parameter",
            path.display()
        )));
    }
    Ok(value)
}

/// Waits, and tells where the app is found.
async fn finish(deployed: Deployed, client: &Client, console: &mut Console) -> Result<(), Error> {
    console.note(&format!(
        "{}: operation {}",
        clean(&deployed.app.name),
        deployed.operation.id
    ))?;
    let operation = wait::until_at_rest(client, console, deployed.operation.id, None).await?;
    let id = deployed.app.id.to_string();
    // After a failed deployment there is no app any more; it is told as it was.
    let app = match apps::get(client, &id).await {
        Ok(app) => app,
        Err(Error::Refused(problem)) if problem.status == 404 => deployed.app,
        Err(error) => {
            wait::verdict(console, &operation)?;
            return Err(error);
        }
    };
    let deployed = Deployed { app, operation };
    let is_told = console.value(&deployed)?;
    let Deployed { app, operation } = deployed;
    wait::verdict(console, &operation)?;
    if is_told {
        return Ok(());
    }
    console.say(&format!("{} is {}", clean(&app.name), app.state))?;
    for endpoint in &app.endpoints {
        console.say(&format!(
            "  {}  {}",
            clean(&endpoint.url),
            clean(&endpoint.name)
        ))?;
    }
    Ok(())
}

fn draw(console: &mut Console, plan: &Plan) -> std::io::Result<()> {
    let template = plan.template.as_ref().map(|template| {
        let note = if plan.template_download {
            " (to be downloaded)"
        } else {
            ""
        };
        format!("{template}{note}")
    });
    let urls: Vec<_> = plan
        .endpoints
        .iter()
        .map(|endpoint| format!("{} ({})", endpoint.url, endpoint.name))
        .collect();
    table::fields(
        console,
        &[
            ("Name", Some(plan.name.clone())),
            ("App", Some(plan.catalog_id.clone())),
            (
                "Node",
                Some(plan.node.clone().unwrap_or_else(|| "none fits".to_owned())),
            ),
            ("Because", Some(plan.reason.clone())),
            ("Container", plan.vmid.map(|vmid| vmid.to_string())),
            ("Storage", plan.storage.clone()),
            ("Template", template),
            (
                "Network",
                Some(format!("{} on {}", plan.address, plan.bridge)),
            ),
            ("Resources", resources(&plan.resources)),
            ("Images", some(&plan.images)),
            ("URL", some(&urls)),
        ],
    )?;
    console.say("")?;
    let nodes = plan.candidates.iter().map(|candidate| {
        [
            candidate.node.clone(),
            if candidate.fits { "yes" } else { "no" }.to_owned(),
            candidate
                .score
                .map(|score| format!("{score:.2}"))
                .unwrap_or_default(),
            candidate.reason.clone(),
        ]
    });
    table::print(
        console,
        ["NODE", "FITS", "SCORE", "BECAUSE"],
        nodes,
        "The cluster has no nodes.",
    )?;
    console.say("")?;
    let steps = plan.steps.iter().map(|step| {
        [
            words(&step.name),
            step.expected_seconds.map(about).unwrap_or_default(),
            step.description.clone(),
        ]
    });
    table::print(console, ["STEP", "TAKES", "WHAT IT DOES"], steps, "")?;
    let expected: Vec<f64> = { plan.steps.iter() }
        .filter_map(|step| step.expected_seconds)
        .collect();
    if expected.is_empty() {
        return Ok(());
    }
    console.say("")?;
    let whole = about(expected.iter().sum());
    console.say(&format!(
        "Expected to take {whole}, as earlier deployments did."
    ))
}

/// Seconds, as exactly as an estimate is.
fn about(seconds: f64) -> String {
    if seconds < 1.0 {
        "under 1 s".to_owned()
    } else if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    }
}
