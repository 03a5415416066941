//! Looking at the container before changing it.

use async_trait::async_trait;
use proxmox::Power;
use saga::{Saga, Step, StepContext, StepError};

use super::power;
use crate::{
    containers::{Found, find_again, look},
    context::Context,
    explain,
    operations::State,
};

/// Finds the app's container, proves it ours, and notes on which node it is and whether it runs.
///
/// *Writes down* the node and whether the container ran. *Recognises* what was noted before a crash, and keeps
/// it: by now a later step may have changed it. *Undo* puts the container back to running or stopped, as it was
/// found; a container that is gone or not ours is left alone.
pub(crate) struct ObserveContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ObserveContainer {
    fn name(&self) -> &'static str {
        "observe_container"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let doing = "looking at the container";
        let failed = |error| StepError::from(explain::proxmox(doing, &error));
        let node = find_again(cx, doing).await?;
        if cx.state.was_running.is_none() {
            let status = cx
                .context
                .cluster
                .container_status(&node, cx.state.vmid()?)
                .await
                .map_err(failed)?;
            cx.state.was_running = Some(status.status == Power::Running);
        }
        Ok(())
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let Some(was_running) = cx.state.was_running else {
            return Ok(());
        };
        let found = look(cx.context, cx.state).await;
        let Found::Ours(node, _) =
            found.map_err(|error| explain::proxmox("looking at the container", &error))?
        else {
            return Ok(());
        };
        cx.state.node = Some(node.to_string());
        if was_running {
            power::start(cx).await
        } else {
            power::stop(cx).await
        }
    }
}
