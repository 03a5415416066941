//! From what a person asks to what would be done: the wish checked, and the plan made of it.
//!
//! A deployment and its plan come from the same [`Wish`], and the plan is made by the same functions that the
//! steps use, so that the plan shown is the plan that runs.

use std::collections::BTreeSet;

use api::{AppId, Deploy, FieldError, Network, Plan, PlannedStep, Resources};
use catalog::{Answers, Manifest};
use proxmox::NodeName;

use crate::{
    Asked, Control, Error, Overview,
    estimate::Estimate,
    hostname,
    operations::{self, Size, State},
    placement::{self, NodeView},
    project, random,
    steps::{demand, propose},
    view::ClusterView,
};

/// Longest name of an app, in characters.
const LONGEST_NAME: usize = 120;

/// A deployment that was asked for and is valid in itself.
pub(crate) struct Wish {
    pub manifest: Manifest,
    pub answers: Answers,
    pub name: String,
    pub hostname: String,
    /// Whether the person gave the name, so that no other may be taken instead.
    pub is_named: bool,
    pub size: Size,
    pub network: Network,
    pub node: Option<String>,
}

impl Control {
    /// Checks a wish against the catalog entry; all that is wrong at once.
    pub(crate) fn wish(&self, request: Deploy) -> Result<Wish, Error> {
        let manifest = self.manifest(&request.catalog_id)?.clone();
        let mut errors = Vec::new();
        let name = request.name.clone().unwrap_or_else(|| manifest.id.clone());
        check_name(&name, &mut errors);
        let size = size(&manifest, &request.resources, &mut errors);
        check_network(&request.network, &mut errors);
        if let Some(node) = &request.node
            && node.parse::<NodeName>().is_err()
        {
            errors.push(error("/node", "is not a name that a Proxmox node can have"));
        }
        let answers = manifest
            .resolve(&request.parameters, &mut rand::rng())
            .unwrap_or_else(|wrong| {
                errors.extend(wrong.into_iter().map(|wrong| FieldError {
                    pointer: wrong.pointer,
                    message: wrong.message,
                }));
                Answers::default()
            });
        if !errors.is_empty() {
            return Err(Error::Invalid { errors });
        }
        Ok(Wish {
            hostname: hostname::of(&name, &manifest.id),
            is_named: request.name.is_some(),
            network: request.network,
            node: request.node,
            manifest,
            answers,
            name,
            size,
        })
    }

    /// What a deployment would do now. Nothing is done.
    pub async fn plan(&self, _asked: &Asked, request: Deploy) -> Result<Plan, Error> {
        let wish = self.wish(request)?;
        let site = &self.site;
        let promises = site.store.apps().promised().await?;
        let view = self.view(&promises).await?;
        let taken = self.taken(&view).await?;
        let vmid = propose(site, &taken).await.ok().map(proxmox::Vmid::get);
        self.planned(&wish, &view.nodes, vmid).await
    }

    /// What a deployment would do, judged by the cluster as it was seen a moment ago. Waits for nobody; nothing,
    /// where the cluster has not been seen yet.
    pub async fn draft(&self, request: Deploy, seen: &Overview) -> Result<Option<Plan>, Error> {
        let wish = self.wish(request)?;
        let Some(view) = &seen.view else {
            return Ok(None);
        };
        let taken = self.taken(view).await?;
        let range = self.site.settings.vmid_range.clone();
        let vmid = range
            .unwrap_or(100..=999_999_999)
            .find(|vmid| !taken.contains(vmid));
        self.planned(&wish, &view.nodes, vmid).await.map(Some)
    }

    /// The numbers that guests have, and those that our own operations have written down.
    async fn taken(&self, view: &ClusterView) -> Result<BTreeSet<u32>, Error> {
        let mut taken: BTreeSet<u32> = view.guests.iter().map(|guest| guest.vmid.get()).collect();
        taken.extend(self.site.store.apps().reserved_vmids().await?);
        Ok(taken)
    }

