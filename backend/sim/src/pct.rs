//! `pct` on a node, run against the model as `root@pam`: everything but `exec` and `push`, which are the
//! guests' business.
//!
//! It knows only the containers of its own node, runs tasks in the foreground and talks as the real one:
//! a task's log on standard output, an error on standard error, 255 for a failure and 2 where the
//! configuration file is missing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::missing_config;
use crate::params::Params;
use crate::schema::container::{CHANGE, OPTIONS};
use crate::schema::{self, Kind, Parameter, calls};
use crate::work::Caller;

/// What a run of `pct` leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PctOutput {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl PctOutput {
    fn printed(stdout: String) -> Self {
        Self {
            stdout,
            ..Self::default()
        }
    }

    fn died(code: i32, text: &str) -> Self {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        Self {
            code,
            stderr: format!("{text}{end}"),
            ..Self::default()
        }
    }
}

type Tables = &'static [&'static [Parameter]];

#[rustfmt::skip] // one line a command: this is a table
const COMMANDS: &[(&str, Tables)] = &[
    ("config", &[calls::READ_CONFIG]),
    ("destroy", &[calls::DELETE]),
    ("list", &[calls::ON_NODE]),
    ("reboot", &[calls::REBOOT]),
    ("set", &[CHANGE, OPTIONS]),
    ("shutdown", &[calls::SHUTDOWN]),
    ("start", &[calls::START]),
    ("status", &[calls::ON_GUEST]),
    ("stop", &[calls::STOP]),
    ("unlock", &[calls::ON_GUEST]),
];

/// Runs `pct` on a node; `argv` is what follows the word `pct`.
pub async fn run(cluster: &Cluster, node: &str, argv: &[String]) -> PctOutput {
    let Some((command, rest)) = argv.split_first() else {
        return PctOutput::died(
            255,
            "ERROR: no command specified\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]",
        );
    };
    let Some((_, tables)) = COMMANDS.iter().find(|(name, _)| name == command) else {
        return PctOutput::died(
            255,
            &format!(
                "ERROR: unknown command 'pct {command}'\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]"
            ),
        );
    };
    let params = match parse(command, tables, node, rest) {
        Ok(params) => params,
        Err(text) => return PctOutput::died(255, &text),
    };
    cluster.refresh().await;
    match perform(cluster, command, &params).await {
        Ok(output) => output,
        Err(failure) => {
            let missing = params
                .text("vmid")
                .is_some_and(|_| failure.text == missing_config(node, params.vmid()));
            PctOutput::died(if missing { 2 } else { 255 }, &failure.to_string())
        }
    }
}

/// The arguments as checked parameters, or what `pct` prints about them.
fn parse(command: &str, tables: Tables, node: &str, rest: &[String]) -> Result<Params, String> {
    let takes_guest = command != "list";
    let usage = if takes_guest {
        format!("pct {command} <vmid> [OPTIONS]")
    } else {
        format!("pct {command}")
    };
    let mut given = BTreeMap::from([("node".to_owned(), node.to_owned())]);
    let mut words = rest.iter().peekable();
    let mut positional = Vec::new();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            positional.push(word.clone());
            continue;
        };
        if option.is_empty() {
            positional.extend(words.by_ref().cloned());
            break;
        }
        let (name, attached) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        let kind = schema::find(tables, name)
            .filter(|_| !["node", "vmid"].contains(&name))
            .map(|parameter| parameter.kind)
            .ok_or_else(|| {
                format!("Unknown option: {name}\n400 unable to parse option\n{usage}")
            })?;
        let value = match (attached, kind) {
            (Some(value), _) => value,
            // A boolean may stand alone.
            (None, Kind::Boolean) => words
                .next_if(|next| crate::property::truth(next).is_some())
                .map_or_else(|| "1".to_owned(), Clone::clone),
            (None, _) => words.next().cloned().ok_or_else(|| {
                format!("Option {name} requires an argument\n400 unable to parse option\n{usage}")
            })?,
        };
        given.insert(name.to_owned(), value);
    }
    let wanted = usize::from(takes_guest);
    if positional.len() < wanted {
        return Err(format!("400 not enough arguments\n{usage}"));
    }
    if positional.len() > wanted {
        return Err(format!("400 too many arguments\n{usage}"));
    }
    if let Some(vmid) = positional.pop() {
        given.insert("vmid".to_owned(), vmid);
    }
    schema::check(tables, given).map_err(|failure| format!("{failure}\n{usage}"))
}

