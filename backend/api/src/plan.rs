//! Plans: what a deployment would do, and why there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Endpoint, Resources};

/// Answer of `POST /apps?plan=true`: what the same call without `plan` would do now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Name the app would get.
    pub name: String,
    /// Catalog entry.
    pub catalog_id: String,
    /// The chosen node; absent when none fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why that node, or why none.
    pub reason: String,
    /// Every node and what speaks for or against it, the chosen one first.
    pub candidates: Vec<Candidate>,
    /// The number the container would get if nobody takes it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    /// Storage of the root file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Template, and whether it must be downloaded first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Whether the template must be downloaded first.
    pub template_download: bool,
    /// `dhcp` or the static address.
    pub address: String,
    /// Bridge.
    pub bridge: String,
    /// What the container may use.
    pub resources: Resources,
    /// Images that would be pulled.
    pub images: Vec<String>,
    /// What could be opened afterwards; the host is `<address>` where it is not known yet.
    pub endpoints: Vec<Endpoint>,
    /// The steps in order.
    pub steps: Vec<PlannedStep>,
}

/// A node as placement sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    /// Node.
    pub node: String,
    /// Whether it could take the app.
    pub fits: bool,
    /// Why (not), in a sentence.
    pub reason: String,
    /// Comparable among those that fit: higher is better, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedStep {
    /// Name, e.g. `create_container`.
    pub name: String,
    /// What it will do, in a sentence.
    pub description: String,
    /// Whether it is undone when a later step fails.
    pub reversible: bool,
    /// How many seconds it is expected to take, judged by earlier deployments; absent while there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_seconds: Option<f64>,
}
