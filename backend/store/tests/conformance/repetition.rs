use api::OperationKind;
use chrono::TimeDelta;
use futures::future::join_all;
use saga::Outcome;
use store::{AppChange, Error, IdempotencyKey};

use crate::{
    World,
    world::{deployment, request},
};

fn key(hash: u8) -> IdempotencyKey {
    IdempotencyKey {
        principal: "ada".to_owned(),
        key: "k1".to_owned(),
        request_hash: vec![hash],
    }
}

pub(crate) async fn a_repeated_request_is_done_once(world: &World) {
    let replica = world.replica().await;
    let deploy = |number: usize| {
        let store = if number.is_multiple_of(2) {
            &world.store
        } else {
            &replica
        };
        let mut deployment = deployment(store, "blog");
        deployment.idempotency = Some(key(1));
        async move { store.operations().deploy(deployment).await.unwrap() }
    };
    let answers = join_all((0..6).map(deploy)).await;
    assert_eq!(answers.iter().filter(|begun| !begun.replayed).count(), 1);
    for begun in &answers {
        assert_eq!(begun.operation.id, answers[0].operation.id);
        assert_eq!(begun.app.id, answers[0].app.id);
    }
    let found = world
        .store
        .operations()
        .replay(&key(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.operation.id, answers[0].operation.id);

    // The same of a call on an app that is there: its second request would be busy with the first.
    let lease = world.claim("worker").await;
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    let mut stop = request(answers[0].app.id, OperationKind::Stop);
    stop.idempotency = Some(IdempotencyKey {
        key: "k2".to_owned(),
        ..key(1)
    });
    let first = world.store.operations().begin(stop.clone()).await.unwrap();
    let second = world.store.operations().begin(stop).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.operation.id, second.operation.id);
}

pub(crate) async fn a_key_is_bound_to_its_request(world: &World) {
    let mut first = deployment(&world.store, "blog");
    first.idempotency = Some(key(1));
    world.store.operations().deploy(first).await.unwrap();
    let mut other = deployment(&world.store, "wiki");
    other.idempotency = Some(key(2));
    let error = world
        .store
        .operations()
        .deploy(other.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::KeyReused), "{error:?}");
    assert!(matches!(
        world.store.operations().replay(&key(2)).await,
        Err(Error::KeyReused)
    ));
    // Another person's key of the same text is another key.
    other.idempotency = Some(IdempotencyKey {
        principal: "bob".to_owned(),
        ..key(2)
    });
    assert!(
        !world
            .store
            .operations()
            .deploy(other)
            .await
            .unwrap()
            .replayed
    );
}

pub(crate) async fn a_key_is_forgotten_after_a_day(world: &World) {
    let mut first = deployment(&world.store, "blog");
    first.idempotency = Some(key(1));
    world.store.operations().deploy(first).await.unwrap();
    world.clock.advance(TimeDelta::hours(24).to_std().unwrap());
    assert_eq!(
        world.store.operations().replay(&key(1)).await.unwrap(),
        None
    );
    let mut other = deployment(&world.store, "wiki");
    other.idempotency = Some(key(2));
    assert!(
        !world
            .store
            .operations()
            .deploy(other)
            .await
            .unwrap()
            .replayed
    );
    assert_eq!(
        world.store.sweep().await.unwrap(),
        0,
        "the new key took the old one's place"
    );
    world.clock.advance(TimeDelta::hours(24).to_std().unwrap());
    assert_eq!(world.store.sweep().await.unwrap(), 1);
}
