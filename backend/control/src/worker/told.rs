//! The journal of an operation, told to the log as well.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use api::OperationKind;
use async_trait::async_trait;
use saga::{Event, Interrupted, Journal};
use serde_json::Value;
use store::{Lease, OperationJournal};
use tokio_util::sync::CancellationToken;

use super::TARGET;
use crate::{context::Site, operations, probe::Write};

/// A journal that also tells the log: one line a step, with what a person greps for. And that lets go of an operation
/// between two steps when the node that it has just chosen has as many at work as it may have.
pub(super) struct Told {
    journal: OperationJournal,
    lease: Lease,
    site: Arc<Site>,
    let_go: CancellationToken,
    /// Whether the operation has a node and one of its places: by its claim, or by being looked at since.
    is_placed: AtomicBool,
}

impl Told {
    /// The journal of what this lease is for. `let_go` ends its driver.
    pub(super) fn new(site: Arc<Site>, lease: Lease, let_go: CancellationToken) -> Self {
        let plan = operations::plan(lease.kind);
        Self {
            journal: site.store.journal(&lease, plan),
            lease,
            site,
            let_go,
            is_placed: AtomicBool::new(false),
        }
    }

    /// What it is kept in.
    pub(super) fn journal(&self) -> &OperationJournal {
        &self.journal
    }

    /// Once the node is known: its place there is taken, or the operation waits for one without a worker.
    async fn take_place(&self, event: &Event, node: &str) {
        let ends_a_step = matches!(event, Event::Finished { .. });
        if !ends_a_step || node.is_empty() || self.is_placed.swap(true, Ordering::Relaxed) {
            return;
        }
        let limits = self.site.settings.limits;
        match self.site.store.leases().fits(&self.lease, limits).await {
            Ok(true) => {}
            Ok(false) => {
                let line = format!(
                    "waiting for a place: {node} has as many operations at work as it may have"
                );
                self.journal.note(event.step(), &line);
                self.let_go.cancel();
            }
            // One too many for a while, rather than none.
            Err(error) => {
                tracing::warn!(%error, node, "how much is at work on {node} cannot be read");
            }
        }
    }
}

#[async_trait]
impl Journal for Told {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        let write = Write::Event(event.clone());
        if let Some(probe) = &self.site.probe {
            probe.look(&self.lease, &write, false).await;
        }
        self.journal.append(event, state).await?;
        if let Some(probe) = &self.site.probe {
            probe.look(&self.lease, &write, true).await;
        }
        let text = |field: &str| state.get(field).and_then(Value::as_str).unwrap_or_default();
        let (app, node) = (text("name"), text("node"));
        let vmid = state.get("vmid").and_then(Value::as_u64);
        let (operation, kind) = (self.lease.operation, self.lease.kind);
        let (step, what) = (event.step(), event.kind());
        match event {
            Event::Checkpoint { .. } => {
                tracing::debug!(target: TARGET, app, %operation, %kind, step, node, vmid, "{step} {what}");
            }
            Event::Failed { failure, .. } | Event::UndoFailed { failure, .. } => tracing::warn!(
                target: TARGET, app, %operation, %kind, step, node, vmid, code = failure.code, "{step} {what}: {}", failure.message
            ),
            _ => {
                tracing::info!(target: TARGET, app, %operation, %kind, step, node, vmid, "{step} {what}");
            }
        }
        self.take_place(event, node).await;
        Ok(())
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        let (events, state) = self.journal.load().await?;
        // Where its app has a node, the claim has counted it already.
        let has_node = state.get("node").is_some_and(Value::is_string);
        let is_placed = has_node || self.lease.kind != OperationKind::Deploy;
        self.is_placed.store(is_placed, Ordering::Relaxed);
        Ok((events, state))
    }

    fn note(&self, step: &str, line: &str) {
        self.journal.note(step, line);
    }
}
