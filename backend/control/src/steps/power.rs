//! Bringing a container up or down: one loop for both ways.

use std::time::Duration;

use proxmox::{Error, NodeName, Power, Upid, Vmid};
use saga::{Saga, StepContext, StepError};
use tokio::time::{Instant, sleep};

use crate::{
    containers::{POLL, find_again, follow_task, running_task},
    context::Context,
    explain,
    operations::State,
};

/// How long the guest has to shut down by itself before it is stopped hard: OpenRC gives Docker, and Docker
/// gives each container, ten seconds and more.
const GRACE: Duration = Duration::from_mins(1);
/// After a lost answer: how long a shutdown may take to show itself. pveproxy gives up on the node after 30 s.
const SETTLE: Duration = Duration::from_secs(20);
/// Longest time for either way.
pub(super) const LIMIT: Duration = Duration::from_mins(2);

/// Brings the container up.
pub(super) async fn start<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
) -> Result<(), StepError> {
    reach(cx, Power::Running, "starting the container")
        .await
        .map_err(did_not_start)
}

/// Shuts the container down, hard when it does not go by itself.
pub(super) async fn stop<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
) -> Result<(), StepError> {
    reach(cx, Power::Stopped, "stopping the container").await
}

/// Looks first, and again after every answer that leaves the outcome open.
async fn reach<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
    wanted: Power,
    doing: &str,
) -> Result<(), StepError> {
    let (vmid, mut node) = (cx.state.vmid()?, cx.state.node()?);
    let settings = &cx.context.settings;
    let deadline = Instant::now() + settings.limit(LIMIT);
    loop {
        let error = match now(cx, wanted, &node, vmid).await {
            Ok(now) if now == wanted => return Ok(()),
            Ok(_) => match ask(cx.context, wanted, &node, vmid).await {
                Ok(upid) => return follow_task(cx, &upid, doing, LIMIT).await,
                // Between the look and the call it came to be so by itself.
                Err(Error::AlreadyRunning) if wanted == Power::Running => return Ok(()),
                Err(Error::NotRunning) if wanted == Power::Stopped => return Ok(()),
                Err(error) => {
                    let may_come = matches!(error, Error::Unknown { .. });
                    if may_come && wanted == Power::Stopped && stops(cx, &node, vmid).await {
                        return Ok(());
                    }
                    error
                }
            },
            Err(error) => error,
        };
        if matches!(error, Error::NotFound { .. }) {
            // Moved between two calls: it is where its proof is, or it is gone.
            let before = std::mem::replace(&mut node, find_again(cx, doing).await?);
            if node != before {
                cx.log(format!("the container is on {node} now"));
                continue;
            }
        }
        let passing = matches!(
            error,
            Error::Unknown { .. } | Error::Unreachable { .. } | Error::Locked { .. }
        );
        if !passing || Instant::now() >= deadline {
            return Err(explain::proxmox(doing, &error).into());
        }
        cx.log(format!("{error}; looking again"));
        sleep(settings.pause(POLL)).await;
    }
}

/// Whether a shutdown whose answer was lost shows itself in time. Asked for once more at once, the first could
/// still come, and end what is started after the second. (A start that comes late finds the container running.)
async fn stops<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    node: &NodeName,
    vmid: Vmid,
) -> bool {
    cx.log("the answer was lost; looking whether the container stops");
    let settings = &cx.context.settings;
    let deadline = Instant::now() + settings.limit(SETTLE);
    while Instant::now() < deadline {
        if matches!(
            now(cx, Power::Stopped, node, vmid).await,
            Ok(Power::Stopped)
        ) {
            return true;
        }
        sleep(settings.pause(POLL)).await;
    }
    false
}

/// Whether it runs, once no task is left that is about to change that: one of an attempt that was cut short, or
/// of somebody else. It is waited for, and stopped when it does not end.
async fn now<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    wanted: Power,
    node: &NodeName,
    vmid: Vmid,
) -> Result<Power, Error> {
    let (cluster, settings) = (&cx.context.cluster, &cx.context.settings);
    let against: &[&str] = match wanted {
        Power::Running => &["vzshutdown", "vzstop"],
        Power::Stopped | Power::Unknown => &["vzstart"],
    };
    for kind in against {
        let Some(upid) = running_task(cx.context, node, vmid, kind).await? else {
            continue;
        };
        cx.log(format!("waiting for an earlier {kind}"));
        let ended = cluster
            .wait_task(&upid, settings.limit(GRACE), |_| {})
            .await;
        if matches!(ended, Err(Error::TaskTimeout { .. })) {
            cluster.stop_task(&upid).await?;
        }
    }
    Ok(cluster.container_status(node, vmid).await?.status)
}

async fn ask(context: &Context, wanted: Power, node: &NodeName, vmid: Vmid) -> Result<Upid, Error> {
    match wanted {
        Power::Running => context.cluster.start_container(node, vmid).await,
        Power::Stopped | Power::Unknown => {
            let cluster = &context.cluster;
            cluster.shutdown_container(node, vmid, GRACE, true).await
        }
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
