//! The life of a container that is ours: looking for it, proving it, ending it.

use std::time::Duration;

use proxmox::{
    ContainerConfig, DeleteOptions, Error, GuestKind, NodeName, TaskFilter, TaskStatus, Upid, Vmid,
};
use saga::{Failure, Saga, StepContext, StepError};
use ssh::Command;
use tokio::time::{Instant, sleep};

use crate::{context::Context, explain, operations::State, ownership};

/// How often something that takes seconds is looked at again.
pub(crate) const POLL: Duration = Duration::from_millis(500);

/// The longest pause between two attempts to destroy a container.
const SLOWEST: Duration = Duration::from_secs(5);
/// Longest time for a task of which little is to be done.
const TASK: Duration = Duration::from_mins(3);

/// What was found under a number.
#[derive(Debug)]
pub(crate) enum Found {
    /// Our container, on this node.
    Ours(NodeName, Box<ContainerConfig>),
    /// A container that is being created, by whomever: Proxmox writes down only its lock before the template is
    /// unpacked, and the description with the proof after that.
    Creating(NodeName),
    /// Somebody else's guest.
    Foreign(NodeName),
    /// Nothing, as the whole cluster and the node itself say.
    Nothing,
}

/// Looks for the operation's container: by number in the whole cluster, then by proof in its configuration.
///
/// `Nothing` is an answer of the cluster *and* of the node that was last known to hold it; a node that does
/// not answer is an error, never `Nothing`.
pub(crate) async fn look(context: &Context, state: &State) -> Result<Found, Error> {
    let Ok(vmid) = state.vmid() else {
        return Ok(Found::Nothing);
    };
    let owner = context.hosts.owner(vmid).await?;
    let Some(node) = owner.or_else(|| state.node().ok()) else {
        return Ok(Found::Nothing);
    };
    let (app, nonce) = state.proof();
    match context.cluster.container_config(&node, vmid).await {
        Ok(config)
            if ownership::is_proven(config.description.as_deref().unwrap_or(""), app, nonce) =>
        {
            Ok(Found::Ours(node, Box::new(config)))
        }
        Ok(config) if config.lock.as_deref() == Some("create") && config.description.is_none() => {
            Ok(Found::Creating(node))
        }
        Ok(_) => Ok(Found::Foreign(node)),
        Err(Error::NotFound { .. }) => unseen(context, vmid, node).await,
        Err(error) => Err(error),
    }
}

/// Finds the app's container wherever it is now, and notes the node: containers are moved between two calls.
/// [`look`] with its answer in words.
pub(crate) async fn find_again<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
    doing: &str,
) -> Result<NodeName, StepError> {
    let found = look(cx.context, cx.state).await;
    let node = match found.map_err(|error| explain::proxmox(doing, &error))? {
        Found::Ours(node, _) => node,
        Found::Foreign(node) => {
            return Err(gone(&format!(
                "its number is now a guest on {node} that does not carry the app's proof"
            ))
            .into());
        }
        Found::Creating(_) | Found::Nothing => {
            return Err(gone("the cluster does not know it any more").into());
        }
    };
    cx.state.node = Some(node.to_string());
    Ok(node)
}

fn gone(why: &str) -> Failure {
    Failure::new(
        "container_missing",
        format!("The app's container is gone: {why}."),
    )
    .hint("It was removed, replaced or edited outside of Proximity; `proximity reconcile` tells which. If it is lost, delete the app here, too.")
}

/// What has the number where the node knows no such container.
async fn unseen(context: &Context, vmid: Vmid, node: NodeName) -> Result<Found, Error> {
    let guests = context.cluster.guests().await?;
    let busy = |lock: &str, what: &str| Error::Locked {
        lock: lock.to_owned(),
        message: format!("container {vmid} {what}"),
    };
    match guests.into_iter().find(|guest| guest.vmid == vmid) {
        None => Ok(Found::Nothing),
        Some(guest) if guest.node != node => Err(busy("migrate", "is being moved")),
        // Its configuration is not an LXC's.
        Some(guest) if guest.kind == GuestKind::Qemu => Ok(Found::Foreign(node)),
        // It came or went between the two looks; whose it is, the next look tells.
        Some(_) => Err(busy("create", "has only just appeared")),
    }
}

