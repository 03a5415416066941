//! What the database says and the cluster has, compared; and taking back what only the cluster remembers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AppId, PlannedStep, Resources, operation::words};

/// How database and cluster differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscrepancyKind {
    /// The whole cluster says that the app's container does not exist.
    ContainerGone,
    /// The app's container, proven, is on another node than before; noted.
    ContainerMoved,
    /// Nobody answers for the app's container; nothing is concluded.
    ContainerUnseen,
    /// The container runs and the app should not, or the other way round.
    PowerDiffers,
    /// The app's number belongs to a guest of somebody else.
    NumberTaken,
    /// What has the app's number looks like its container, but its description does not carry the proof.
    ProofMissing,
    /// A second container carries the proof of an app.
    ProofCopied,
    /// A container of Proximity that belongs to no app here.
    Unclaimed,
}

words!(DiscrepancyKind {
    ContainerGone = "container_gone",
    ContainerMoved = "container_moved",
    ContainerUnseen = "container_unseen",
    PowerDiffers = "power_differs",
    NumberTaken = "number_taken",
    ProofMissing = "proof_missing",
    ProofCopied = "proof_copied",
    Unclaimed = "unclaimed",
});

/// One difference between database and cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discrepancy {
    /// How they differ.
    pub kind: DiscrepancyKind,
    /// Name of the app that it is about; of an unclaimed container, the name that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Number of the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    /// Node of the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What is the case, in a sentence.
    pub message: String,
    /// What a person can do, in a sentence.
    pub hint: String,
    /// Whether `POST /containers/{vmid}/adopt` can take it back.
    pub adoptable: bool,
}

/// The differences between database and cluster, as they were last looked for. Nothing was done about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reconciliation {
    /// When both were compared; absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<DateTime<Utc>>,
    /// What differs.
    pub findings: Vec<Discrepancy>,
}

/// Body of `POST /containers/{vmid}/adopt`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adopt {
    /// The node on which the container must be, so that no other is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// What adopting a container would bring back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AdoptionPlan {
    /// The app whose proof it carries.
    pub app: AppId,
    /// Name of the app.
    pub name: String,
    /// Host name of the container.
    pub hostname: String,
    /// Catalog entry.
    pub catalog_id: String,
    /// Whether the catalog has that entry now; otherwise the app is taken from its compose file alone.
    pub in_catalog: bool,
    /// When the app was first deployed, as its id tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Number of the container.
    pub vmid: u32,
    /// Its node.
    pub node: String,
    /// Whether it runs. One that does not is started to be read, and stopped again.
    pub running: bool,
    /// What it may use.
    pub resources: Resources,
    /// What would be done.
    pub steps: Vec<PlannedStep>,
}