async fn perform(cluster: &Cluster, command: &str, params: &Params) -> Result<PctOutput, Failure> {
    let (caller, node) = (Caller::root(), params.node());
    if command == "list" {
        return Ok(list(cluster, node));
    }
    let vmid = params.vmid();
    let timeout = params.integer("timeout").unwrap_or(60);
    let upid = match command {
        "status" => {
            let status = cluster.model().container(node, vmid)?.status();
            return Ok(PctOutput::printed(format!("status: {status}\n")));
        }
        "config" => return config(cluster, params),
        "unlock" => {
            cluster.model().container_mut(node, vmid)?.lock = None;
            return Ok(PctOutput::default());
        }
        "set" => {
            cluster.configure(&caller, params).await?;
            return Ok(PctOutput::default());
        }
        "start" => cluster.start_container(&caller, node, vmid, params.flag("skiplock"))?,
        "stop" => cluster.stop_container(&caller, node, vmid, params.flag("skiplock"))?,
        "shutdown" => {
            let force = params.flag("forceStop");
            cluster.shutdown_container(&caller, node, vmid, timeout, force)?
        }
        "reboot" => cluster.reboot_container(&caller, node, vmid, timeout)?,
        _ => {
            let (force, purge) = (params.flag("force"), params.flag("purge"));
            cluster.destroy_container(&caller, node, vmid, force, purge)?
        }
    };
    Ok(foreground(cluster, &upid).await)
}

/// Waits for a task and shows it as if it had run in the foreground.
async fn foreground(cluster: &Cluster, upid: &str) -> PctOutput {
    let Some(task) = cluster.finished(upid).await else {
        return PctOutput::died(255, "unexpected status");
    };
    let mut output = PctOutput::default();
    for line in &task.log {
        if line != "TASK OK" && !line.starts_with("TASK ERROR: ") {
            let _ = writeln!(output.stdout, "{line}");
        }
    }
    if !task.is_ok() {
        output.code = 255;
        output.stderr = format!("{}\n", task.exit.unwrap_or_default());
    }
    output
}

fn list(cluster: &Cluster, node: &str) -> PctOutput {
    let model = cluster.model();
    let mut text = String::new();
    let mut line = |vmid: &str, status: &str, lock: &str, name: &str| {
        let _ = writeln!(text, "{vmid:<10} {status:<10} {lock:<12} {name:<20}");
    };
    let own: Vec<_> = model
        .containers
        .values()
        .filter(|container| container.node == node)
        .collect();
    // Without containers there is not even a heading.
    if !own.is_empty() {
        line("VMID", "Status", "Lock", "Name");
    }
    for container in own {
        line(
            &container.vmid.to_string(),
            container.status(),
            container.lock.as_deref().unwrap_or_default(),
            &container.name(),
        );
    }
    PctOutput::printed(text)
}

fn config(cluster: &Cluster, params: &Params) -> Result<PctOutput, Failure> {
    let model = cluster.model();
    let container = model.container(params.node(), params.vmid())?;
    let shown = container.config_json(params.flag("current"), true);
    let mut text = String::new();
    for (key, value) in shown.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        match key.as_str() {
            "digest" => {}
            "description" => {
                let _ = writeln!(text, "{key}: {}", encode(value));
            }
            _ => {
                let _ = writeln!(text, "{key}: {value}");
            }
        }
    }
    Ok(PctOutput::printed(text))
}

/// Text on one line: control characters, `%` and `:` percent-encoded.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || "%:".contains(letter) {
            let _ = write!(encoded, "%{:02X}", u32::from(letter));
        } else {
            encoded.push(letter);
        }
    }
    encoded
}
