//! Whose turn it is: limits, the spare place, the emergency stop, promises.

use api::{EventKind, OperationKind, OperationStatus};
use saga::Journal as _;
use serde_json::json;
use store::{AppChange, Error, EventFilter, Lane, Lease, Limits, Store};

use crate::{
    World,
    world::{FROZEN, LEASE, audit, request, started},
};

const TWO_A_NODE: Limits = Limits {
    cluster: 100,
    node: 2,
};

async fn claim(store: &Store, limits: Limits, lane: Lane) -> Option<Lease> {
    store
        .leases()
        .claim("worker", LEASE, limits, lane)
        .await
        .unwrap()
}

async fn place(world: &World, lease: &Lease, node: &str) {
    let place = AppChange::none().place(node, "local-lvm");
    world.store.apps().change(lease, place).await.unwrap();
}

/// Claims the oldest, gives it a node, and lets go of it.
async fn parked_on(world: &World, node: &str) -> Lease {
    let lease = claim(&world.store, Limits::NONE, Lane::Any).await.unwrap();
    place(world, &lease, node).await;
    world.store.leases().release(&lease).await.unwrap();
    lease
}

pub(crate) async fn a_full_node_holds_up_only_its_own(world: &World) {
    let store = &world.store;
    for name in ["a", "b"] {
        world.deploy(name).await;
        let lease = claim(store, TWO_A_NODE, Lane::Any).await.unwrap();
        place(world, &lease, "pve1").await;
    }
    let third = world.deploy("c").await.operation.id;
    let waits = parked_on(world, "pve1").await;
    assert_eq!(waits.operation, third);
    let fourth = world.deploy("d").await.operation.id;
    let next = claim(store, TWO_A_NODE, Lane::Any).await.unwrap();
    assert_eq!(next.operation, fourth, "the one behind it has no node yet");
    assert!(store.leases().fits(&next, TWO_A_NODE).await.unwrap());
    place(world, &next, "pve1").await;
    assert!(
        !store.leases().fits(&next, TWO_A_NODE).await.unwrap(),
        "it would be the third on pve1"
    );
    place(world, &next, "pve2").await;
    assert!(store.leases().fits(&next, TWO_A_NODE).await.unwrap());
    assert!(claim(store, TWO_A_NODE, Lane::Any).await.is_none());
    let load = store.leases().load().await.unwrap();
    assert_eq!(
        (load.total, load.by_node["pve1"], load.by_node["pve2"]),
        (3, 2, 1)
    );
    assert_eq!(store.leases().waiting_before(fourth).await.unwrap(), 1);
    // Whoever holds pve1's places dies without a word.
    world.clock.advance(FROZEN);
    assert!(claim(store, TWO_A_NODE, Lane::Any).await.is_some());
}

pub(crate) async fn the_limits_hold_for_all_replicas(world: &World) {
    let replica = world.replica().await;
    for number in 0..12 {
        world.deploy(&format!("app-{number}")).await;
        parked_on_first(world).await;
    }
    let claims = (0..12).map(|number| {
        let store = if number % 2 == 0 {
            &world.store
        } else {
            &replica
        };
        claim(store, TWO_A_NODE, Lane::Any)
    });
    let taken = futures::future::join_all(claims).await;
    assert_eq!(
        taken.iter().flatten().count(),
        2,
        "pve1 takes two at a time"
    );
}

/// The operation that was asked for last waits for pve1.
async fn parked_on_first(world: &World) {
    let limits = Limits {
        cluster: 1,
        node: u64::MAX,
    };
    // Those before are claimed and let go, too, until the new one has its node.
    let mut held = Vec::new();
    while let Some(lease) = claim(&world.store, Limits::NONE, Lane::Any).await {
        place(world, &lease, "pve1").await;
        held.push(lease);
    }
    assert!(
        claim(&world.store, limits, Lane::Any).await.is_none(),
        "one in all"
    );
    for lease in held {
        world.store.leases().release(&lease).await.unwrap();
    }
}

