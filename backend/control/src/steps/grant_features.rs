//! Setting the features that the API identity may not set.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;

use crate::{context::Context, failures, hosts::said, operations::State};

/// Sets the container's features by `pct set` on its node, before its first start, where the identity of the API
/// is not root@pam: Proxmox lets nobody else set more than `nesting`.
///
/// *Writes down* nothing. *Recognises* features that are set: setting them again changes nothing. *Undo* has
/// nothing to take back, for the container goes as a whole.
pub(crate) struct GrantFeatures;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for GrantFeatures {
    fn name(&self) -> &'static str {
        "grant_features"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let features = &cx.context.settings.features;
        if cx.context.cluster.identity().may_set_features() || !features.needs_root() {
            return Ok(());
        }
        let (vmid, node) = (cx.state.vmid()?, cx.state.node()?);
        cx.log(format!("setting the features {features} on the node"));
        let command = Command::new([
            "pct",
            "set",
            &vmid.to_string(),
            "--features",
            &features.to_string(),
        ])
        .deadline(cx.context.settings.limit(Duration::from_mins(1)));
        let output = cx
            .context
            .hosts
            .on_node(&node, "setting the container's features", command)
            .await?;
        if output.code == 0 {
            return Ok(());
        }
        let mut failure = Failure::new(
            "features_refused",
            "The node refused to set the container's features.",
        )
        .hint("Set PROXMOX_FEATURES to nesting=1: Docker needs no more on current Proxmox.");
        failure.evidence = failures::last_lines(&said(&output), 6);
        Err(failure.into())
    }
}
