use std::time::Duration;

use api::{EventKind, OperationStatus};
use futures::future::join_all;
use saga::{Interrupted, Journal as _, Outcome};
use serde_json::json;
use store::{AppChange, EventFilter};

use crate::{
    World,
    world::{FROZEN, LEASE, audit, checkpoint, finished, refused, started},
};

pub(crate) async fn the_oldest_is_claimed_first(world: &World) {
    let mut expected = Vec::new();
    for name in ["one", "two", "three"] {
        expected.push(world.deploy(name).await.operation.id);
    }
    let mut claimed = Vec::new();
    while let Some(lease) = world
        .store
        .leases()
        .claim_next("worker", LEASE)
        .await
        .unwrap()
    {
        assert_eq!(
            (lease.attempt, lease.generation(), lease.holder()),
            (1, 1, "worker")
        );
        claimed.push(lease.operation);
    }
    assert_eq!(claimed, expected);
    let operation = world.store.operations().get(expected[0]).await.unwrap();
    assert_eq!(operation.status, OperationStatus::Running);
    assert_eq!(operation.started_at, Some(world.store.now()));
    assert_eq!(operation.held_until, Some(world.store.now() + LEASE));
}

pub(crate) async fn two_claimers_race_and_one_wins(world: &World) {
    let replica = world.replica().await;
    for round in 0..10 {
        world.deploy(&format!("app-{round}")).await;
        let (here, there) = (world.store.leases(), replica.leases());
        let (one, two) = tokio::join!(
            here.claim_next("one", LEASE),
            there.claim_next("two", LEASE)
        );
        let won = [one.unwrap(), two.unwrap()].into_iter().flatten().count();
        assert_eq!(won, 1, "round {round}");
    }
}

pub(crate) async fn many_claimers_take_each_operation_once(world: &World) {
    let replica = world.replica().await;
    for number in 0..20 {
        world.deploy(&format!("app-{number}")).await;
    }
    let claim = |number: usize| {
        let store = if number.is_multiple_of(2) {
            &world.store
        } else {
            &replica
        };
        async move {
            let mut taken = Vec::new();
            while let Some(lease) = store
                .leases()
                .claim_next(&number.to_string(), LEASE)
                .await
                .unwrap()
            {
                taken.push(lease.operation);
            }
            taken
        }
    };
    let mut taken = join_all((0..6).map(claim)).await.concat();
    assert_eq!(taken.len(), 20);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 20, "none was taken twice");
}

pub(crate) async fn a_lease_that_is_over_is_claimed_by_another(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let first = world.claim("one").await;
    let leases = world.store.leases();
    assert!(
        leases.claim_next("two", LEASE).await.unwrap().is_none(),
        "it is held"
    );
    world.clock.advance(LEASE);
    assert!(
        leases.claim_next("two", LEASE).await.unwrap().is_none(),
        "to the last moment"
    );
    world.clock.advance(Duration::from_micros(1));
    let second = world.claim("two").await;
    assert_eq!((second.operation, second.attempt), (id, 2));
    assert!(second.generation() > first.generation());
    assert_eq!(
        world
            .store
            .operations()
            .get(id)
            .await
            .unwrap()
            .holder
            .as_deref(),
        Some("two")
    );
}

