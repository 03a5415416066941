//! Creating the container.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use async_trait::async_trait;
use proxmox::{CreateContainer as Create, Error, Ipv4, Net, NodeName, RootDisk, StorageName, Vmid};
use saga::{Failure, Saga, Step, StepContext, StepError, Turn};
use tokio::time::{Instant, sleep};

use super::{fetch_template::unusable, reserve_vmid::reserve};
use crate::{
    containers::{Found, POLL, destroy, follow_task, look, running_task},
    context::Context,
    explain,
    operations::State,
    ownership,
    planning::parse_address,
};

/// Numbers that are tried before giving up: each was free a moment before and taken when it came to it.
const ATTEMPTS: usize = 20;
/// Longest time for unpacking the template.
const LIMIT: Duration = Duration::from_mins(5);
/// After a lost answer: how long a create may take to show itself. pveproxy gives up on the node after 30 s
/// while storage activation may still be under way.
const SETTLE: Duration = Duration::from_secs(20);

/// Creates the container, unprivileged, with its features as far as the identity may set them.
///
/// *Writes down* number and node before the call; app id and nonce go into the container's description in the
/// call itself. *Recognises* its own earlier create by that nonce, and one still at work by its running
/// `vzcreate` task. *Undo proves* the nonce before it destroys, because Proxmox removes failed creates by
/// itself and hands the number to the next caller.
pub(crate) struct CreateContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for CreateContainer {
    fn name(&self) -> &'static str {
        "create_container"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(LIMIT) * 2
    }

    fn undo_timeout(&self, context: &Context) -> Duration {
        context.settings.limit(LIMIT) * 2
    }

    async fn turn(&self, cx: &StepContext<'_, S>) -> Result<Turn, StepError> {
        let Some(choice) = &cx.state.choice else {
            return Ok(Turn::free());
        };
        // Unpacking a template is what a disk does worst at the same time.
        let what = format!("creates on {} of {}", choice.storage, choice.node);
        let most = cx.context.settings.creates_per_storage;
        Ok(cx
            .context
            .turns
            .take(&what, most, |text| cx.log(text))
            .await)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let mut refused = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            let (vmid, node) = (cx.state.vmid()?, cx.state.node()?);
            match attempt(cx, vmid, &node).await? {
                Attempt::Created => return Ok(()),
                Attempt::Again => {}
                Attempt::Taken => {
                    cx.log(format!(
                        "number {vmid} was taken by somebody else meanwhile"
                    ));
                    refused.insert(vmid.get());
                    reserve(cx, &refused).await?;
                    cx.checkpoint().await?;
                }
            }
        }
        let message =
            format!("{ATTEMPTS} numbers in a row were taken by others when it came to it.");
        Err(Failure::new("vmid_contention", message)
            .hint("Give Proximity a range of its own with PROXMOX_VMID_RANGE.")
            .into())
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        if cx.state.create_asked {
            appear(cx).await?;
        }
        destroy(cx, LIMIT).await
    }
}

enum Attempt {
    Created,
    /// The outcome was unknown, and looking showed that nothing was created.
    Again,
    Taken,
}

async fn attempt<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
    vmid: Vmid,
    node: &NodeName,
) -> Result<Attempt, StepError> {
    let doing = "creating the container";
    let failed = |error: Error| StepError::from(explain::proxmox(doing, &error));
    match look(cx.context, cx.state).await.map_err(failed)? {
        Found::Ours(..) | Found::Creating(_) => return settle(cx, vmid, node).await,
        Found::Foreign(_) => return Ok(Attempt::Taken),
        Found::Nothing => {}
    }
    let request = request(cx, vmid)?;
    cx.state.create_task = None;
    cx.state.create_asked = true;
    cx.checkpoint().await?;
    let answer = cx.context.cluster.create_container(node, &request).await;
    cx.state.create_asked = matches!(answer, Err(Error::Unknown { .. }));
    match answer {
        Ok(upid) => {
            cx.state.create_task = Some(upid.clone());
            cx.checkpoint().await?;
            follow_task(cx, &upid, doing, LIMIT).await?;
            Ok(Attempt::Created)
        }
        // Taken, or created by an earlier call of ours whose answer was lost.
        Err(Error::VmidTaken { .. }) => match look(cx.context, cx.state).await.map_err(failed)? {
            Found::Ours(..) | Found::Creating(_) => settle(cx, vmid, node).await,
            Found::Foreign(_) | Found::Nothing => Ok(Attempt::Taken),
        },
        Err(error @ Error::Unknown { .. }) => {
            cx.log(format!("{error}; looking for the container"));
            settle(cx, vmid, node).await
        }
        Err(error) => Err(failed(error)),
    }
}

