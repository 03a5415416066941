//! Placement: which node takes an app, and what speaks against each of the others.
//!
//! Pure: it looks at a [`NodeView`] per node and never asks the cluster itself, so that the plan a person
//! sees and the choice a deployment makes are the same function of the same facts.

use api::Candidate;
use serde::{Deserialize, Serialize};

use crate::template::{self, TemplateChoice};

/// Memory that a node keeps for itself, bytes.
const MEMORY_RESERVE: u64 = 256 << 20;
/// Disk that a storage keeps free, bytes: a thin pool that runs full stops every guest on it.
const DISK_RESERVE: u64 = 1 << 30;

/// What an app asks of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand {
    /// CPU cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory: u64,
    /// Root file system, bytes.
    pub disk: u64,
    /// Bridge of its interface.
    pub bridge: String,
    /// Architectures that it runs on, in Debian's words; any, when empty.
    pub architectures: Vec<String>,
    /// The one node that a person asked for.
    pub node: Option<String>,
    /// The one storage that the settings allow for root file systems.
    pub storage: Option<String>,
    /// The one storage that the settings allow for templates.
    pub template_storage: Option<String>,
}

/// A node as placement sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeView {
    /// Name.
    pub name: String,
    /// Whether the cluster hears it.
    pub online: bool,
    /// Whether its administrator is at work on it.
    pub maintenance: bool,
    /// CPU in use, 0 to 1.
    pub cpu: f64,
    /// CPU cores.
    pub cores: u32,
    /// Memory in use, bytes.
    pub memory_used: u64,
    /// Memory, bytes.
    pub memory_total: u64,
    /// Memory that apps on it were promised and do not use yet, bytes.
    pub memory_promised: u64,
    /// Architecture in Debian's words, `amd64` where the node does not tell.
    pub architecture: String,
    /// Its storages.
    pub storages: Vec<StorageView>,
    /// Its active bridges.
    pub bridges: Vec<String>,
    /// File names on its template index.
    pub offered_templates: Vec<String>,
    /// Why it could not be asked, in a sentence.
    pub unknown: Option<String>,
}