    async fn planned(
        &self,
        wish: &Wish,
        nodes: &[NodeView],
        vmid: Option<u32>,
    ) -> Result<Plan, Error> {
        let site = &self.site;
        let state = wish.state(site.store.new_app_id(), &random::hex::<16>());
        let demand = demand(&state, site);
        let placement = placement::choose(&demand, nodes);
        let choice = placement.choice.as_ref();
        let address = wish.network.address.clone();
        let estimate = self.estimate(&wish.manifest.id).await?;
        Ok(Plan {
            name: wish.name.clone(),
            catalog_id: wish.manifest.id.clone(),
            node: choice.map(|choice| choice.node.clone()),
            reason: placement.reason(),
            vmid: vmid.filter(|_| choice.is_some()),
            storage: choice.map(|choice| choice.storage.clone()),
            template: choice.map(|choice| choice.template.file.clone()),
            template_download: choice.is_some_and(|choice| choice.template.download),
            candidates: placement.candidates.clone(),
            endpoints: project::endpoints(
                &wish.manifest,
                &wish.answers,
                fixed_address(address.as_deref()),
            ),
            address: address.unwrap_or_else(|| "dhcp".to_owned()),
            bridge: demand.bridge,
            resources: Resources {
                cores: Some(wish.size.cores),
                memory: Some(wish.size.memory),
                swap: Some(wish.size.swap),
                disk: Some(wish.size.disk),
            },
            images: wish.manifest.images_for(&wish.answers),
            steps: steps(api::OperationKind::Deploy, &estimate),
        })
    }
}

impl Wish {
    /// The state that the operation is asked with.
    pub(crate) fn state(&self, app: AppId, nonce: &str) -> State {
        State {
            app,
            name: self.name.clone(),
            hostname: self.hostname.clone(),
            catalog_id: self.manifest.id.clone(),
            nonce: nonce.to_owned(),
            size: self.size,
            network: self.network.clone(),
            architectures: self.manifest.architectures.clone(),
            wanted_node: self.node.clone(),
            choice: None,
            vmid: None,
            create_task: None,
            create_asked: false,
            node: None,
            address: None,
            was_running: None,
            before: None,
        }
    }
}

/// The address of a fixed one, without its prefix.
fn fixed_address(address: Option<&str>) -> Option<std::net::IpAddr> {
    address?.split_once('/')?.0.parse().ok()
}

fn error(pointer: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        message: message.into(),
    }
}

/// Whether an app may be called this.
pub(crate) fn is_name(name: &str) -> bool {
    let mut errors = Vec::new();
    check_name(name, &mut errors);
    errors.is_empty()
}

/// A name may be any text that a person can type, for it is only shown.
fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    if name.trim().is_empty() {
        errors.push(error("/name", "must not be empty"));
    } else if name.chars().count() > LONGEST_NAME {
        errors.push(error(
            "/name",
            format!("must not be longer than {LONGEST_NAME} characters"),
        ));
    } else if name
        .chars()
        .any(|character| character.is_control() && character != '\n' && character != '\t')
    {
        errors.push(error("/name", "must not hold control characters"));
    } else if name.parse::<AppId>().is_ok() {
        errors.push(error("/name", "must not look like the id of an app"));
    }
}

/// What was asked for, else what the entry recommends; never less than the entry needs.
fn size(manifest: &Manifest, asked: &Resources, errors: &mut Vec<FieldError>) -> Size {
    let (floor, usual) = (&manifest.resources, &manifest.resources.recommended);
    let size = Size {
        cores: asked.cores.unwrap_or(usual.cores),
        memory: asked.memory.unwrap_or(usual.memory),
        swap: asked.swap.unwrap_or(usual.swap),
        disk: asked.disk.unwrap_or(usual.disk),
    };
    let mut check = |field: &str, given: u64, least: u64, most: u64, show: fn(u64) -> String| {
        if given < least {
            errors.push(error(
                field,
                format!(
                    "must be at least {}: {} needs that much",
                    show(least),
                    manifest.name
                ),
            ));
        } else if given > most {
            errors.push(error(
                field,
                format!("must not be more than {}", show(most)),
            ));
        }
    };
    check(
        "/resources/cores",
        size.cores.into(),
        floor.cores.into(),
        8192,
        |count| count.to_string(),
    );
    check(
        "/resources/memory",
        size.memory,
        floor.memory,
        1 << 44,
        placement::size,
    );
    check("/resources/swap", size.swap, 0, 1 << 44, placement::size);
    check(
        "/resources/disk",
        size.disk,
        floor.disk,
        1 << 47,
        placement::size,
    );
    size
}

