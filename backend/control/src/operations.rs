//! The table of contents of the product: a kind of operation is a list of steps.
//!
//! Names and order of the steps are a stored format: operations that are under way were journalled with them.

use std::net::IpAddr;

use api::{AppId, AppState, Network, OperationKind};
use proxmox::Upid;
use saga::{Plan, Saga, Step};
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    placement::Choice,
    steps::{
        AwaitAddress, AwaitDocker, CheckHealth, ChooseNode, CreateContainer, DestroyContainer,
        FetchTemplate, ForgetRelease, GrantFeatures, InstallDocker, ObserveContainer, Publish,
        PullImages, ReadProject, ReserveVmid, RestorePower, StartContainer, StartProject,
        StopContainer, Unpublish, UploadProject,
    },
};

/// Declares kinds of operations as sagas over the one [`State`].
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $kind:literal [$($step:ident),+ $(,)?];)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Saga for $name {
            const KIND: &'static str = $kind;
            type State = State;
            type Context = Context;

            fn steps() -> &'static [&'static dyn Step<Self>] {
                &[$(&$step),+]
            }
        }
    )*};
}

operations! {
    /// Installs an app. Until its last step everything can be undone.
    Deploy = "deploy" [
        ChooseNode, ReserveVmid, FetchTemplate, CreateContainer, GrantFeatures, StartContainer,
        AwaitAddress, InstallDocker, UploadProject, PullImages, StartProject, CheckHealth, Publish,
    ];

    /// Boots a stopped app. When it does not come up, its container is stopped again.
    Start = "start" [
        ObserveContainer, StartContainer, AwaitAddress, AwaitDocker, StartProject, CheckHealth, Publish,
    ];

    /// Shuts an app's container down.
    Stop = "stop" [ObserveContainer, StopContainer];

    /// Shuts an app's container down and boots it again.
    Restart = "restart" [
        ObserveContainer, StopContainer, StartContainer, AwaitAddress, AwaitDocker, StartProject,
        CheckHealth, Publish,
    ];

    /// Removes an app. Once it is unpublished there is no way back.
    Delete = "delete" [Unpublish, DestroyContainer, ForgetRelease];

    /// Takes an app back that only its container remembers, and leaves the container as it was found. Undone, only
    /// the rows are taken back.
    Adopt = "adopt" [
        ObserveContainer, StartContainer, AwaitAddress, ReadProject, RestorePower, Publish,
    ];
}

/// The plan of a kind: the names of its steps in order.
pub fn plan(kind: OperationKind) -> Plan {
    match kind {
        OperationKind::Deploy => saga::plan::<Deploy>(),
        OperationKind::Start => saga::plan::<Start>(),
        OperationKind::Stop => saga::plan::<Stop>(),
        OperationKind::Restart => saga::plan::<Restart>(),
        OperationKind::Delete => saga::plan::<Delete>(),
        OperationKind::Adopt => saga::plan::<Adopt>(),
    }
}

/// What was asked of an operation and what it has learnt. Stored as JSON with every event, so fields are added
/// with a default and never renamed. It holds no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The app.
    pub app: AppId,
    /// Its name, as typed.
    pub name: String,
    /// Host name of its container.
    pub hostname: String,
    /// Its catalog entry.
    pub catalog_id: String,
    /// Proof of ownership in the container's description; made when the operation was asked for.
    pub nonce: String,
    /// What its container gets.
    pub size: Size,
    /// How its container is attached.
    #[serde(default)]
    pub network: Network,
    /// Architectures that the app runs on; any, when empty.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// The node that a person asked for.
    #[serde(default)]
    pub wanted_node: Option<String>,
    /// Where the container goes.
    #[serde(default)]
    pub choice: Option<Choice>,
    /// The number it has or is about to get.
    #[serde(default)]
    pub vmid: Option<u32>,
    /// The task that creates it, where the cluster told which it is.
    #[serde(default)]
    pub create_task: Option<Upid>,
    /// Whether it was asked for, and how that ended is not known.
    #[serde(default)]
    pub create_asked: bool,
    /// The node on which it was last seen.
    #[serde(default)]
    pub node: Option<String>,
    /// Its address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Whether it ran when the operation began.
    #[serde(default)]
    pub was_running: Option<bool>,
    /// Where the app was when the operation was asked for; where it is again when the operation is unwound.
    #[serde(default)]
    pub before: Option<AppState>,
}

/// What a container gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// CPU cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory: u64,
    /// Swap, bytes.
    pub swap: u64,
    /// Root file system, bytes.
    pub disk: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A changed line here is a changed format of running operations: it needs a new kind or a migration.
    #[test]
    fn plans_are_a_stored_format() {
        let plans: Vec<String> = OperationKind::ALL
            .iter()
            .map(|kind| plan(*kind).to_string())
            .collect();
        insta::assert_snapshot!(plans.join("\n"));
    }
}
