//! Stopping the container.

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

/// How long the guest has to shut down by itself before it is stopped hard: OpenRC gives Docker, and Docker
/// gives each container, ten seconds and more.
const GRACE: Duration = Duration::from_mins(1);
const LIMIT: Duration = Duration::from_mins(2);

/// Shuts the container down, hard when it does not go by itself.
///
/// *Writes down* nothing. *Recognises* a container that is stopped. *Undo* leaves it to
/// [`ObserveContainer`](super::ObserveContainer).
pub(crate) struct StopContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for StopContainer {
    fn name(&self) -> &'static str {
        "stop_container"
    }

    fn timeout(&self, _context: &Context) -> Duration {
        LIMIT * 2
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        stop(cx).await
    }
}

pub(super) async fn stop<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
) -> Result<(), StepError> {
    let (cluster, vmid, node) = (&cx.context.cluster, cx.state.vmid()?, cx.state.node()?);
    let doing = "stopping the container";
    let deadline = Instant::now() + LIMIT;
    loop {
        let error = match cluster.container_status(&node, vmid).await {
            Ok(status) if status.status != Power::Running => return Ok(()),
            Ok(_) => match cluster.shutdown_container(&node, vmid, GRACE, true).await {
                Ok(upid) => return follow_task(cx, &upid, doing, LIMIT).await,
                Err(Error::NotRunning) => return Ok(()),
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