fn check_network(network: &Network, errors: &mut Vec<FieldError>) {
    if let Some(bridge) = &network.bridge
        && (bridge.is_empty()
            || bridge.len() > 15
            || !bridge
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)))
    {
        errors.push(error(
            "/network/bridge",
            "is not a name that a bridge can have",
        ));
    }
    if network.vlan.is_some_and(|vlan| !(1..=4094).contains(&vlan)) {
        errors.push(error("/network/vlan", "must be from 1 to 4094"));
    }
    if let Some(address) = &network.address
        && parse_address(address).is_none()
    {
        errors.push(error(
            "/network/address",
            "must be an IPv4 address with its prefix, e.g. 192.168.1.50/24",
        ));
    }
    if network.gateway.is_some_and(|gateway| gateway.is_ipv6()) {
        errors.push(error("/network/gateway", "must be an IPv4 address"));
    }
    if network.gateway.is_some() && network.address.is_none() {
        errors.push(error(
            "/network/gateway",
            "goes with a static address; DHCP brings its own",
        ));
    }
}

/// A static address and the length of its prefix.
pub(crate) fn parse_address(text: &str) -> Option<(std::net::Ipv4Addr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let prefix: u8 = prefix.parse().ok()?;
    (prefix <= 32).then_some((address.parse().ok()?, prefix))
}

/// The steps in the order in which they run, each in a sentence.
pub(crate) fn steps(kind: api::OperationKind, estimate: &Estimate) -> Vec<PlannedStep> {
    let plan = operations::plan(kind);
    let step = |name: &&'static str| PlannedStep {
        name: (*name).to_owned(),
        description: describe(name).to_owned(),
        reversible: *name != "fetch_template",
        expected_seconds: estimate.get(*name).copied(),
    };
    plan.names.iter().map(step).collect()
}

fn describe(step: &str) -> &'static str {
    match step {
        "choose_node" => "Choose the node and promise the app its memory and disk",
        "reserve_vmid" => "Reserve a number for the container",
        "fetch_template" => {
            "Have the node download the Alpine template where it is missing; it stays there"
        }
        "create_container" => {
            "Create an unprivileged container that carries the app's proof of ownership"
        }
        "grant_features" => "Set the container's features that the API identity may not set",
        "start_container" => "Start the container",
        "await_address" => "Wait for its address",
        "install_docker" => "Install Docker and prove that it can run a container",
        "upload_project" => "Write the app's files into the container",
        "pull_images" => "Pull the app's images",
        "start_project" => "Start the app's services",
        "check_health" => "Wait until every service runs and the app's own check passes",
        "observe_container" => "Find the container, prove what it is, and note whether it runs",
        "read_project" => "Read the app's files in the container and take its answers from them",
        "restore_power" => "Stop the container again where it did not run",
        "publish" => "Show the app as running, with its addresses",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_a_deployment_is_described() {
        for kind in [api::OperationKind::Deploy, api::OperationKind::Adopt] {
            assert!(
                steps(kind, &Estimate::new())
                    .iter()
                    .all(|step| !step.description.is_empty())
            );
        }
    }

    #[test]
    fn names_may_be_anything_that_can_be_typed() {
        let wrong = |name: &str| {
            let mut errors = Vec::new();
            check_name(name, &mut errors);
            !errors.is_empty()
        };
        for name in ["memos", "Bob's \"Café\" $HOME `id`\nsecond line", "日本"] {
            assert!(!wrong(name), "{name}");
        }
        for name in [
            "",
            "  ",
            "a\0b",
            "\u{1b}[2J",
            "app_00000000000000000000000000000007",
        ] {
            assert!(wrong(name), "{name:?}");
        }
        assert!(wrong(&"x".repeat(121)));
    }
}
