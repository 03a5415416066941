//! Starting the container.

use std::time::Duration;

use async_trait::async_trait;
use proxmox::{Error, Power};
use saga::{Saga, Step, StepContext, StepError};
use tokio::time::{Instant, sleep};

use crate::{
    containers::{POLL, follow_task},
    context::Context,
    explain,
    operations::State,
};

/// Longest time for Proxmox to start a container.
const LIMIT: Duration = Duration::from_mins(2);

/// Starts the container and waits for the task.
///
/// *Writes down* nothing. *Recognises* a container that runs. *Undo* leaves it to the step that knows what was
/// before: a new container is destroyed by [`CreateContainer`](super::CreateContainer), an old one is put back
/// by [`ObserveContainer`](super::ObserveContainer).
pub(crate) struct StartContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for StartContainer {
    fn name(&self) -> &'static str {
        "start_container"
    }

    fn timeout(&self, _context: &Context) -> Duration {
        LIMIT * 2
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        start(cx, LIMIT).await
    }
}

/// Brings the container up, looking first and after every answer that leaves the outcome open.
pub(super) async fn start<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    limit: Duration,
) -> Result<(), StepError> {
    let (cluster, vmid, node) = (&cx.context.cluster, cx.state.vmid()?, cx.state.node()?);
    let doing = "starting the container";
    let deadline = Instant::now() + limit;
    loop {
        let error = match cluster.container_status(&node, vmid).await {
            Ok(status) if status.status == Power::Running => return Ok(()),
            Ok(_) => match cluster.start_container(&node, vmid).await {
                Ok(upid) => {
                    return follow_task(cx, &upid, doing, limit)
                        .await
                        .map_err(did_not_start);
                }
                Err(Error::AlreadyRunning) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let passing = matches!(
            error,
            Error::Unknown { .. } | Error::Unreachable { .. } | Error::Locked { .. }
        );
        if !passing || Instant::now() >= deadline {
            return Err(explain::proxmox(doing, &error).into());
        }
        cx.log(format!("{error}; looking again"));
        sleep(POLL).await;
    }
}

fn did_not_start(error: StepError) -> StepError {
    match error {
        StepError::Failed(mut failure) if failure.code == "task_failed" => {
            "container_start_failed".clone_into(&mut failure.code);
            failure.hint("The last lines of the task tell why; `pct start <number> --debug` on the node tells more.").into()
        }
        error => error,
    }
}