/// A storage as placement sees it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each asked for by its name"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct StorageView {
    /// Name.
    pub name: String,
    /// Whether it takes root file systems of containers.
    pub holds_containers: bool,
    /// Whether it takes templates.
    pub holds_templates: bool,
    /// Whether each read and write crosses the network to a file server: slower for a container's disk, and it
    /// hangs when the server does.
    pub is_network_file: bool,
    /// Whether it is enabled and active.
    pub usable: bool,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub available: u64,
    /// Bytes that apps on it were promised and do not use yet.
    pub promised: u64,
    /// Templates on it, as `storage:vztmpl/file`.
    pub templates: Vec<String>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn demand() -> Demand {
        Demand {
            cores: 1,
            memory: GIB,
            disk: 4 * GIB,
            bridge: "vmbr0".to_owned(),
            ..Demand::default()
        }
    }

    fn node(name: &str) -> NodeView {
        NodeView {
            name: name.to_owned(),
            online: true,
            cores: 4,
            memory_used: 2 * GIB,
            memory_total: 16 * GIB,
            architecture: "amd64".to_owned(),
            bridges: vec!["vmbr0".to_owned()],
            storages: vec![
                StorageView {
                    name: "local".to_owned(),
                    holds_templates: true,
                    usable: true,
                    total: 100 * GIB,
                    available: 50 * GIB,
                    templates: vec![
                        "local:vztmpl/alpine-3.23-default_20260116_amd64.tar.xz".to_owned(),
                    ],
                    ..StorageView::default()
                },
                StorageView {
                    name: "local-lvm".to_owned(),
                    holds_containers: true,
                    usable: true,
                    total: 200 * GIB,
                    available: 100 * GIB,
                    ..StorageView::default()
                },
            ],
            ..NodeView::default()
        }
    }

    fn why_not(change: impl FnOnce(&mut NodeView)) -> String {
        let mut view = node("pve1");
        change(&mut view);
        let placement = choose(&demand(), &[view]);
        assert_eq!(placement.choice, None);
        placement.candidates[0].reason.clone()
    }

    #[test]
    fn the_roomier_node_wins_and_says_why() {
        let mut busy = node("pve1");
        busy.memory_used = 12 * GIB;
        let placement = choose(&demand(), &[busy, node("pve2")]);
        let choice = placement.choice.clone().expect("a node fits");
        assert_eq!(
            (choice.node.as_str(), choice.storage.as_str()),
            ("pve2", "local-lvm")
        );
        assert!(!choice.template.download);
        assert_eq!(
            placement.reason(),
            "pve2: 13.8 GiB of memory and 99 GiB on local-lvm free after what is promised, CPU at 0 %"
        );
    }

    #[test]
    fn a_tie_goes_to_the_first_name_however_they_are_listed() {
        let placement = choose(&demand(), &[node("pve2"), node("pve1")]);
        assert_eq!(placement.choice.expect("fits").node, "pve1");
    }

    #[test]
    fn what_is_promised_counts_as_taken() {
        let mut promised = node("pve1");
        promised.memory_promised = 13 * GIB;
        let placement = choose(&demand(), &[promised, node("pve2")]);
        assert_eq!(placement.choice.clone().expect("fits").node, "pve2");
        assert_eq!(
            placement.losers(),
            ["pve1: 1 GiB of memory are asked for, 768 MiB are free after what is promised"]
        );
    }

    #[test]
    fn every_reason_is_a_sentence() {
        assert_eq!(why_not(|node| node.online = false), "it is offline");
        assert_eq!(
            why_not(|node| node.maintenance = true),
            "it is in maintenance"
        );
        assert_eq!(
            why_not(|node| node.cores = 0),
            "1 cores are asked for, it has 0"
        );
        assert_eq!(
            why_not(|node| node.bridges.clear()),
            "it has no active bridge vmbr0"
        );
        assert_eq!(
            why_not(|node| node.storages[1].usable = false),
            "it has no active storage that takes containers"
        );
        assert_eq!(
            why_not(|node| node.storages[1].promised = 98 * GIB),
            "4 GiB of disk are asked for, local-lvm has 1 GiB free after what is promised"
        );
        assert_eq!(
            why_not(|node| node.storages[0].templates.clear()),
            "it has no Alpine template for amd64 and offers none"
        );
        assert_eq!(
            why_not(|node| node.storages.remove(0).templates.clear()),
            "it has no active storage that takes templates"
        );
    }

    #[test]
    fn a_template_that_must_be_downloaded_is_no_obstacle() {
        let mut bare = node("pve1");
        bare.storages[0].templates.clear();
        bare.offered_templates = vec!["alpine-3.24-default_20260714_amd64.tar.xz".to_owned()];
        let choice = choose(&demand(), &[bare]).choice.expect("fits");
        assert!(choice.template.download);
        assert_eq!(choice.template.storage, "local");
    }

    #[test]
    fn a_named_node_is_the_only_one_considered() {
        let demand = Demand {
            node: Some("pve2".to_owned()),
            ..demand()
        };
        let placement = choose(&demand, &[node("pve1"), node("pve2")]);
        assert_eq!(placement.choice.clone().expect("fits").node, "pve2");
        assert_eq!(placement.losers(), ["pve1: not asked for, pve2 was"]);
    }

    #[test]
    fn a_node_that_is_not_there_is_said_to_be_missing() {
        let demand = Demand {
            node: Some("pve9".to_owned()),
            ..demand()
        };
        let placement = choose(&demand, &[node("pve1")]);
        assert_eq!(placement.choice, None);
        assert_eq!(
            placement.losers()[0],
            "pve9: the cluster has no node of this name"
        );
    }

    #[test]
    fn a_near_storage_goes_before_a_roomier_one_across_the_network() {
        let mut view = node("pve1");
        let mut nfs = view.storages[1].clone();
        (nfs.name, nfs.available, nfs.is_network_file) = ("nfs".to_owned(), 900 * GIB, true);
        view.storages.push(nfs);
        let chosen = |demand: &Demand| {
            choose(demand, std::slice::from_ref(&view))
                .choice
                .expect("fits")
                .storage
        };
        assert_eq!(chosen(&demand()), "local-lvm");
        assert_eq!(
            chosen(&Demand {
                disk: 400 * GIB,
                ..demand()
            }),
            "nfs"
        );
    }

    #[test]
    fn an_app_for_another_architecture_does_not_fit() {
        let demand = Demand {
            architectures: vec!["arm64".to_owned()],
            ..demand()
        };
        let placement = choose(&demand, &[node("pve1")]);
        assert_eq!(
            placement.losers(),
            ["pve1: the app runs on arm64, this node is amd64"]
        );
    }
}
