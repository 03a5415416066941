//! Deploying exactly what a plan said, or nothing.
//!
//! Whoever saw a plan and agreed gets that plan: its node, its storage, its steps. Where the cluster has changed so
//! that it cannot be any more, nothing begins, and they see the plan as it is now.

use std::{fmt, str::FromStr};

use api::{Deploy, Deployed, Plan};
use sha2::{Digest as _, Sha256};

use crate::{Asked, Control, Error};

/// What a person agrees to when they agree to a plan, in a few digits. The container's number is not part of it: the
/// plan says that somebody may take it before. Nor are the other nodes and what speaks against them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanDigest(String);

/// What became of a plan that somebody agreed to.
#[derive(Debug)]
pub enum Planned {
    /// It runs.
    Begun(Box<Deployed>),
    /// It cannot be any more, or is not what the request asks for. Nothing was begun.
    Changed {
        /// The plan as it is now.
        plan: Box<Plan>,
        /// What is different, in a sentence.
        why: String,
    },
}

impl PlanDigest {
    /// Of this plan.
    pub fn of(plan: &Plan) -> Self {
        let agreed = (
            (&plan.name, &plan.catalog_id, &plan.node, &plan.storage),
            (&plan.template, &plan.address, &plan.bridge),
            (&plan.resources, &plan.images, &plan.endpoints),
            plan.steps.iter().map(|step| &step.name).collect::<Vec<_>>(),
        );
        let json = serde_json::to_vec(&agreed).expect("a plan is plain values");
        Self(hex::encode(&Sha256::digest(json)[..12]))
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanDigest {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Control {
    /// Deploys as the plan on `node` with this digest said, if that can still be. The node's room is looked at now;
    /// what another deployment promises itself in the same moment is settled by the operation.
    pub async fn deploy_as_planned(
        &self,
        asked: &Asked,
        request: Deploy,
        node: &str,
        digest: &PlanDigest,
    ) -> Result<Planned, Error> {
        let pinned = Deploy {
            node: Some(node.to_owned()),
            ..request.clone()
        };
        if let Some(deployed) = self.deployed_before(asked, &pinned).await? {
            return Ok(Planned::Begun(Box::new(deployed)));
        }
        let now = self.plan(asked, pinned.clone()).await?;
        if PlanDigest::of(&now) == *digest {
            let deployed = self.deploy(asked, pinned).await?;
            return Ok(Planned::Begun(Box::new(deployed)));
        }
        // The same form sent twice at once: the other one may have begun meanwhile and taken the room.
        if let Some(deployed) = self.deployed_before(asked, &pinned).await? {
            return Ok(Planned::Begun(Box::new(deployed)));
        }
        let why = match &now.node {
            None => format!("{node} cannot take it any more. {}.", why_not(&now, node)),
            Some(_) => "The cluster or the form has changed since that plan was made.".to_owned(),
        };
        Ok(Planned::Changed {
            plan: Box::new(self.plan(asked, request).await?),
            why,
        })
    }
}

fn why_not(plan: &Plan, node: &str) -> String {
    let named = plan.candidates.iter().find(|other| other.node == node);
    let mut reason = named.map_or(plan.reason.clone(), |candidate| candidate.reason.clone());
    if let Some(first) = reason.get(..1) {
        let first = first.to_uppercase();
        reason.replace_range(..1, &first);
    }
    reason
}
