use std::time::Duration;

use api::{AppState, EventKind, OperationKind, OperationStatus};
use saga::{Event, Journal as _, Outcome, Position};
use serde_json::json;
use store::{AppChange, Error, EventFilter};
use tokio::time::timeout;

use crate::{
    World,
    world::{audit, failed, failure, finished, plan, request, started},
};

const SOON: Duration = Duration::from_secs(20);

pub(crate) async fn a_cancel_wish_is_seen_by_the_driver(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("worker").await;
    let (leases, operations) = (world.store.leases(), world.store.operations());
    let cancel = audit("operation.cancel", "blog");
    // The driver's next own look would be an hour away: it is woken.
    let wish = leases.cancel_wish(&lease, Duration::from_hours(1));
    let (seen, wished) = tokio::join!(
        timeout(SOON, wish),
        operations.request_cancel(id, "bob", &cancel)
    );
    seen.expect("the driver is woken").unwrap();
    let wished = wished.unwrap();
    assert!(wished.cancel_requested && wished.status == OperationStatus::Running);
    assert_eq!(wished.cancel_requested_by.as_deref(), Some("bob"));

    // Once more is the same wish: no second event, no second entry in the log.
    operations.request_cancel(id, "ada", &cancel).await.unwrap();
    let events = world
        .store
        .events()
        .after(1, EventFilter::operation(id), 10)
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::OperationCancelRequested);
    assert_eq!(events[0].data, Some(json!({ "by": "bob" })));

    // Another replica's driver looks by itself.
    let replica = world.replica().await;
    let look = replica.leases();
    let wish = look.cancel_wish(&lease, Duration::from_millis(50));
    timeout(SOON, wish).await.expect("it looks").unwrap();
}

pub(crate) async fn a_cancel_that_comes_too_late_is_refused(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    let cancel = async || {
        let audit = audit("operation.cancel", "blog");
        match world
            .store
            .operations()
            .request_cancel(id, "ada", &audit)
            .await
        {
            Err(Error::Conflict(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    for step in ["create", "start", "publish"] {
        journal.append(&started(step), &json!({})).await.unwrap();
        journal.append(&finished(step), &json!({})).await.unwrap();
    }
    assert_eq!(
        cancel().await,
        "the operation is past the point of no return"
    );
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    assert_eq!(cancel().await, "the operation is completed");
    let unknown = api::OperationId::from_uuid(uuid::Uuid::nil());
    let error = world
        .store
        .operations()
        .request_cancel(unknown, "ada", &audit("x", "y"))
        .await;
    assert!(matches!(error, Err(Error::NotFound("operation"))));
}

/// After the pivot a failure is stuck on the way forward, and a retry tries that step again.
pub(crate) async fn retry_goes_on_where_it_is_stuck(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    for step in ["create", "start", "publish"] {
        journal.append(&started(step), &json!({})).await.unwrap();
        journal.append(&finished(step), &json!({})).await.unwrap();
    }
    journal
        .append(&started("clean"), &json!({ "kept": true }))
        .await
        .unwrap();
    journal
        .append(&failed("clean"), &json!({ "kept": true }))
        .await
        .unwrap();
    let operation = world.store.operations().get(id).await.unwrap();
    assert_eq!(
        operation.status,
        OperationStatus::Running,
        "after the pivot it does not go back"
    );
    let outcome = Outcome::Stuck {
        step: "clean".to_owned(),
        failure: failure(),
        unwinding: false,
    };
    world
        .store
        .leases()
        .finish(&lease, &outcome, AppChange::none())
        .await
        .unwrap();

    let retry = audit("operation.retry", "blog");
    let retried = world
        .store
        .operations()
        .retry(id, "bob", &retry)
        .await
        .unwrap();
    assert_eq!(
        (retried.status, retried.finished_at),
        (OperationStatus::Queued, None)
    );
    let again = world
        .store
        .operations()
        .retry(id, "bob", &retry)
        .await
        .unwrap_err();
    assert_eq!(again.to_string(), "the operation is queued, not stuck");
    let lease = world.claim("worker").await;
    assert_eq!(
        world.store.operations().get(id).await.unwrap().status,
        OperationStatus::Running
    );
    let journal = world.journal(&lease);
    let (events, state) = journal.load().await.unwrap();
    assert_eq!(state, json!({ "kept": true }));
    assert_eq!(
        Position::of(&events, &plan()).unwrap(),
        Position::Forward {
            next: 3,
            begun: false
        }
    );
    journal.append(&started("clean"), &state).await.unwrap();
    assert_eq!(
        world.store.operations().get(id).await.unwrap().failure,
        None,
        "what failed is tried again"
    );
    let event = world
        .store
        .events()
        .last(EventFilter::default(), 2)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (event.kind, event.step.as_deref()),
        (EventKind::OperationRetried, Some("clean"))
    );
    assert_eq!(event.data, Some(json!({ "by": "bob" })));
}

pub(crate) async fn retry_goes_back_where_it_went_back(world: &World) {
    let id = world.stuck("blog").await.operation.id;
    let retry = audit("operation.retry", "blog");
    world
        .store
        .operations()
        .retry(id, "bob", &retry)
        .await
        .unwrap();
    let lease = world.claim("worker").await;
    let operation = world.store.operations().get(id).await.unwrap();
    assert_eq!(
        operation.status,
        OperationStatus::Unwinding,
        "it never looks as if it went forward"
    );
    let journal = world.journal(&lease);
    journal
        .append(
            &Event::Undone {
                step: "create".to_owned(),
            },
            &json!({}),
        )
        .await
        .unwrap();
    let (events, _) = journal.load().await.unwrap();
    let outcome = Position::of(&events, &plan())
        .unwrap()
        .outcome(&plan())
        .unwrap();
    assert_eq!(
        outcome,
        Outcome::Unwound {
            step: "create".to_owned(),
            failure: failure()
        }
    );
}

pub(crate) async fn abandon_frees_the_app(world: &World) {
    let begun = world.stuck("blog").await;
    let (id, operations) = (begun.operation.id, world.store.operations());
    let entry = audit("operation.abandon", "blog");
    let gone =
        || AppChange::to(AppState::Stopped).attention(Some("Container 100 on pve1 may be left."));
    let given_up = operations
        .abandon(id, "bob", "removed by hand", gone(), &entry)
        .await
        .unwrap();
    assert_eq!(
        given_up.status,
        OperationStatus::Stuck,
        "nobody knows what is left"
    );
    let abandoned = given_up.abandoned.clone().unwrap();
    assert_eq!(
        (abandoned.by.as_str(), abandoned.reason.as_str()),
        ("bob", "removed by hand")
    );
    assert!(!given_up.is_live());
    assert_eq!(operations.live().await.unwrap(), 0);
    for refused in [
        operations.abandon(id, "ada", "again", gone(), &entry).await,
        operations.retry(id, "ada", &entry).await,
    ] {
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the operation was given up by bob"
        );
    }
    let app = world.store.apps().get(begun.app.id).await.unwrap();
    assert_eq!((app.state, app.operation), (AppState::Stopped, None));
    assert!(app.attention.unwrap().contains("pve1"));
    operations
        .begin(request(begun.app.id, OperationKind::Delete))
        .await
        .unwrap();
    let running = operations.live_of(begun.app.id).await.unwrap().unwrap();
    let error = operations
        .abandon(running.id, "ada", "no", gone(), &entry)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the operation is queued, not stuck");
}
