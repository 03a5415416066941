use api::{AppState, EventKind, OperationKind, OperationStatus};
use futures::future::join_all;
use saga::Outcome;
use serde_json::json;
use store::{AppChange, AppFilter, AuditFilter, Error, EventFilter, Hidden, PageRequest};

use crate::{
    World,
    world::{deployment, request},
};

pub(crate) async fn deploy_writes_everything_at_once(world: &World) {
    let deployment = deployment(&world.store, "My Blog");
    let new = deployment.app.clone();
    let begun = world.store.operations().deploy(deployment).await.unwrap();
    assert!(!begun.replayed);

    let app = world.store.apps().get(new.id).await.unwrap();
    assert_eq!(app, begun.app);
    assert_eq!(
        (app.name.as_str(), app.hostname.as_str()),
        ("My Blog", "my-blog")
    );
    assert_eq!(
        (app.state, app.version.as_str()),
        (AppState::Deploying, "1.11.0")
    );
    assert_eq!(
        (app.reserved, app.network, app.parameters),
        (new.reserved, new.network, new.parameters)
    );
    assert_eq!(app.sealed, Hidden(vec![0, 1, 255]));
    assert_eq!(app.operation, Some(begun.operation.id));
    assert_eq!(
        (app.created_at, app.updated_at),
        (world.store.now(), world.store.now())
    );
    for text in [new.id.to_string().as_str(), "My Blog", "my-blog"] {
        assert_eq!(world.store.apps().find(text).await.unwrap().id, new.id);
    }

    let release = world.store.releases().get(app.release).await.unwrap();
    assert_eq!(
        (release.number, release.revision, release.bundle.as_slice()),
        (1, 2, &b"services: {}"[..])
    );
    assert_eq!(world.store.releases().of(new.id).await.unwrap(), [release]);

    let operation = world
        .store
        .operations()
        .get(begun.operation.id)
        .await
        .unwrap();
    assert_eq!(
        (operation.kind, operation.status),
        (OperationKind::Deploy, OperationStatus::Queued)
    );
    assert_eq!(
        (operation.app.name.as_str(), operation.requested_by.as_str()),
        ("My Blog", "ada")
    );
    assert!(operation.is_live() && operation.cancellable && operation.started_at.is_none());

    let events = world
        .store
        .events()
        .after(0, EventFilter::operation(operation.id), 10)
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind, events[0].app),
        (EventKind::OperationQueued, new.id)
    );
    assert_eq!(
        events[0].data,
        Some(json!({ "kind": "deploy", "requested_by": "ada" }))
    );
    let audit = world
        .store
        .audit()
        .list(&AuditFilter::default(), &PageRequest::default())
        .await
        .unwrap()
        .items;
    assert_eq!((audit.len(), audit[0].action.as_str()), (1, "app.deploy"));
}

pub(crate) async fn a_taken_name_is_refused(world: &World) {
    world.deploy("My Blog").await;
    for (name, taken) in [("My Blog", "My Blog"), ("my blog", "my-blog")] {
        let error = world
            .store
            .operations()
            .deploy(deployment(&world.store, name))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::NameTaken { name } if name == taken),
            "{name}: {error}"
        );
    }
    let audit = world
        .store
        .audit()
        .list(&AuditFilter::default(), &PageRequest::default())
        .await
        .unwrap()
        .items;
    assert_eq!(audit.len(), 1, "what was refused left nothing");
}

pub(crate) async fn a_name_is_free_after_deletion(world: &World) {
    let first = world.installed("blog").await;
    let delete = request(first.app.id, OperationKind::Delete);
    world.store.operations().begin(delete).await.unwrap();
    let lease = world.claim("worker").await;
    let deleted = AppChange::to(AppState::Deleted);
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, deleted)
        .await
        .unwrap();

    let second = world.deploy("blog").await;
    assert_ne!(second.app.id, first.app.id);
    assert_eq!(
        world.store.apps().find("blog").await.unwrap().id,
        second.app.id
    );
    let first = world.store.apps().get(first.app.id).await.unwrap();
    assert_eq!(
        (first.state, first.name.as_str()),
        (AppState::Deleted, "blog"),
        "kept as history"
    );
    assert_eq!(first.deleted_at, Some(world.store.now()));

    let apps = world.store.apps();
    let usual = apps
        .list(&AppFilter::default(), &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(
        usual.items.iter().map(|app| app.id).collect::<Vec<_>>(),
        [second.app.id]
    );
    let filter = AppFilter {
        state: Some(AppState::Deleted),
        ..AppFilter::default()
    };
    let deleted = apps.list(&filter, &PageRequest::default()).await.unwrap();
    assert_eq!(deleted.items, [first]);
}

