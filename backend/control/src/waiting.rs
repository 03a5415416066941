//! Why an operation waits, in a sentence.

use std::collections::BTreeMap;

use api::AppId;
use store::{Load, Operation, Parked};

use crate::{Control, Error};

/// What decides whether an operation waits, at one moment.
#[derive(Default)]
pub(crate) struct Waiting {
    parked: Option<Parked>,
    load: Load,
    nodes: BTreeMap<AppId, String>,
}

impl Control {
    /// Why those of `rows` wait that do. Three questions to the database, however many rows there are; none, when none
    /// waits.
    pub(crate) async fn waiting(&self, rows: &[Operation]) -> Result<Waiting, Error> {
        let waits: Vec<AppId> = rows
            .iter()
            .filter(|row| self.waits(row))
            .map(|row| row.app.id)
            .collect();
        if waits.is_empty() {
            return Ok(Waiting::default());
        }
        let store = &self.site.store;
        Ok(Waiting {
            parked: store.parking().now().await?,
            load: store.leases().load().await?,
            nodes: store.leases().nodes_of(&waits).await?,
        })
    }

    /// Whether it could be at work and nobody works on it.
    pub(crate) fn waits(&self, row: &Operation) -> bool {
        let held = row
            .held_until
            .is_some_and(|until| until >= self.site.store.now());
        row.is_live() && !row.status.is_at_rest() && !held
    }

    /// The sentence for one row; `before` is how many wait that were asked for before it, where that is known.
    pub(crate) fn sentence(
        &self,
        waiting: &Waiting,
        row: &Operation,
        before: Option<u64>,
    ) -> Option<String> {
        if !self.waits(row) {
            return None;
        }
        if let Some(Parked { by, reason, .. }) = &waiting.parked {
            return Some(format!("Everything is parked by {by}: {reason}"));
        }
        let settings = &self.site.settings;
        let at_work = |node: &String| waiting.load.by_node.get(node).copied().unwrap_or(0);
        let node = waiting.nodes.get(&row.app.id);
        if let Some(node) = node.filter(|node| at_work(node) >= settings.limits.node) {
            let count = at_work(node);
            return Some(format!(
                "{} at work on {node}, the most that it may have.",
                operations(count)
            ));
        }
        let ahead = match before {
            Some(0) => "; it is the next".to_owned(),
            Some(count) => format!("; {} before it", operations_wait(count)),
            None => String::new(),
        };
        Some(format!(
            "It waits for a worker: {} at work{ahead}.",
            operations(waiting.load.total)
        ))
    }
}

fn operations(count: u64) -> String {
    match count {
        1 => "1 operation is".to_owned(),
        count => format!("{count} operations are"),
    }
}

fn operations_wait(count: u64) -> String {
    match count {
        1 => "1 operation waits".to_owned(),
        count => format!("{count} operations wait"),
    }
}
