//! Reserving a number for the container.

use std::collections::BTreeSet;

use async_trait::async_trait;
use proxmox::Vmid;
use rand::RngExt as _;
use saga::{Failure, Saga, Step, StepContext, StepError};

use crate::{broken, context::Context, explain, operations::State};

/// Takes a number that no guest has and no other operation of ours is about to use.
///
/// *Writes down* the number in the app's row, where it is unique, and in the state. *Recognises* a number taken
/// before a crash. *Undo* gives it back. Proxmox itself reserves nothing before the create call, so the number
/// may still be lost to somebody else; [`CreateContainer`](super::CreateContainer) then takes another.
pub(crate) struct ReserveVmid;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ReserveVmid {
    fn name(&self) -> &'static str {
        "reserve_vmid"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        if cx.state.vmid.is_none() {
            reserve(cx, &BTreeSet::new()).await?;
        }
        Ok(())
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        cx.context
            .store
            .apps()
            .release_vmid(&cx.context.lease)
            .await
            .map_err(broken)?;
        cx.state.vmid = None;
        Ok(())
    }
}

/// Reserves a number that is not among `refused`, those that turned out to be taken.
pub(super) async fn reserve<S: Saga<State = State, Context = Context>>(
    cx: &mut StepContext<'_, S>,
    refused: &BTreeSet<u32>,
) -> Result<Vmid, StepError> {
    let site = cx.context.site.clone();
    let guests = site.cluster.guests().await;
    let guests = guests.map_err(|error| explain::proxmox("looking for a free number", &error))?;
    let mut taken: BTreeSet<u32> = guests.iter().map(|guest| guest.vmid.get()).collect();
    taken.extend(site.store.apps().reserved_vmids().await.map_err(broken)?);
    taken.extend(refused);
    loop {
        let vmid = propose(cx.context, &taken).await?;
        match site
            .store
            .apps()
            .reserve_vmid(&cx.context.lease, vmid.get())
            .await
        {
            Ok(()) => {
                cx.state.vmid = Some(vmid.get());
                cx.log(format!("reserved number {vmid}"));
                return Ok(vmid);
            }
            Err(store::Error::VmidTaken { .. }) => {
                taken.insert(vmid.get());
            }
            Err(error) => return Err(broken(error)),
        }
    }
}

/// A free number: a random one of the range in the settings, else the first from the cluster's own proposal on.
pub(crate) async fn propose(
    site: &crate::context::Site,
    taken: &BTreeSet<u32>,
) -> Result<Vmid, StepError> {
    let free = |vmid: &u32| !taken.contains(vmid);
    let number = if let Some(range) = &site.settings.vmid_range {
        // Random: a number that was just given back is then not handed out again at once, while somebody may
        // still hold on to its old meaning.
        let start = rand::rng().random_range(range.clone());
        (start..=*range.end())
            .chain(*range.start()..start)
            .find(free)
    } else {
        let next = site.cluster.next_vmid().await;
        let next = next.map_err(|error| explain::proxmox("asking for a free number", &error))?;
        (next.get()..=999_999_999).find(free)
    };
    number
        .and_then(|number| Vmid::new(number).ok())
        .ok_or_else(|| {
            Failure::new(
                "no_free_vmid",
                "Every number that a container may have is taken.",
            )
            .hint("Widen PROXMOX_VMID_RANGE, or remove guests that are not needed.")
            .into()
        })
}