pub(crate) async fn one_operation_lives_per_app(world: &World) {
    let begun = world.deploy("blog").await;
    let stop = || request(begun.app.id, OperationKind::Stop);
    let error = world.store.operations().begin(stop()).await.unwrap_err();
    assert!(matches!(
        error,
        Error::Busy { operation, kind: OperationKind::Deploy } if operation == begun.operation.id
    ));

    let lease = world.claim("worker").await;
    world
        .store
        .leases()
        .finish(&lease, &Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    let mut next = stop();
    next.change = AppChange::none().attention(Some("Stopping."));
    let next = world.store.operations().begin(next).await.unwrap();
    assert_eq!(next.app.operation, Some(next.operation.id));
    assert_eq!(next.app.attention.as_deref(), Some("Stopping."));
    let noticed = AppFilter {
        attention: true,
        ..AppFilter::default()
    };
    let page = PageRequest::default();
    let noticed = world
        .store
        .apps()
        .list(&noticed, &page)
        .await
        .unwrap()
        .items;
    assert_eq!(
        noticed.iter().map(|app| app.id).collect::<Vec<_>>(),
        [next.app.id]
    );
    let live = world
        .store
        .operations()
        .live_of(begun.app.id)
        .await
        .unwrap();
    assert_eq!(live.map(|operation| operation.id), Some(next.operation.id));
}

pub(crate) async fn two_starts_race_and_one_wins(world: &World) {
    let app = world.installed("blog").await.app.id;
    let replica = world.replica().await;
    for round in 0..5 {
        let (stores, kinds) = (
            [&world.store, &replica],
            [OperationKind::Stop, OperationKind::Restart],
        );
        let start = |(store, kind): (&store::Store, OperationKind)| {
            let store = store.clone();
            async move { store.operations().begin(request(app, kind)).await }
        };
        let answers = join_all((0..8).map(|n| start((stores[n % 2], kinds[n / 4])))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        let winner = won.into_iter().next().unwrap().unwrap().operation;
        for error in lost.into_iter().map(Result::unwrap_err) {
            let busy = matches!(&error, Error::Busy { operation, .. } if *operation == winner.id);
            assert!(busy, "round {round}: {error:?}");
        }
        let lease = world.claim("worker").await;
        world
            .store
            .leases()
            .finish(&lease, &Outcome::Completed, AppChange::none())
            .await
            .unwrap();
    }
}

pub(crate) async fn an_app_that_is_deleted_meanwhile_is_not_found(world: &World) {
    let app = world.installed("blog").await.app.id;
    world
        .store
        .operations()
        .begin(request(app, OperationKind::Delete))
        .await
        .unwrap();
    let lease = world.claim("worker").await;
    world
        .store
        .leases()
        .finish(
            &lease,
            &Outcome::Completed,
            AppChange::to(AppState::Deleted),
        )
        .await
        .unwrap();
    let error = world
        .store
        .operations()
        .begin(request(app, OperationKind::Start))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound("app")), "{error:?}");
    assert_eq!(
        world.store.operations().live().await.unwrap(),
        0,
        "nothing is left of the attempt"
    );
    let error = world.store.apps().find("blog").await.unwrap_err();
    assert!(matches!(error, Error::NotFound("app")));
}

pub(crate) async fn fifty_deployments_at_once(world: &World) {
    let replica = world.replica().await;
    let deploy = |number: usize| {
        let store = if number.is_multiple_of(2) {
            world.store.clone()
        } else {
            replica.clone()
        };
        tokio::task::spawn_blocking(move || {
            let deployment = deployment(&store, &format!("app-{number}"));
            tokio::runtime::Handle::current().block_on(store.operations().deploy(deployment))
        })
    };
    for answer in join_all((0..50).map(deploy)).await {
        answer.unwrap().unwrap();
    }
    let page = world
        .store
        .apps()
        .list(&AppFilter::default(), &PageRequest::first(100))
        .await
        .unwrap();
    assert_eq!(page.items.len(), 50);
    let events = world
        .store
        .events()
        .after(0, EventFilter::default(), 100)
        .await
        .unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.id).collect();
    assert_eq!(
        numbers,
        (1..=50).collect::<Vec<i64>>(),
        "numbered without a gap"
    );
}
