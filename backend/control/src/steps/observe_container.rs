//! Looking at the container before changing it.

use async_trait::async_trait;
use proxmox::Power;
use saga::{Failure, Saga, Step, StepContext, StepError};

use super::power;
use crate::{
    containers::{Found, look},
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
        let node = match look(cx.context, cx.state).await.map_err(failed)? {
            Found::Ours(node, _) => node,
            Found::Foreign(node) => {
                return Err(gone(&format!(
                    "its number is now a guest of somebody else on {node}"
                ))
                .into());
            }
            Found::Creating(_) | Found::Nothing => {
                return Err(gone("the cluster does not know it any more").into());
            }
        };
        if cx.state.was_running.is_none() {
            let status = cx
                .context
                .cluster
                .container_status(&node, cx.state.vmid()?)
                .await
                .map_err(failed)?;
            cx.state.was_running = Some(status.status == Power::Running);
        }
        cx.state.node = Some(node.to_string());
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

fn gone(why: &str) -> Failure {
    Failure::new(
        "container_missing",
        format!("The app's container is gone: {why}."),
    )
    .hint("It was removed outside of Proximity; delete the app here, too.")
}
