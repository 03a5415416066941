//! Placement: which node takes an app, and what speaks against each of the others.
//!
//! Pure: it looks at a [`NodeView`] per node and never asks the cluster itself, so that the plan a person
//! sees and the choice a deployment makes are the same function of the same facts.

mod facts;
#[cfg(test)]
mod tests;

use api::Candidate;
use serde::{Deserialize, Serialize};

pub(crate) use facts::{Demand, NodeView, StorageView};

use crate::template::{self, TemplateChoice};

/// Memory that a node keeps for itself, bytes.
const MEMORY_RESERVE: u64 = 256 << 20;
/// Disk that a storage keeps free, bytes: a thin pool that runs full stops every guest on it.
const DISK_RESERVE: u64 = 1 << 30;

/// Where an app goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The node.
    pub node: String,
    /// The storage of the root file system.
    pub storage: String,
    /// The template, and whether it must be fetched.
    pub template: TemplateChoice,
}

/// The outcome for all nodes.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// Where the app goes; `None` when no node fits.
    pub choice: Option<Choice>,
    /// Every node, the chosen one first, then those that fit, then the others.
    pub candidates: Vec<Candidate>,
}

impl Placement {
    /// Why the chosen node was chosen, or why none was, in a sentence.
    pub(crate) fn reason(&self) -> String {
        match (&self.choice, self.candidates.first()) {
            (Some(_), Some(first)) => format!("{}: {}", first.node, first.reason),
            _ if self.candidates.is_empty() => "the cluster told of no node".to_owned(),
            _ => format!("no node fits. {}", self.losers().join("; ")),
        }
    }

    /// One sentence for each node that does not fit.
    pub(crate) fn losers(&self) -> Vec<String> {
        self.candidates
            .iter()
            .filter(|candidate| !candidate.fits)
            .map(|candidate| format!("{}: {}", candidate.node, candidate.reason))
            .collect()
    }
}

/// Chooses among `nodes`. Ties go to the first by name, so that the same facts give the same answer.
pub(crate) fn choose(demand: &Demand, nodes: &[NodeView]) -> Placement {
    let mut judged: Vec<(Candidate, Option<Choice>)> =
        nodes.iter().map(|node| judge(demand, node)).collect();
    judged.sort_by(|(a, _), (b, _)| {
        b.score
            .unwrap_or(-1.0)
            .total_cmp(&a.score.unwrap_or(-1.0))
            .then_with(|| a.node.cmp(&b.node))
    });
    let choice = judged.first().and_then(|(_, choice)| choice.clone());
    if let Some(wanted) = &demand.node
        && !nodes.iter().any(|node| node.name == *wanted)
    {
        let reason = "the cluster has no node of this name".to_owned();
        let unknown = Candidate {
            node: wanted.clone(),
            fits: false,
            reason,
            score: None,
        };
        judged.insert(0, (unknown, None));
    }
    Placement {
        choice,
        candidates: judged.into_iter().map(|(candidate, _)| candidate).collect(),
    }
}

fn judge(demand: &Demand, node: &NodeView) -> (Candidate, Option<Choice>) {
    match fit(demand, node) {
        Err(reason) => (
            Candidate {
                node: node.name.clone(),
                fits: false,
                reason,
                score: None,
            },
            None,
        ),
        Ok(Fit {
            choice,
            reason,
            score,
        }) => (
            Candidate {
                node: node.name.clone(),
                fits: true,
                reason,
                score: Some(score),
            },
            Some(choice),
        ),
    }
}

struct Fit {
    choice: Choice,
    reason: String,
    score: f64,
}

/// Every demand in the order in which a person would check it; the first that fails is the reason.
fn fit(demand: &Demand, node: &NodeView) -> Result<Fit, String> {
    if let Some(wanted) = demand.node.as_ref().filter(|wanted| **wanted != node.name) {
        return Err(format!("not asked for, {wanted} was"));
    }
    if !node.online {
        return Err("it is offline".to_owned());
    }
    if node.maintenance {
        return Err("it is in maintenance".to_owned());
    }
    if let Some(reason) = &node.unknown {
        return Err(reason.clone());
    }
    if !demand.architectures.is_empty() && !demand.architectures.contains(&node.architecture) {
        return Err(format!(
            "the app runs on {}, this node is {}",
            demand.architectures.join(" and "),
            node.architecture
        ));
    }
    if demand.cores > node.cores {
        return Err(format!(
            "{} cores are asked for, it has {}",
            demand.cores, node.cores
        ));
    }
    let memory_free = node
        .memory_total
        .saturating_sub(node.memory_used)
        .saturating_sub(node.memory_promised)
        .saturating_sub(MEMORY_RESERVE);
    if memory_free < demand.memory {
        return Err(format!(
            "{} of memory are asked for, {} are free after what is promised",
            size(demand.memory),
            size(memory_free)
        ));
    }
    if !node.bridges.contains(&demand.bridge) {
        return Err(format!("it has no active bridge {}", demand.bridge));
    }
    let (storage, disk_free) = root_storage(demand, node)?;
    let template = template_for(demand, node)?;
    let score = score(demand, node, memory_free, storage, disk_free, &template);
    let reason = format!(
        "{} of memory and {} on {} free after what is promised, CPU at {:.0} %{}",
        size(memory_free),
        size(disk_free),
        storage.name,
        node.cpu * 100.0,
        if template.download {
            ", the template must be downloaded first"
        } else {
            ""
        }
    );
    let choice = Choice {
        node: node.name.clone(),
        storage: storage.name.clone(),
        template,
    };
    Ok(Fit {
        choice,
        reason,
        score,
    })
}