pub(crate) async fn what_is_short_has_a_place_of_its_own(world: &World) {
    let store = &world.store;
    let installed = world.installed("old").await.app.id;
    let limits = Limits {
        cluster: 2,
        node: 2,
    };
    let mut driven = Vec::new();
    for name in ["a", "b", "c"] {
        world.deploy(name).await;
        driven.extend(claim(store, limits, Lane::Any).await);
    }
    assert_eq!(driven.len(), 2);
    for lease in &driven {
        place(world, lease, "pve1").await;
    }
    assert!(
        claim(store, limits, Lane::Spare).await.is_none(),
        "a deployment is not short"
    );
    let stop = store
        .operations()
        .begin(request(installed, OperationKind::Stop))
        .await
        .unwrap();
    assert!(claim(store, limits, Lane::Any).await.is_none());
    let spare = claim(store, limits, Lane::Spare).await.unwrap();
    assert_eq!(spare.operation, stop.operation.id, "though `c` is older");
    let cancelled = world.deploy("d").await.operation.id;
    store
        .operations()
        .request_cancel(cancelled, "ada", &audit("operation.cancel", "d"))
        .await
        .unwrap();
    assert!(
        claim(store, limits, Lane::Spare).await.is_none(),
        "one place, not more"
    );
    store.leases().release(&spare).await.unwrap();
    let again = claim(store, limits, Lane::Spare).await.unwrap();
    assert_eq!(again.operation, spare.operation, "the oldest of them first");
    store
        .leases()
        .finish(&again, &saga::Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    let next = claim(store, limits, Lane::Spare).await.unwrap();
    assert_eq!((next.operation, next.cancel_requested), (cancelled, true));
}

pub(crate) async fn parking_stops_claims_everywhere(world: &World) {
    let (store, replica) = (&world.store, world.replica().await);
    let begun = world.deploy("blog").await.operation.id;
    let lease = world.claim("worker").await;
    world
        .journal(&lease)
        .append(&started("create"), &json!({}))
        .await
        .unwrap();
    let mut work = store.work();
    work.borrow_and_update();
    let parked = store
        .parking()
        .park("ada", "smoke in the rack", &audit("operations.park", "all"))
        .await
        .unwrap();
    assert!(
        work.has_changed().unwrap(),
        "workers of this process are woken"
    );
    assert_eq!(replica.parking().now().await.unwrap(), Some(parked));
    let again = replica
        .parking()
        .park("bob", "me too", &audit("operations.park", "all"))
        .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    store.leases().release(&lease).await.unwrap();
    let queued = world.deploy("wiki").await.operation.id;
    for store in [store, &replica] {
        assert!(claim(store, Limits::NONE, Lane::Any).await.is_none());
        assert!(claim(store, Limits::NONE, Lane::Spare).await.is_none());
    }
    let now = store.operations().get(begun).await.unwrap();
    assert_eq!(now.status, OperationStatus::Running, "parked, not undone");
    replica
        .parking()
        .resume("bob", &audit("operations.resume", "all"))
        .await
        .unwrap();
    assert_eq!(store.parking().now().await.unwrap(), None);
    let resumed = replica
        .parking()
        .resume("bob", &audit("operations.resume", "all"))
        .await;
    assert!(matches!(resumed, Err(Error::Conflict(_))), "{resumed:?}");
    let events = store
        .events()
        .after(0, EventFilter::operation(begun), 100)
        .await
        .unwrap();
    let told: Vec<_> = events
        .iter()
        .filter(|event| {
            matches!(
                event.kind,
                EventKind::OperationParked | EventKind::OperationResumed
            )
        })
        .map(|event| (event.kind, event.step.as_deref(), event.message.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (
                EventKind::OperationParked,
                Some("create"),
                Some("smoke in the rack")
            ),
            (EventKind::OperationResumed, Some("create"), None),
        ]
    );
    let history = store
        .events()
        .after(0, EventFilter::operation(queued), 100)
        .await
        .unwrap();
    assert_eq!(history.len(), 1, "what had not begun is told nothing");
    assert_eq!(
        claim(store, Limits::NONE, Lane::Any)
            .await
            .unwrap()
            .operation,
        begun
    );
}

pub(crate) async fn the_same_room_is_not_promised_twice(world: &World) {
    let replica = world.replica().await;
    world.deploy("one").await;
    world.deploy("two").await;
    let (first, second) = (world.claim("one").await, world.claim("two").await);
    let (here, there) = (world.store.apps(), replica.apps());
    let place = || AppChange::none().place("pve1", "local-lvm");
    // Both look before either promises.
    let (saw, also_saw) = (
        here.promises_made().await.unwrap(),
        there.promises_made().await.unwrap(),
    );
    assert!(here.promise(&first, saw, place()).await.unwrap());
    assert!(!there.promise(&second, also_saw, place()).await.unwrap());
    assert_eq!(
        there.promised().await.unwrap().len(),
        1,
        "nothing was written"
    );
    let saw = there.promises_made().await.unwrap();
    assert!(there.promise(&second, saw, place()).await.unwrap());
    assert_eq!(here.promised().await.unwrap().len(), 2);
    world.clock.advance(FROZEN);
    let taken = world.claim("three").await;
    assert_eq!(taken.operation, first.operation);
    let saw = here.promises_made().await.unwrap();
    let thawed = here.promise(&first, saw, place()).await;
    assert!(matches!(thawed, Err(Error::LeaseLost)), "{thawed:?}");
}
