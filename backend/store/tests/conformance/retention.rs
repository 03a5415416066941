use std::time::Duration;

use api::{AppState, OperationKind};
use saga::{Journal as _, Outcome};
use serde_json::json;
use store::{
    AppChange, AuditFilter, Begun, EventFilter, Forgotten, Keep, NewOperation, PageRequest,
};

use crate::{World, world::started};

const DAY: Duration = Duration::from_hours(24);

pub(crate) async fn old_things_are_forgotten_and_living_ones_kept(world: &World) {
    let kept = world.installed("kept").await;
    let gone = world.installed("gone").await;
    let deletion = deleted(world, &gone).await;
    let stuck = world.stuck("stuck").await;
    let living = world.deploy("living").await;
    let driver = world.claim("worker").await;
    world
        .store
        .note(&driver, "create", "a line of one that lives");
    world.journal(&driver).flush().await.unwrap();
    let newest = world.store.events().newest().await.unwrap();

    // Nothing is old yet, and nothing is ever old when it is kept for ever.
    let all = Keep {
        progress: Some(DAY),
        operations: Some(DAY * 10),
        audit: Some(DAY * 10),
    };
    assert!(forget(world, &all).await.is_nothing());
    world.clock.advance(DAY * 2);
    assert!(forget(world, &Keep::default()).await.is_nothing());

    // Lines of progress of what rests; a client that saw the last of them goes on with what is left.
    let lines = forget(world, &all).await;
    assert_eq!(
        lines,
        Forgotten {
            events: 1,
            ..Forgotten::default()
        }
    );
    let of = |id| EventFilter::operation(id);
    let events = world.store.events();
    let left = events
        .after(0, of(deletion.operation.id), 100)
        .await
        .unwrap();
    assert!(
        left.len() > 1
            && left
                .iter()
                .all(|event| event.message.as_deref() != Some("a line"))
    );
    let live = events.after(0, of(living.operation.id), 100).await.unwrap();
    assert!(
        live.iter()
            .any(|event| event.message.as_deref() == Some("a line of one that lives"))
    );

    // Operations, with the app that is no more.
    world.clock.advance(DAY * 10);
    let old = forget(world, &all).await;
    assert_eq!((old.operations, old.apps), (2, 1));
    assert!(old.audit > 0);
    let operations = world.store.operations();
    for id in [gone.operation.id, deletion.operation.id] {
        assert!(operations.get(id).await.is_err());
        assert!(events.after(0, of(id), 1).await.unwrap().is_empty());
    }
    assert!(world.store.apps().get(gone.app.id).await.is_err());
    for begun in [&kept, &stuck, &living] {
        operations.get(begun.operation.id).await.unwrap();
        assert_eq!(
            world.store.releases().of(begun.app.id).await.unwrap().len(),
            1
        );
    }
    let journal = events.history(stuck.operation.id).await.unwrap();
    assert!(!journal.is_empty(), "what can be retried keeps its journal");
    let audit = world
        .store
        .audit()
        .list(&AuditFilter::default(), &PageRequest::default())
        .await
        .unwrap();
    assert!(audit.items.is_empty());
    assert!(forget(world, &all).await.is_nothing());

    // Numbers go on.
    let after = events
        .after(newest - 1, EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(after.last().unwrap().id, newest);
    world.deploy("next").await;
    assert!(events.newest().await.unwrap() > newest);
}

async fn forget(world: &World, keep: &Keep) -> Forgotten {
    let mut all = Forgotten::default();
    loop {
        let some = world.store.forget(keep).await.unwrap();
        if some.is_nothing() {
            return all;
        }
        all = all.plus(some);
    }
}

/// Deletes an app, with a line of progress.
async fn deleted(world: &World, gone: &Begun) -> Begun {
    let request = NewOperation {
        kind: OperationKind::Delete,
        app: gone.app.id,
        state: json!({}),
        requested_by: "admin".to_owned(),
        change: AppChange::none(),
        idempotency: None,
        audit: crate::world::audit("app.delete", "gone"),
    };
    let deletion = world.store.operations().begin(request).await.unwrap();
    let lease = world.claim("worker").await;
    world.store.note(&lease, "create", "a line");
    let event = started("create");
    world
        .journal(&lease)
        .append(&event, &json!({}))
        .await
        .unwrap();
    let change = AppChange::to(AppState::Deleted);
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, change)
        .await
        .unwrap();
    deletion
}