/// Waits for a task and hands its log lines on.
pub(crate) async fn follow_task<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    upid: &Upid,
    doing: &str,
    limit: Duration,
) -> Result<(), StepError> {
    let cluster = &cx.context.cluster;
    let outcome = cx
        .log_while(|lines| async move {
            let on_line = move |line: &str| lines.line(line);
            let limit = cx.context.settings.limit(limit);
            cluster.wait_task(upid, limit, on_line).await
        })
        .await;
    if matches!(outcome, Err(Error::TaskTimeout { .. })) {
        cx.log("it takes too long; stopping it");
        // Nobody waits for it any more: left alone, it would do its work when that is not wanted.
        if let Err(error) = cluster.stop_task(upid).await {
            cx.log(error.to_string());
        }
    }
    outcome
        .map(drop)
        .map_err(|error| explain::proxmox(doing, &error).into())
}

/// Destroys the operation's container if it can be proven ours; succeeds only when nothing of it is left.
///
/// Called again and again after any part of itself. A container that carries another nonce is not ours,
/// whatever its number: then ours is gone already.
pub(crate) async fn destroy<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    limit: Duration,
) -> Result<(), StepError> {
    let settings = &cx.context.settings;
    let deadline = Instant::now() + settings.limit(limit);
    let mut pause = settings.pause(POLL);
    loop {
        let attempt = destroy_once(cx).await;
        let error = match attempt {
            Ok(Progress::Gone) => return Ok(()),
            // Looked at once more, at once: only the cluster's own "there is none" is an end.
            Ok(Progress::Done) => continue,
            Ok(Progress::Again) => None,
            Err(error) if is_passing(&error) => Some(error),
            Err(error) => return Err(explain::proxmox("destroying the container", &error).into()),
        };
        if Instant::now() >= deadline {
            return Err(error
                .map_or_else(still_there, |error| {
                    explain::proxmox("destroying the container", &error)
                })
                .into());
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(settings.limit(SLOWEST));
    }
}

fn still_there() -> Failure {
    Failure::new(
        "container_not_destroyed",
        "The container could not be destroyed in time.",
    )
    .hint("Look at the container's lock and tasks on its node, then retry this operation.")
}

/// Whether looking again may help: the cluster is away, or something else holds the container for a while.
fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. }
            | Error::Unknown { .. }
            | Error::NodeOffline { .. }
            | Error::NoQuorum
            | Error::Locked { .. }
            | Error::TaskTimeout { .. }
            | Error::TaskFailed { .. }
    )
}

enum Progress {
    /// Nothing of it is left.
    Gone,
    /// It was destroyed just now.
    Done,
    /// Something else must end first.
    Again,
}

async fn destroy_once<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
) -> Result<Progress, Error> {
    let cluster = &cx.context.cluster;
    let (Ok(vmid), Ok(node)) = (cx.state.vmid(), cx.state.node()) else {
        return Ok(Progress::Gone);
    };
    match look(cx.context, cx.state).await? {
        Found::Ours(node, config) if config.lock.is_some() => {
            let lock = config.lock.as_deref().unwrap_or_default().to_owned();
            release_lock(cx, &node, vmid, &lock).await?;
            Ok(Progress::Again)
        }
        Found::Creating(node) => end_creation(cx, &node, vmid).await,
        Found::Ours(node, _) => {
            if end_tasks(cx, &node, vmid).await? {
                return Ok(Progress::Again);
            }
            cx.log(format!("destroying container {vmid} on {node}"));
            let options = DeleteOptions {
                force: true,
                purge: true,
                unreferenced_disks: true,
            };
            let upid = cluster.delete_container(&node, vmid, options).await?;
            let limit = cx.context.settings.limit(TASK);
            match cluster.wait_task(&upid, limit, |_| {}).await {
                // Left alone it would hold the container for ever.
                Err(Error::TaskTimeout { .. }) => {
                    cluster.stop_task(&upid).await?;
                    Ok(Progress::Again)
                }
                ended => ended.map(|_| Progress::Done),
            }
        }
        Found::Foreign(node) => {
            cx.log(format!(
                "number {vmid} on {node} belongs to somebody else; it is left alone"
            ));
            Ok(Progress::Gone)
        }
        // A create whose answer was lost may be about to write the configuration.
        Found::Nothing => match running_task(cx.context, &node, vmid, "vzcreate").await? {
            Some(upid) => {
                cluster
                    .wait_task(&upid, cx.context.settings.limit(TASK), |_| {})
                    .await
                    .or_else(failed_is_fine)?;
                Ok(Progress::Again)
            }
            None => Ok(Progress::Gone),
        },
    }
}