/// The best storage among those that may be used, and its free bytes.
fn root_storage<'a>(demand: &Demand, node: &'a NodeView) -> Result<(&'a StorageView, u64), String> {
    let allowed = |storage: &&StorageView| {
        demand
            .storage
            .as_ref()
            .is_none_or(|wanted| *wanted == storage.name)
    };
    let best = node
        .storages
        .iter()
        .filter(allowed)
        .filter(|storage| storage.holds_containers && storage.usable)
        .map(|storage| (storage, free(storage)))
        .max_by_key(|(storage, free)| {
            // Any that has room before one that has not; then a near one; then the one with the most room.
            let near = *free >= demand.disk && !storage.is_network_file;
            (near, *free, std::cmp::Reverse(storage.name.clone()))
        });
    match (best, &demand.storage) {
        (Some((storage, free)), _) if free >= demand.disk => Ok((storage, free)),
        (Some((storage, free)), _) => Err(format!(
            "{} of disk are asked for, {} has {} free after what is promised",
            size(demand.disk),
            storage.name,
            size(free)
        )),
        (None, Some(wanted)) => Err(format!(
            "the storage {wanted} is not there or does not take containers"
        )),
        (None, None) => Err("it has no active storage that takes containers".to_owned()),
    }
}

fn free(storage: &StorageView) -> u64 {
    storage
        .available
        .saturating_sub(storage.promised)
        .saturating_sub(DISK_RESERVE)
}

fn template_for(demand: &Demand, node: &NodeView) -> Result<TemplateChoice, String> {
    let storages: Vec<&StorageView> = node
        .storages
        .iter()
        .filter(|storage| storage.holds_templates && storage.usable)
        .filter(|storage| {
            demand
                .template_storage
                .as_ref()
                .is_none_or(|wanted| *wanted == storage.name)
        })
        .collect();
    if storages.is_empty() {
        return Err(match &demand.template_storage {
            Some(wanted) => format!("the storage {wanted} is not there or does not take templates"),
            None => "it has no active storage that takes templates".to_owned(),
        });
    }
    let present = storages
        .iter()
        .flat_map(|storage| storage.templates.iter().map(String::as_str));
    let roomiest = storages
        .iter()
        .max_by_key(|storage| (storage.available, std::cmp::Reverse(storage.name.clone())))
        .expect("the list was just seen not to be empty");
    template::choose(
        &node.architecture,
        present,
        node.offered_templates.iter().map(String::as_str),
        &roomiest.name,
    )
    .ok_or_else(|| {
        format!(
            "it has no Alpine template for {} and offers none",
            node.architecture
        )
    })
}

/// Room is what matters most: memory runs out first on a homelab node, then disk, then CPU. A template that
/// is there already only breaks near-ties.
fn score(
    demand: &Demand,
    node: &NodeView,
    memory_free: u64,
    storage: &StorageView,
    disk_free: u64,
    template: &TemplateChoice,
) -> f64 {
    let memory = share(memory_free.saturating_sub(demand.memory), node.memory_total);
    let disk = share(disk_free.saturating_sub(demand.disk), storage.total);
    let cpu = 1.0 - node.cpu.clamp(0.0, 1.0);
    let template = if template.download { 0.0 } else { 1.0 };
    0.55 * memory + 0.20 * disk + 0.20 * cpu + 0.05 * template
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a score needs no more than 52 bits"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64).min(1.0)
    }
}

/// Bytes for a person: `1.5 GiB`, `512 MiB`.
#[expect(clippy::cast_precision_loss, reason = "rounded to a tenth anyway")]
pub(crate) fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB {
        let text = format!("{:.1}", bytes as f64 / GIB as f64);
        format!("{} GiB", text.strip_suffix(".0").unwrap_or(&text))
    } else {
        format!("{} MiB", bytes >> 20)
    }
}
