//! A node as placement sees it: whether it is there, has storages, a template and the bridge.

use std::collections::BTreeMap;

use api::{Check, CheckState};
use proxmox::NodeSummary;

use super::{
    check::{Besides as _, failed, ok, warning},
    worst,
};
use crate::{
    Settings,
    placement::{NodeView, StorageView},
    template,
};

/// A node of the list that could not be asked for anything.
pub(super) fn unanswered(node: &NodeSummary) -> NodeView {
    NodeView {
        name: node.node.to_string(),
        online: node.online,
        maintenance: node.maintenance,
        unknown: Some("it does not answer in time".to_owned()),
        ..NodeView::default()
    }
}

/// What is found on each node, by its name. While one can take apps, what another lacks is only a limitation.
pub(super) fn look(view: &[NodeView], settings: &Settings) -> BTreeMap<String, Vec<Check>> {
    let mut found: BTreeMap<String, Vec<Check>> = view
        .iter()
        .map(|node| (node.name.clone(), judge(node, settings)))
        .collect();
    let is_able = |checks: &Vec<Check>| worst(checks) < CheckState::Failed;
    if found.values().any(is_able) {
        for check in found.values_mut().flatten() {
            if check.state == CheckState::Failed {
                check.state = CheckState::Warning;
                check.message.push_str(" Apps go to other nodes.");
            }
        }
    }
    for (name, checks) in &mut found {
        for check in checks {
            check.node = Some(name.clone());
        }
    }
    found
}

fn judge(node: &NodeView, settings: &Settings) -> Vec<Check> {
    let name = "node";
    if !node.online {
        return vec![
            failed(name, "The node does not answer the cluster.")
                .hint("Is it switched on, and its network up?"),
        ];
    }
    if let Some(why) = &node.unknown {
        return vec![
            failed(name, format!("The node could not be looked at: {why}."))
                .hint("Look at the services pveproxy and pvedaemon on the node."),
        ];
    }
    if node.maintenance {
        return vec![
            failed(name, "The node is in maintenance.")
                .hint("It takes apps again once its administrator ends that."),
        ];
    }
    let mut checks = vec![if node.memory_total == 0 {
        failed(
            name,
            "The node tells neither its memory nor its processors.",
        )
        .hint("Grant `Sys.Audit` on /nodes: without it no node can be chosen.")
    } else {
        ok(name, "The node is online.")
    }];
    checks.push(containers(node, settings));
    let templates = templates(node, settings);
    let place = templates.as_ref().ok().map(|storage| storage.name.clone());
    checks.push(match templates {
        Ok(storage) => ok(
            "template_storage",
            format!("`{}` takes templates.", storage.name),
        ),
        Err(check) => check,
    });
    checks.push(alpine(node, place.as_deref()));
    checks.push(bridge(node, settings));
    checks
}

/// A storage that takes this content: rather the node's own than a file server, then the roomiest; of this name, where
/// one is named.
fn storage<'a>(
    node: &'a NodeView,
    named: Option<&String>,
    takes: impl Fn(&StorageView) -> bool,
) -> Option<&'a StorageView> {
    node.storages
        .iter()
        .filter(|storage| storage.usable && takes(storage))
        .filter(|storage| named.is_none_or(|named| *named == storage.name))
        .max_by_key(|storage| (!storage.is_network_file, storage.available))
}

fn containers(node: &NodeView, settings: &Settings) -> Check {
    let name = "container_storage";
    let named = settings.storage.as_ref();
    match (storage(node, named, |storage| storage.holds_containers), named) {
        (Some(storage), _) if storage.is_network_file => warning(
            name,
            format!("`{}` takes containers, and is a file server: disks on it are slow, and hang when it does.", storage.name),
        )
        .hint("Prefer a storage of the node itself, named in PROXMOX_STORAGE."),
        (Some(storage), _) => ok(
            name,
            format!("`{}` takes containers, {} GiB are free.", storage.name, storage.available >> 30),
        ),
        (None, Some(named)) => failed(name, format!("`{named}` (PROXMOX_STORAGE) is not there or does not take containers."))
            .hint("Under Datacenter → Storage let it hold `Container`, and see that it is enabled and active."),
        (None, None) => failed(name, "No storage takes containers.")
            .hint("Under Datacenter → Storage let one hold `Container`, and grant `Datastore.AllocateSpace` and `Datastore.Audit` on it."),
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the check is what is shown, and is made a few times a look"
)]
fn templates<'a>(node: &'a NodeView, settings: &Settings) -> Result<&'a StorageView, Check> {
    let named = settings.template_storage.as_ref();
    storage(node, named, |storage| storage.holds_templates).ok_or_else(|| {
        let message = match named {
            Some(named) => format!(
                "`{named}` (PROXMOX_TEMPLATE_STORAGE) is not there or does not take templates."
            ),
            None => "No storage takes templates.".to_owned(),
        };
        failed("template_storage", message)
            .hint("Under Datacenter → Storage let one hold `Container template`.")
    })
}

