use api::{AppState, OperationKind};
use futures::future::join_all;
use saga::Outcome;
use store::{AppChange, Error};

use crate::{
    World,
    world::{LEASE, request},
};

pub(crate) async fn a_vmid_is_held_by_one_app(world: &World) {
    let apps = world.store.apps();
    let (one, _) = (world.deploy("one").await, world.deploy("two").await);
    let (first, second) = (world.claim("worker").await, world.claim("worker").await);
    apps.reserve_vmid(&first, 100).await.unwrap();
    apps.reserve_vmid(&first, 100).await.unwrap();
    let taken = apps.reserve_vmid(&second, 100).await.unwrap_err();
    assert!(matches!(taken, Error::VmidTaken { vmid: 100 }), "{taken:?}");
    apps.reserve_vmid(&second, 101).await.unwrap();
    assert_eq!(
        apps.reserved_vmids()
            .await
            .unwrap()
            .into_iter()
            .collect::<Vec<_>>(),
        [100, 101]
    );

    apps.reserve_vmid(&first, 102).await.unwrap();
    apps.reserve_vmid(&second, 100)
        .await
        .expect("the first has moved on");
    apps.release_vmid(&second).await.unwrap();
    assert_eq!(
        apps.reserved_vmids()
            .await
            .unwrap()
            .into_iter()
            .collect::<Vec<_>>(),
        [102]
    );

    let deleted = AppChange::to(AppState::Deleted);
    world
        .store
        .leases()
        .finish(&first, &Outcome::Completed, deleted)
        .await
        .unwrap();
    assert_eq!(
        apps.get(one.app.id).await.unwrap().vmid,
        Some(102),
        "kept as history"
    );
    apps.reserve_vmid(&second, 102)
        .await
        .expect("a deleted app holds nothing");
}

pub(crate) async fn two_reservations_race_and_one_wins(world: &World) {
    let replica = world.replica().await;
    for number in 0..6 {
        world.deploy(&format!("app-{number}")).await;
    }
    let reserve = |number: usize| {
        let store = if number.is_multiple_of(2) {
            &world.store
        } else {
            &replica
        };
        async move {
            let lease = store
                .leases()
                .claim_next("worker", LEASE)
                .await
                .unwrap()
                .unwrap();
            store.apps().reserve_vmid(&lease, 100).await
        }
    };
    let answers = join_all((0..6).map(reserve)).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers {
        assert!(
            matches!(answer, Ok(()) | Err(Error::VmidTaken { vmid: 100 })),
            "{answer:?}"
        );
    }
}

pub(crate) async fn promises_are_of_living_apps_with_a_node(world: &World) {
    let apps = world.store.apps();
    let (one, _) = (world.deploy("one").await, world.deploy("two").await);
    let (first, second) = (world.claim("worker").await, world.claim("worker").await);
    assert!(
        apps.promised().await.unwrap().is_empty(),
        "no node is chosen"
    );
    apps.change(&first, AppChange::none().place("pve1", "local-lvm"))
        .await
        .unwrap();
    apps.reserve_vmid(&first, 100).await.unwrap();
    apps.change(&second, AppChange::none().place("pve2", "tank"))
        .await
        .unwrap();
    let promises = apps.promised().await.unwrap();
    assert_eq!(promises.len(), 2);
    let promise = promises
        .iter()
        .find(|promise| promise.app == one.app.id)
        .unwrap();
    assert_eq!(
        (promise.node.as_str(), promise.storage.as_deref()),
        ("pve1", Some("local-lvm"))
    );
    assert_eq!(
        (promise.vmid, promise.cores, promise.memory, promise.disk),
        (Some(100), 2, 512 << 20, 8 << 30)
    );

    let address = "10.0.0.7".parse().unwrap();
    apps.change(&first, AppChange::none().address(Some(address)))
        .await
        .unwrap();
    let app = apps.get(one.app.id).await.unwrap();
    assert_eq!(
        (app.node.as_deref(), app.address),
        (Some("pve1"), Some(address))
    );
    let gone = AppChange::to(AppState::Deleted).without_container();
    world
        .store
        .leases()
        .finish(&first, &Outcome::Completed, gone)
        .await
        .unwrap();
    let app = apps.get(one.app.id).await.unwrap();
    assert_eq!(
        (app.node, app.vmid, app.address, app.storage),
        (None, None, None, None)
    );
    assert_eq!(apps.promised().await.unwrap().len(), 1);
}

pub(crate) async fn observation_yields_to_an_operation(world: &World) {
    let apps = world.store.apps();
    let id = world.installed("blog").await.app.id;
    let stopped = || AppChange::to(AppState::Stopped);
    assert!(
        !apps
            .observe(id, AppState::Deploying, stopped())
            .await
            .unwrap(),
        "it is running"
    );
    world
        .store
        .operations()
        .begin(request(id, OperationKind::Restart))
        .await
        .unwrap();
    assert!(
        !apps
            .observe(id, AppState::Running, stopped())
            .await
            .unwrap(),
        "its operation knows better"
    );
    let lease = world.claim("worker").await;
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    assert!(
        apps.observe(id, AppState::Running, stopped())
            .await
            .unwrap()
    );
    assert_eq!(apps.get(id).await.unwrap().state, AppState::Stopped);
}