/// Whose a half-made container is, nobody can see: its creation is waited for. One that died in the middle is
/// ours only if we were told that its task is the one that we began.
async fn end_creation<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    node: &NodeName,
    vmid: Vmid,
) -> Result<Progress, Error> {
    if let Some(upid) = running_task(cx.context, node, vmid, "vzcreate").await? {
        let cluster = &cx.context.cluster;
        if cx.state.create_task.as_ref() == Some(&upid) {
            cluster.stop_task(&upid).await?;
        }
        cluster
            .wait_task(&upid, cx.context.settings.limit(TASK), |_| {})
            .await
            .or_else(failed_is_fine)?;
        return Ok(Progress::Again);
    }
    let lock = || Error::Locked {
        lock: "create".to_owned(),
        message: format!("container {vmid} was left half made, and nothing proves by whom"),
    };
    let began = cx.state.create_task.as_ref().ok_or_else(lock)?;
    if began.vmid() != Some(vmid) || began.node() != node {
        return Err(lock());
    }
    unlock(cx, node, vmid, "create").await;
    let options = DeleteOptions {
        force: true,
        purge: true,
        unreferenced_disks: true,
    };
    let upid = cx
        .context
        .cluster
        .delete_container(node, vmid, options)
        .await?;
    cx.context
        .cluster
        .wait_task(&upid, cx.context.settings.limit(TASK), |_| {})
        .await?;
    Ok(Progress::Again)
}

/// Ends what is at work on a container that is ours and is to be destroyed: a start or a stop of an attempt that
/// was cut short holds its lock file. Whether there was any.
async fn end_tasks<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    node: &NodeName,
    vmid: Vmid,
) -> Result<bool, Error> {
    const KINDS: [&str; 4] = ["vzstart", "vzshutdown", "vzstop", "vzreboot"];
    let cluster = &cx.context.cluster;
    let mut any = false;
    for kind in KINDS {
        if let Some(upid) = running_task(cx.context, node, vmid, kind).await? {
            any = true;
            cx.log(format!("stopping an earlier {kind}"));
            cluster.stop_task(&upid).await?;
        }
    }
    if let Some(upid) = running_task(cx.context, node, vmid, "vzdestroy").await? {
        any = true;
        cx.log("waiting for an earlier vzdestroy");
        let limit = cx.context.settings.limit(TASK);
        match cluster.wait_task(&upid, limit, |_| {}).await {
            Err(Error::TaskTimeout { .. }) => cluster.stop_task(&upid).await?,
            ended => drop(ended.or_else(failed_is_fine)?),
        }
    }
    Ok(any)
}

/// A create that failed has removed its container by itself.
fn failed_is_fine(error: Error) -> Result<proxmox::Exit, Error> {
    match error {
        Error::TaskFailed { reason, .. } => Ok(proxmox::Exit::Failed(reason)),
        error => Err(error),
    }
}

/// A lock of our own making is taken away: the task behind it is stopped, and what a task that died left
/// behind is cleared. Anybody else's lock (a backup, a migration) is waited for.
async fn release_lock<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    node: &NodeName,
    vmid: Vmid,
    lock: &str,
) -> Result<(), Error> {
    let kind = match lock {
        "create" => "vzcreate",
        "destroyed" => "vzdestroy",
        other => {
            return Err(Error::Locked {
                lock: other.to_owned(),
                message: format!("container {vmid} is locked ({other})"),
            });
        }
    };
    if let Some(upid) = running_task(cx.context, node, vmid, kind).await? {
        let (cluster, limit) = (&cx.context.cluster, cx.context.settings.limit(TASK));
        if lock == "create" {
            cluster.stop_task(&upid).await?;
        }
        return match cluster.wait_task(&upid, limit, |_| {}).await {
            Err(Error::TaskTimeout { .. }) => cluster.stop_task(&upid).await,
            ended => ended.or_else(failed_is_fine).map(drop),
        };
    }
    unlock(cx, node, vmid, lock).await;
    Ok(())
}

/// Takes a lock away that a dead task left. Whether it helped is seen by the next look.
async fn unlock<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    node: &NodeName,
    vmid: Vmid,
    lock: &str,
) {
    cx.log(format!(
        "container {vmid} is locked ({lock}) by a task that is gone; unlocking it"
    ));
    let command = Command::new(["pct", "unlock", &vmid.to_string()])
        .deadline(cx.context.settings.limit(Duration::from_secs(30)));
    if let Err(failure) = cx
        .context
        .hosts
        .on_node(node, "unlocking the container", command)
        .await
    {
        cx.log(failure.message);
    }
}

/// A task of this kind that works on the container now.
pub(crate) async fn running_task(
    context: &Context,
    node: &NodeName,
    vmid: Vmid,
    kind: &str,
) -> Result<Option<Upid>, Error> {
    let filter = TaskFilter {
        vmid: Some(vmid),
        kind: Some(kind.to_owned()),
        ..TaskFilter::default()
    };
    let tasks = context.cluster.tasks(node, &filter).await?;
    Ok(tasks
        .into_iter()
        .find(|task| task.status == TaskStatus::Running)
        .map(|task| task.upid))
}
