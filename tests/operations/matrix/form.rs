//! The normal form of a simulated cluster: everything that an operation may change, without what changes by
//! itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A cluster as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    /// Containers made through the API, with their whole configuration, by number.
    containers: BTreeMap<u64, Value>,
    /// Guests that exist behind them.
    guests: BTreeSet<u64>,
    /// Virtual machines and containers of other people, byte for byte.
    neighbours: Value,
    locks: Value,
    /// Storages without how full they are, and without templates: those belong to the node and may stay.
    storages: Value,
    /// Nodes without how busy they are.
    nodes: Value,
    running_tasks: Vec<Value>,
}

impl Form {
    /// Of what `GET /sim/state` tells.
    pub(super) fn of(state: &Value) -> Self {
        let rows = |name: &str| state[name].as_array().cloned().unwrap_or_default();
        let number = |row: &Value| row["vmid"].as_u64().expect("a number");
        Self {
            containers: rows("containers")
                .into_iter()
                .map(|row| (number(&row), without(row, &["memory_used", "disk_used"])))
                .collect(),
            guests: rows("guests").iter().map(number).collect(),
            neighbours: state["neighbours"].clone(),
            locks: state["locks"].clone(),
            storages: rows("storages")
                .into_iter()
                .map(|row| without(row, &["used", "templates"]))
                .collect(),
            nodes: rows("nodes")
                .into_iter()
                .map(|row| without(row, &["memory_used", "cpu"]))
                .collect(),
            running_tasks: rows("tasks")
                .into_iter()
                .filter(|task| task["status"] == "running")
                .collect(),
        }
    }

    /// The same without this container.
    pub(super) fn minus(mut self, vmid: u64) -> Self {
        self.containers.remove(&vmid);
        self.guests.remove(&vmid);
        self
    }

    /// The same with this container `running` or `stopped`.
    pub(super) fn with_status(mut self, vmid: u64, status: &str) -> Self {
        if let Some(row) = self.containers.get_mut(&vmid) {
            row["status"] = status.into();
        }
        self
    }

    /// A container.
    pub(super) fn container(&self, vmid: u64) -> Option<&Value> {
        self.containers.get(&vmid)
    }

    /// Numbers of all containers.
    pub(super) fn numbers(&self) -> BTreeSet<u64> {
        self.containers.keys().copied().collect()
    }

    /// What is otherwise here than there; nothing when they are the same.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let (now, before) = (format!("{self:#?}"), format!("{other:#?}"));
        let (now, before): (Vec<&str>, Vec<&str>) =
            (now.lines().collect(), before.lines().collect());
        let more: Vec<&str> = now
            .iter()
            .filter(|line| !before.contains(line))
            .copied()
            .collect();
        let less: Vec<&str> = before
            .iter()
            .filter(|line| !now.contains(line))
            .copied()
            .collect();
        Some(format!(
            "more: {:?}, less: {:?}, containers {:?} instead of {:?}",
            &more[..more.len().min(12)],
            &less[..less.len().min(12)],
            self.numbers(),
            other.numbers(),
        ))
    }
}

fn without(mut row: Value, fields: &[&str]) -> Value {
    if let Some(row) = row.as_object_mut() {
        for field in fields {
            row.remove(*field);
        }
    }
    row
}
