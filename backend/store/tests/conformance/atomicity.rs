use std::{future::poll_fn, task::Poll};

use api::OperationKind;
use saga::{Event, Journal as _};
use serde_json::json;
use store::{AppChange, AppFilter, Error, EventFilter, IdempotencyKey, PageRequest};

use crate::{
    World,
    world::{checkpoint, deployment, request, started},
};

/// A driver that dies can die anywhere. The event and the state must tell the same story afterwards.
pub(crate) async fn a_dropped_append_is_whole_or_nothing(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("one").await;
    world
        .journal(&lease)
        .append(&started("create"), &json!({ "events": 1 }))
        .await
        .unwrap();
    let (mut whole, mut nothing) = (0, 0);
    for round in 0..60_u64 {
        let journal = world.journal(&lease);
        let (events, _) = journal.load().await.unwrap();
        let next = json!({ "events": events.len() + 1 });
        journal.note("create", &format!("round {round}"));
        let event = checkpoint("create");
        let mut append = journal.append(&event, &next);
        // Dropped after ever more polls, which are spread over all that an append waits for.
        let mut polls = round / 2;
        poll_fn(|cx| match polls.checked_sub(1) {
            None => Poll::Ready(()),
            Some(left) => {
                polls = left;
                append.as_mut().poll(cx).map(drop)
            }
        })
        .await;
        drop(append);
        let (after, state) = journal.load().await.unwrap();
        assert_eq!(state, json!({ "events": after.len() }), "round {round}");
        if after.len() > events.len() {
            whole += 1;
        } else {
            nothing += 1;
        }
    }
    assert!(
        whole > 0 && nothing > 0,
        "{whole} whole, {nothing} nothing: this proves nothing"
    );
    let last = world.journal(&lease);
    let (events, _) = last.load().await.unwrap();
    last.append(
        &Event::Finished {
            step: "create".to_owned(),
        },
        &json!({ "events": events.len() + 1 }),
    )
    .await
    .unwrap();
    let all = world
        .store
        .events()
        .after(0, EventFilter::operation(id), 500)
        .await
        .unwrap();
    let lines: Vec<u64> = all
        .iter()
        .filter_map(|event| event.message.as_ref()?.strip_prefix("round ")?.parse().ok())
        .collect();
    // A line may be there twice, where its commit was dropped and happened all the same; never is one missing.
    let mut first: Vec<u64> = Vec::new();
    for line in lines {
        if !first.contains(&line) {
            first.push(line);
        }
    }
    assert_eq!(
        first,
        (0..60).collect::<Vec<u64>>(),
        "none is lost or out of order"
    );
}

pub(crate) async fn a_refused_transaction_leaves_nothing(world: &World) {
    let app = world.installed("blog").await.app.id;
    let before = world.store.events().newest().await.unwrap();

    // Refused after the idempotency key was bound: the name is taken.
    let key = IdempotencyKey {
        principal: "ada".to_owned(),
        key: "k".to_owned(),
        request_hash: vec![1],
    };
    let mut again = deployment(&world.store, "blog");
    again.idempotency = Some(key.clone());
    assert!(matches!(
        world.store.operations().deploy(again).await,
        Err(Error::NameTaken { .. })
    ));
    assert_eq!(world.store.operations().replay(&key).await.unwrap(), None);

    // Refused after the operation was written: the change of the app fails.
    let other = world.store.new_app_id();
    let error = world
        .store
        .operations()
        .begin(request(other, OperationKind::Stop))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound("app")));

    // Refused at the end of a rest: the lease is over.
    world
        .store
        .operations()
        .begin(request(app, OperationKind::Stop))
        .await
        .unwrap();
    let lease = world.claim("one").await;
    world.store.leases().release(&lease).await.unwrap();
    let stopped = AppChange::to(api::AppState::Stopped);
    let finish = world
        .store
        .leases()
        .finish(&lease, &saga::Outcome::Completed, stopped)
        .await;
    assert!(matches!(finish, Err(Error::LeaseLost)));
    assert_eq!(
        world.store.apps().get(app).await.unwrap().state,
        api::AppState::Running
    );

    let after = world
        .store
        .events()
        .after(before, EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(after.len(), 1, "only the stop was queued: {after:?}");
    let apps = world
        .store
        .apps()
        .list(&AppFilter::default(), &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(apps.items.len(), 1);
}
