//! What is chosen, and what is said of the others.

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