/// Gives a create whose answer nobody waited for the time to show itself. One that begins after "there is
/// nothing" was believed would never be taken back.
async fn appear<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
) -> Result<(), StepError> {
    let (vmid, node, settings) = (cx.state.vmid()?, cx.state.node()?, &cx.context.settings);
    let deadline = Instant::now() + settings.limit(SETTLE);
    while Instant::now() < deadline {
        let found = look(cx.context, cx.state).await;
        let task = running_task(cx.context, &node, vmid, "vzcreate").await;
        match (found, task) {
            (Ok(Found::Nothing), Ok(None)) | (Err(_), _) | (_, Err(_)) => {
                sleep(settings.pause(POLL)).await;
            }
            _ => break,
        }
    }
    Ok(())
}

/// Waits until a create whose task is not known, ours or another's, has come to its end; then the proof is
/// there, or nothing is.
async fn settle<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    vmid: Vmid,
    node: &NodeName,
) -> Result<Attempt, StepError> {
    let doing = "creating the container";
    let settings = &cx.context.settings;
    let deadline = Instant::now() + settings.limit(SETTLE);
    loop {
        let seen = async {
            if let Some(upid) = running_task(cx.context, node, vmid, "vzcreate").await? {
                // How it ends is seen by looking: a create that fails removes what it made.
                cx.log("waiting for the container's creation");
                let _ = cx
                    .context
                    .cluster
                    .wait_task(&upid, settings.limit(LIMIT), |line| cx.log(line))
                    .await;
            }
            look(cx.context, cx.state).await
        };
        let late = Instant::now() >= deadline;
        match seen.await {
            Ok(Found::Ours(_, config)) if config.lock.is_none() => return Ok(Attempt::Created),
            Ok(Found::Foreign(_)) => return Ok(Attempt::Taken),
            Ok(Found::Nothing) if late => return Ok(Attempt::Again),
            // Locked by a create that is not running any more: it died in the middle. The undo clears it.
            Ok(Found::Ours(..) | Found::Creating(_)) if late => {
                return Err(Failure::new(
                    "create_died",
                    "The task that created the container died in the middle.",
                )
                .hint("Look at the node's log; a reboot or a full memory are the usual causes.")
                .into());
            }
            Err(error) if late => return Err(explain::proxmox(doing, &error).into()),
            Ok(_) | Err(_) => sleep(settings.pause(POLL)).await,
        }
    }
}

/// The whole create call.
fn request<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    vmid: Vmid,
) -> Result<Create, StepError> {
    let (state, settings) = (&*cx.state, &cx.context.settings);
    let choice = state.choice.as_ref().ok_or_else(|| {
        Failure::new(
            "journal_incomplete",
            "The operation's journal does not hold the chosen node.",
        )
    })?;
    let network = &state.network;
    let mut net0 = Net::dhcp(
        "eth0",
        network.bridge.as_deref().unwrap_or(&settings.bridge),
    );
    net0.tag = network.vlan;
    if let Some((address, prefix)) = network.address.as_deref().and_then(parse_address) {
        let gateway = network.gateway.and_then(|gateway| match gateway {
            IpAddr::V4(gateway) => Some(gateway),
            IpAddr::V6(_) => None,
        });
        net0.ipv4 = Ipv4::Static {
            address,
            prefix,
            gateway,
        };
    }
    let storage: StorageName = choice
        .storage
        .parse()
        .map_err(|_| unusable(&choice.storage))?;
    let rootfs = RootDisk {
        storage,
        gib: gibibytes(state.size.disk),
    };
    let mut create = Create::new(vmid, choice.template.volume(), rootfs);
    create.hostname = Some(state.hostname.clone());
    create.cores = Some(state.size.cores);
    create.memory = mebibytes(state.size.memory);
    create.swap = mebibytes(state.size.swap);
    create.nets = vec![net0];
    create.nameservers.clone_from(&network.nameservers);
    create.onboot = true;
    create.pool.clone_from(&settings.pool);
    create.tags = vec![ownership::TAG.to_owned(), state.catalog_id.clone()];
    create.description = Some(ownership::description(&state.name, state.app, &state.nonce));
    create.features = if cx.context.cluster.identity().may_set_features() {
        settings.features.clone()
    } else {
        // All that Proxmox lets anybody but root@pam set; GrantFeatures sets the rest.
        settings.features.without_root()
    };
    Ok(create)
}

/// Rounded up: a container never gets less than was asked for.
fn gibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 30))
        .unwrap_or(u32::MAX)
        .max(1)
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