pub(crate) async fn a_thawed_driver_is_refused_everywhere(world: &World) {
    let begun = world.deploy("blog").await;
    let frozen = world.claim("one").await;
    let journal = world.journal(&frozen);
    journal
        .append(&started("create"), &json!({ "vmid": 100 }))
        .await
        .unwrap();
    world.clock.advance(FROZEN);
    // Over, but nobody has taken it: what it does is still right.
    journal
        .append(&checkpoint("create"), &json!({ "vmid": 101 }))
        .await
        .unwrap();
    let driver = world.claim("two").await;
    let other = world.journal(&driver);

    let append = journal
        .append(&finished("create"), &json!({ "vmid": 666 }))
        .await;
    assert!(matches!(append, Err(Interrupted::LeaseLost)), "{append:?}");
    assert!(matches!(journal.load().await, Err(Interrupted::LeaseLost)));
    journal.note("create", "a line from the grave");
    refused(&journal.flush().await);
    let (leases, apps) = (world.store.leases(), world.store.apps());
    refused(&leases.renew(&frozen, LEASE).await.map(drop));
    refused(&leases.release(&frozen).await);
    refused(&apps.change(&frozen, AppChange::none().node("pve1")).await);
    refused(&apps.reserve_vmid(&frozen, 100).await);
    refused(
        &leases
            .finish(&frozen, &Outcome::Completed, AppChange::none())
            .await
            .map(drop),
    );

    let (events, state) = other.load().await.unwrap();
    assert_eq!(events, [started("create"), checkpoint("create")]);
    assert_eq!(state, json!({ "vmid": 101 }));
    other.append(&started("create"), &state).await.unwrap();
    let app = apps.get(begun.app.id).await.unwrap();
    assert_eq!((app.node, app.vmid), (None, None));
    let all = world
        .store
        .events()
        .after(0, EventFilter::default(), 100)
        .await
        .unwrap();
    assert!(
        all.iter().all(|event| event.kind != EventKind::StepLog),
        "no line was written"
    );
}

pub(crate) async fn a_released_operation_is_claimed_at_once(world: &World) {
    world.deploy("blog").await;
    let first = world.claim("one").await;
    let mut work = world.store.work();
    work.borrow_and_update();
    let journal = world.journal(&first);
    journal
        .append(&started("create"), &json!({}))
        .await
        .unwrap();
    journal.note("create", "the last words");
    world.store.leases().release(&first).await.unwrap();
    assert!(
        work.has_changed().unwrap(),
        "another worker of this process is woken"
    );
    let second = world.claim("two").await;
    assert_eq!((second.operation, second.attempt), (first.operation, 2));
    refused(&world.store.leases().renew(&first, LEASE).await.map(drop));
    let last = world
        .store
        .events()
        .last(EventFilter::default(), 1)
        .await
        .unwrap();
    assert_eq!(last[0].message.as_deref(), Some("the last words"));
}

pub(crate) async fn renewal_holds_the_lease_and_reads_the_wish(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("one").await;
    let leases = world.store.leases();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(20));
        let renewed = leases.renew(&lease, LEASE).await.unwrap();
        assert_eq!(renewed.until, world.store.now() + LEASE);
        assert!(!renewed.cancel_requested);
        assert!(leases.claim_next("two", LEASE).await.unwrap().is_none());
    }
    let replica = world.replica().await;
    replica
        .operations()
        .request_cancel(id, "ada", &audit("operation.cancel", "blog"))
        .await
        .unwrap();
    assert!(leases.renew(&lease, LEASE).await.unwrap().cancel_requested);
    world.clock.advance(FROZEN);
    let taken = replica
        .leases()
        .claim_next("two", LEASE)
        .await
        .unwrap()
        .unwrap();
    refused(&leases.renew(&lease, LEASE).await.map(drop));
    assert!(
        replica
            .leases()
            .renew(&taken, LEASE)
            .await
            .unwrap()
            .cancel_requested,
        "a wish survives its driver"
    );
}

pub(crate) async fn duties_are_held_by_one(world: &World) {
    let replica = world.replica().await;
    let (here, there) = (world.store.duties(), replica.duties());
    let (one, two) = tokio::join!(
        here.claim("sweep", "one", LEASE),
        there.claim("sweep", "two", LEASE)
    );
    let held: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert!(
        here.claim("deliver", "three", LEASE)
            .await
            .unwrap()
            .is_some(),
        "another duty is free"
    );
    world.clock.advance(Duration::from_secs(20));
    here.renew(&held[0], LEASE).await.unwrap();
    world.clock.advance(Duration::from_secs(20));
    assert!(there.claim("sweep", "four", LEASE).await.unwrap().is_none());
    world.clock.advance(FROZEN);
    let next = there.claim("sweep", "four", LEASE).await.unwrap().unwrap();
    refused(&here.renew(&held[0], LEASE).await);
    refused(&here.release(&held[0]).await);
    there.release(&next).await.unwrap();
    refused(&there.renew(&next, LEASE).await);
    assert!(here.claim("sweep", "five", LEASE).await.unwrap().is_some());
}