fn alpine(node: &NodeView, download_to: Option<&str>) -> Check {
    let name = "template";
    let present = node.storages.iter().flat_map(|storage| &storage.templates);
    // A template that nothing could hold cannot be downloaded.
    let offered = node
        .offered_templates
        .iter()
        .filter(|_| download_to.is_some());
    let choice = template::choose(
        &node.architecture,
        present.map(String::as_str),
        offered.map(String::as_str),
        download_to.unwrap_or_default(),
    );
    match choice {
        Some(choice) if choice.download => ok(
            name,
            format!(
                "`{}` is on offer and is downloaded with the first deployment.",
                choice.file
            ),
        ),
        Some(choice) => ok(name, format!("`{}` is there.", choice.volume())),
        None => failed(
            name,
            format!(
                "There is no Alpine template for {}, neither on a storage nor on offer.",
                node.architecture
            ),
        )
        .hint("Run `pveam update` on the node, and see that it reaches download.proxmox.com."),
    }
}

fn bridge(node: &NodeView, settings: &Settings) -> Check {
    let name = "bridge";
    let bridge = &settings.bridge;
    if node.bridges.contains(bridge) {
        return ok(name, format!("The bridge `{bridge}` is there."));
    }
    let there = node.bridges.join(", ");
    failed(name, format!("There is no active bridge `{bridge}`."))
        .evidence(format!(
            "active bridges: {}",
            if there.is_empty() { "none" } else { &there }
        ))
        .hint("Create it on the node, or name another in PROXMOX_BRIDGE.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeView {
        NodeView {
            name: name.to_owned(),
            online: true,
            memory_total: 1 << 34,
            architecture: "amd64".to_owned(),
            bridges: vec!["vmbr0".to_owned()],
            offered_templates: vec!["alpine-3.23-default_20260116_amd64.tar.xz".to_owned()],
            storages: vec![StorageView {
                name: "local".to_owned(),
                usable: true,
                holds_containers: true,
                holds_templates: true,
                available: 1 << 36,
                ..StorageView::default()
            }],
            ..NodeView::default()
        }
    }

    /// Name and state of what is not as it should be.
    fn bad(view: &[NodeView], settings: &Settings) -> Vec<(String, CheckState)> {
        let found = look(view, settings).into_values().flatten();
        found
            .filter(|check| check.state != CheckState::Ok)
            .map(|check| (check.name, check.state))
            .collect()
    }

    #[test]
    fn each_lack_is_found_by_its_name() {
        type Break = fn(&mut NodeView);
        let settings = Settings::default();
        assert_eq!(bad(&[node("a")], &settings), []);
        let lacks: [(&str, Break); 7] = [
            ("node", |node| node.online = false),
            ("node", |node| node.maintenance = true),
            ("node", |node| node.memory_total = 0),
            ("container_storage", |node| {
                node.storages[0].holds_containers = false;
            }),
            ("template", |node| node.offered_templates.clear()),
            ("template", |node| node.architecture = "riscv64".to_owned()),
            ("bridge", |node| node.bridges.clear()),
        ];
        for (name, lack) in lacks {
            let mut alone = node("a");
            lack(&mut alone);
            assert_eq!(
                bad(&[alone], &settings),
                [(name.to_owned(), CheckState::Failed)]
            );
        }
    }

    #[test]
    fn what_one_node_lacks_is_a_limitation_while_another_has_it() {
        let mut away = node("a");
        away.online = false;
        let found = look(&[away, node("b")], &Settings::default());
        assert_eq!(found["a"][0].state, CheckState::Warning);
        assert_eq!(
            found["a"][0].message,
            "The node does not answer the cluster. Apps go to other nodes."
        );
        assert_eq!(found["a"][0].node.as_deref(), Some("a"));
        assert_eq!(worst(&found["b"]), CheckState::Ok);
    }

    #[test]
    fn a_storage_that_was_named_must_be_there() {
        let settings = Settings {
            storage: Some("ceph".to_owned()),
            template_storage: Some("nfs".to_owned()),
            ..Settings::default()
        };
        let names: Vec<_> = bad(&[node("a")], &settings)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["container_storage", "template_storage", "template"]);
    }
}
