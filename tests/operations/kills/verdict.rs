//! Whether cluster, rows and answers agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

use super::{Tally, hand::Asked};
use crate::world::Actor;

/// What was found at the end.
pub(crate) struct Found {
    /// Operations by how they rest.
    rests: BTreeMap<String, usize>,
    containers: usize,
    problems: Vec<String>,
}

/// Compares everything with everything.
pub(crate) async fn look(actor: &Actor, before: &Value, after: &Value, tally: &Tally) -> Found {
    let operations = all(actor, "/api/v1/operations").await;
    let apps = all(actor, "/api/v1/apps").await;
    let mut found = Found {
        rests: BTreeMap::new(),
        containers: 0,
        problems: Vec::new(),
    };
    found.operations(&operations, &tally.asked);
    found.containers(&apps, after);
    found.rest_of_cluster(before, after);
    found
}

impl Found {
    /// Fails the test unless everything agreed.
    pub(crate) fn must_be_clean(&self, log: &str) {
        if !self.problems.is_empty() {
            eprintln!("--- the program's log\n{log}---");
            panic!(
                "{} problems:\n{}",
                self.problems.len(),
                self.problems.join("\n")
            );
        }
    }

    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(otherwise());
        }
    }

    /// Each operation that was accepted is there once, and rests; none is there that nobody asked for.
    fn operations(&mut self, rows: &[Value], asked: &[Asked]) {
        let by_id: BTreeMap<&str, &Value> = rows.iter().map(|row| (text(row, "id"), row)).collect();
        let wanted: BTreeSet<&str> = asked.iter().map(|asked| &*asked.operation).collect();
        self.must(wanted.len() == asked.len(), || {
            "two requests were answered with one operation".to_owned()
        });
        for id in by_id.keys() {
            self.must(wanted.contains(id), || {
                format!("nobody asked for {id}: a request was done twice")
            });
        }
        for asked in asked {
            let Some(row) = by_id.get(&*asked.operation) else {
                self.problems
                    .push(format!("lost: {} {}", asked.kind, asked.operation));
                continue;
            };
            let status = text(row, "status");
            *self
                .rests
                .entry(format!("{} {status}", asked.kind))
                .or_default() += 1;
            let fits = match status {
                "completed" => true,
                // Nothing goes wrong here but that the service is killed: nothing but a wish takes back.
                "unwound" => asked.cancelled && row["error"]["code"] == "cancelled",
                _ => false,
            };
            self.must(fits && text(row, "kind") == asked.kind, || {
                format!("{} rests badly: {row:#}", asked.kind)
            });
        }
    }

    /// Each app that should have a container has exactly that one, in the state that its row tells.
    fn containers(&mut self, apps: &[Value], after: &Value) {
        let mut there = by_vmid(after);
        self.containers = there.len();
        for app in apps {
            let (name, vmid) = (text(app, "name"), app["vmid"].as_u64().unwrap_or_default());
            let Some(row) = there.remove(&vmid) else {
                self.problems
                    .push(format!("`{name}` has no container: {app:#}"));
                continue;
            };
            let description = text(&row["config"], "description");
            let agrees = text(app, "node") == text(row, "node")
                && text(app, "state") == text(row, "status")
                && description.contains(text(app, "id"));
            self.must(agrees, || format!("`{name}`: {app:#} but {row:#}"));
        }
        for (vmid, row) in there {
            self.problems
                .push(format!("leaked: container {vmid}: {row:#}"));
        }
    }

    /// No task runs, nothing is locked, nobody else's guest has changed.
    fn rest_of_cluster(&mut self, before: &Value, after: &Value) {
        for key in ["locks", "neighbours"] {
            self.must(before[key] == after[key], || {
                format!("{key}: {:#} were {:#}", after[key], before[key])
            });
        }
        let tasks = after["tasks"].as_array().into_iter().flatten();
        for task in tasks.filter(|task| task["status"] == "running") {
            self.problems.push(format!("a task runs on: {task:#}"));
        }
    }
}

/// Deletes what is left and answers in what the cluster differs from how it was. It may differ in its history of
/// tasks and in templates that were fetched, and in nothing else.
pub(crate) async fn emptied(
    actor: &Actor,
    before: &Value,
    after: impl AsyncFn() -> Value,
) -> Vec<String> {
    for app in all(actor, "/api/v1/apps").await {
        actor.done(text(&app, "id"), "delete").await;
    }
    let (before, after) = (disks(before), disks(&after().await));
    ["containers", "guests", "locks", "neighbours", "storages"]
        .into_iter()
        .filter(|key| before[key] != after[key])
        .map(|key| format!("{key}: {:#} were {:#}", after[key], before[key]))
        .collect()
}

/// The state with only those storages that disks of containers may be on.
fn disks(state: &Value) -> Value {
    let mut state = state.clone();
    if let Some(storages) = state["storages"].as_array_mut() {
        storages.retain(|storage| {
            let content = storage["content"].as_array().into_iter().flatten();
            content.into_iter().any(|content| content == "rootdir")
        });
    }
    state
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rests: {:?}; {} containers, each an app's; {} problems",
            self.rests,
            self.containers,
            self.problems.len()
        )
    }
}

/// All rows of a list.
async fn all(actor: &Actor, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = actor.get(&format!("{path}?limit=200{cursor}")).await.body;
        rows.extend(page["items"].as_array().expect("a page").iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn by_vmid(state: &Value) -> BTreeMap<u64, &Value> {
    let rows = state["containers"].as_array().expect("a list");
    rows.iter()
        .map(|row| (row["vmid"].as_u64().expect("a number"), row))
        .collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}
