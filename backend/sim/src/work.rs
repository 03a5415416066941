//! What happens in the cluster: each change checks what can be checked at once, then leaves the rest to a
//! task. The REST face and `pct` both come through here.

mod configure;
mod create;
mod destroy;
mod download;
mod power;
mod value;
mod worker;

pub(crate) use worker::Worker;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::faults::Fault;
use crate::model::Model;
use crate::model::identity::Identity;

/// Who asks for a change, and what goes wrong with its task.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) fault: Option<Fault>,
}

impl Caller {
    /// `root@pam`, as on a node's command line.
    pub(crate) fn root() -> Self {
        Self {
            identity: Identity::root(),
            fault: None,
        }
    }
}

/// Refuses options that only `root@pam` may pass.
fn check_skiplock(caller: &Caller, skiplock: bool) -> Result<(), Failure> {
    if skiplock && !caller.identity.is_root() {
        return Err(Failure::parameter(
            "skiplock",
            "Only root may use this option.",
        ));
    }
    Ok(())
}

/// The container and whether it is one with a guest behind it; refused without the privilege on it.
fn allowed(
    model: &Model,
    caller: &Caller,
    node: &str,
    vmid: u32,
    privilege: &str,
) -> Result<(), Failure> {
    let pool = model
        .containers
        .get(&vmid)
        .and_then(|container| container.pool.as_deref());
    model.check_guest(&caller.identity, vmid, pool, privilege)?;
    model.check_quorum()?;
    model.container(node, vmid).map(|_| ())
}

impl Cluster {
    /// Whether there is a guest behind this container; neighbours have none.
    pub(crate) fn has_guest(&self, vmid: u32) -> bool {
        self.model()
            .containers
            .get(&vmid)
            .is_some_and(|container| !container.foreign)
    }
}
