//! The nodes: what they have, what runs there, and why one would not be chosen now.

use std::{collections::BTreeMap, sync::Arc};

use api::{AppId, AppReference};
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use control::{Amount, GuestOverview, NodeOverview, Overview, StorageOverview};
use futures::StreamExt as _;
use serde::Serialize;

use super::{
    commands,
    home::{Meter, Silence, changes, meter, silence},
    live::{self, Patch},
    page::Head,
    picture,
    state::{self, Badge},
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{Read, Until},
    layer::RequestId,
    site::Site,
};

/// Other people's guests that are named on a node; the rest is a number.
const NAMED: usize = 12;

/// The argument of the component.
#[derive(Serialize)]
struct Whole {
    of: View,
}

#[derive(Serialize)]
struct View {
    seen_at: Option<DateTime<Utc>>,
    silence: Option<Silence>,
    nodes: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    name: String,
    badge: Badge,
    cores: u32,
    /// CPU in use, percent.
    cpu: u32,
    memory: Meter,
    storages: Vec<Storage>,
    apps: Vec<Resident>,
    others: Vec<Guest>,
    /// Others that are not named.
    unnamed: usize,
    unfit: Option<String>,
}

#[derive(Serialize)]
struct Storage {
    name: String,
    shared: bool,
    usable: bool,
    holds_containers: bool,
    meter: Meter,
}

/// One of our apps on a node.
#[derive(Serialize)]
struct Resident {
    link: String,
    name: String,
    picture: String,
    running: bool,
    vmid: u32,
    memory: u64,
}

/// Somebody else's guest: nothing of ours, only named.
#[derive(Serialize)]
struct Guest {
    vmid: u32,
    name: String,
    is_container: bool,
    running: bool,
}

/// `GET /nodes`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
) -> Result<Response, Error> {
    let view = view(&site.control.overview(), &site.control.residents().await?);
    let head = Head::new("Nodes").under("nodes").live("/live/nodes");
    viewer.show("nodes.html", head, &Whole { of: view })
}

/// `GET /live/nodes`: the nodes again whenever the cluster was looked at.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    let watcher = Arc::new((site.control.clone(), viewer));
    let looks = changes(site.control.overviews());
    let patches = looks.then(move |overview| {
        let watcher = watcher.clone();
        async move {
            let (control, viewer) = watcher.as_ref();
            let of = view(&overview, &control.residents().await?);
            let html = viewer.fragment_at(control.now(), "nodes.all", &Whole { of })?;
            Ok((None::<i64>, Patch::default().replace("nodes", html)))
        }
    });
    Ok(live::answer(patches, until, request_id))
}

fn view(overview: &Overview, residents: &BTreeMap<u32, AppReference>) -> View {
    let mut guests: BTreeMap<&str, Vec<&GuestOverview>> = BTreeMap::new();
    for guest in overview.guests.values().filter(|guest| !guest.is_template) {
        guests.entry(&guest.node).or_default().push(guest);
    }
    let nodes = overview.nodes.iter().map(|node| {
        let there = guests.remove(node.node.name.as_str()).unwrap_or_default();
        shown(node, &there, residents)
    });
    View {
        nodes: nodes.collect(),
        seen_at: overview.seen_at,
        silence: overview.silence.as_ref().map(silence),
    }
}

fn shown(
    overview: &NodeOverview,
    guests: &[&GuestOverview],
    residents: &BTreeMap<u32, AppReference>,
) -> Node {
    let node = &overview.node;
    let (mut apps, mut others) = (Vec::new(), Vec::new());
    for guest in guests {
        match residents.get(&guest.vmid) {
            Some(app) => apps.push(resident(guest, app)),
            None => others.push(other(guest)),
        }
    }
    let unnamed = others.len().saturating_sub(NAMED);
    others.truncate(NAMED);
    Node {
        name: node.name.clone(),
        badge: state::node(node.state),
        cores: node.cores,
        cpu: percent(node.cpu),
        memory: meter(Amount {
            used: node.memory_used,
            promised: node.memory_promised,
            total: node.memory_total,
        }),
        storages: overview.storages.iter().map(storage).collect(),
        apps,
        others,
        unnamed,
        unfit: node.unfit.clone(),
    }
}

fn storage(storage: &StorageOverview) -> Storage {
    Storage {
        name: storage.name.clone(),
        shared: storage.shared,
        usable: storage.usable,
        holds_containers: storage.holds_containers,
        meter: meter(Amount {
            used: storage.total.saturating_sub(storage.available),
            promised: storage.promised,
            total: storage.total,
        }),
    }
}

/// By its name, which weighs half of what an id does where there are hundreds; unless the name is one that an id may
/// have.
fn link(app: &AppReference) -> String {
    match app.name.parse::<AppId>() {
        Ok(_) => format!("/apps/{}", app.id),
        Err(_) => format!("/apps/{}", commands::segment(&app.name)),
    }
}

fn resident(guest: &GuestOverview, app: &AppReference) -> Resident {
    Resident {
        link: link(app),
        name: app.name.clone(),
        picture: picture::address(&app.catalog_id),
        running: guest.is_running,
        vmid: guest.vmid,
        memory: guest.memory,
    }
}

fn other(guest: &GuestOverview) -> Guest {
    Guest {
        vmid: guest.vmid,
        name: guest.name.clone(),
        is_container: guest.is_container,
        running: guest.is_running,
    }
}

/// A share as whole percent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 100"
)]
fn percent(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u32
}

#[cfg(test)]
mod tests {
    use api::NodeState;

    use super::*;

    fn guest(vmid: u32, name: &str) -> GuestOverview {
        GuestOverview {
            vmid,
            node: "pve1".to_owned(),
            name: name.to_owned(),
            is_container: true,
            is_template: false,
            is_running: true,
            cpu: 0.1,
            cpus: 1.0,
            memory: 1 << 28,
            memory_total: 1 << 29,
            disk: 0,
            disk_total: 0,
            uptime: 60,
        }
    }

    fn overview() -> Overview {
        let node = api::Node {
            name: "pve1".to_owned(),
            state: NodeState::Online,
            cpu: 0.256,
            cores: 4,
            memory_used: 10,
            memory_total: 100,
            memory_promised: 5,
            apps: 1,
            unfit: None,
        };
        let guests = (100..120).map(|vmid| (vmid, guest(vmid, "theirs")));
        let mut overview = Overview::default();
        overview.nodes.push(NodeOverview {
            node,
            storages: Vec::new(),
        });
        overview.guests.extend(guests);
        overview
    }

    #[test]
    fn a_name_that_looks_like_an_id_is_no_link() {
        let app = |name: &str| AppReference {
            id: AppId::from_uuid(uuid::Uuid::nil()),
            name: name.to_owned(),
            catalog_id: "memos".to_owned(),
        };
        let other = "app_00000000000000000000000000000007";
        assert_eq!(link(&app(other)), format!("/apps/{}", app("").id));
        assert_eq!(link(&app("a/b c")), "/apps/a%2Fb%20c");
    }

    #[test]
    fn ours_are_linked_and_others_only_named() {
        let app = AppReference {
            id: AppId::from_uuid(uuid::Uuid::nil()),
            name: "notes".to_owned(),
            catalog_id: "memos".to_owned(),
        };
        let view = view(&overview(), &BTreeMap::from([(105, app)]));
        let node = &view.nodes[0];
        assert_eq!(node.apps.len(), 1);
        assert_eq!(
            (node.apps[0].name.as_str(), node.apps[0].vmid),
            ("notes", 105)
        );
        assert_eq!(node.apps[0].link, "/apps/notes");
        assert_eq!((node.others.len(), node.unnamed), (NAMED, 19 - NAMED));
        assert_eq!(node.cpu, 26);
    }
}
