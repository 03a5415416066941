use std::{sync::Mutex, time::Duration};

use api::{AppState, EventKind, OperationStatus};
use async_trait::async_trait;
use saga::{
    Control, Event, Interrupted, Journal as _, Outcome, Saga, Step, StepContext, StepError,
};
use serde_json::json;
use store::{AppChange, Error, EventFilter, Lease};

use crate::{
    World,
    world::{
        FROZEN, LEASE, checkpoint, failed, failure, finished, plan, refused, started, undo_failed,
    },
};

pub(crate) async fn the_journal_is_read_as_it_was_written(world: &World) {
    let asked = json!({ "asked": "blog" });
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("one").await;
    let journal = world.journal(&lease);
    let (events, state) = journal.load().await.unwrap();
    assert!(events.is_empty());
    assert_eq!(
        state, asked,
        "before the first event it is the state that was asked with"
    );

    let odd =
        json!({ "text": "a\0b \u{1F980} \"'\\", "number": 1e300, "deep": [[{ "null": null }]] });
    let written = [
        started("create"),
        checkpoint("create"),
        failed("create"),
        undo_failed("create"),
    ];
    for event in &written {
        journal.append(event, &odd).await.unwrap();
    }
    world.store.leases().release(&lease).await.unwrap();
    let replica = world.replica().await;
    let lease = replica
        .leases()
        .claim_next("two", LEASE)
        .await
        .unwrap()
        .unwrap();
    let (events, state) = replica.journal(&lease, plan()).load().await.unwrap();
    assert_eq!((events.as_slice(), &state), (&written[..], &odd));

    assert_eq!(world.store.operations().state(id).await.unwrap(), odd);
    let history = world.store.events().history(id).await.unwrap();
    assert_eq!(
        history.iter().map(|line| &line.event).collect::<Vec<_>>(),
        written.iter().collect::<Vec<_>>()
    );
    let public = world
        .store
        .events()
        .after(0, EventFilter::operation(id), 10)
        .await
        .unwrap();
    let kinds: Vec<EventKind> = public.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::OperationQueued,
            EventKind::StepStarted,
            EventKind::StepCheckpoint,
            EventKind::StepFailed,
            EventKind::StepUndoFailed
        ]
    );
    assert_eq!(public[3].message.as_deref(), Some("There is no space."));
    assert_eq!(
        public[3].data,
        Some(serde_json::to_value(failure()).unwrap())
    );
    assert_eq!(public[3].step.as_deref(), Some("create"));
}

pub(crate) async fn status_follows_the_journal(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("one").await;
    let journal = world.journal(&lease);
    let now = async || {
        let operation = world.store.operations().get(id).await.unwrap();
        (
            operation.status,
            operation.cancellable,
            operation.failure.map(|failure| failure.code),
        )
    };
    let forward = (OperationStatus::Running, true, None);
    for event in [
        started("create"),
        finished("create"),
        started("start"),
        finished("start"),
    ] {
        journal.append(&event, &json!({})).await.unwrap();
        assert_eq!(now().await, forward, "{event:?}");
    }
    journal
        .append(&failed("publish"), &json!({}))
        .await
        .unwrap();
    let back = (
        OperationStatus::Unwinding,
        false,
        Some("no_space".to_owned()),
    );
    assert_eq!(now().await, back);
    // A checkpoint of an undo does not look like a way forward; and a journal that never loaded knows where it is.
    world
        .journal(&lease)
        .append(&checkpoint("start"), &json!({}))
        .await
        .unwrap();
    assert_eq!(now().await, back);
    let failure = world
        .store
        .operations()
        .get(id)
        .await
        .unwrap()
        .failure
        .unwrap();
    assert_eq!(
        (failure.step.as_deref(), failure.evidence.len()),
        (Some("publish"), 1)
    );
    assert_eq!(failure.hint.as_deref(), Some("Free some."));

    // What cannot follow is not written.
    let impossible = world
        .journal(&lease)
        .append(&finished("create"), &json!({}))
        .await;
    assert!(
        matches!(impossible, Err(Interrupted::Incompatible(_))),
        "{impossible:?}"
    );
    assert_eq!(journal.load().await.unwrap().0.len(), 6);
}

/// Two steps; the first saves what it is about to do, and the first driver dies in the second.
struct Two;

struct Note(&'static str);

#[async_trait]
impl Step<Two> for Note {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn run(&self, cx: &mut StepContext<'_, Two>) -> Result<(), StepError> {
        cx.state.push(self.0.to_owned());
        cx.checkpoint().await?;
        cx.log(format!("{} runs", self.0));
        cx.context.lock().unwrap().push(self.0);
        if self.0 == "second" && cx.state.len() == 2 {
            return Err(Interrupted::Shutdown.into());
        }
        Ok(())
    }
}

impl Saga for Two {
    const KIND: &'static str = "two";
    type State = Vec<String>;
    type Context = Mutex<Vec<&'static str>>;

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[&Note("first"), &Note("second")]
    }
}

pub(crate) async fn a_saga_survives_its_driver(world: &World) {
    let mut deployment = crate::world::deployment(&world.store, "blog");
    deployment.state = json!([]);
    let id = world
        .store
        .operations()
        .deploy(deployment)
        .await
        .unwrap()
        .operation
        .id;
    let (ran, control) = (Mutex::default(), Control::default());
    let drive = async |lease: &Lease| {
        let journal = world.store.journal(lease, saga::plan::<Two>());
        saga::drive::<Two>(&journal, &ran, &control).await
    };
    let first = world.claim("one").await;
    assert!(matches!(drive(&first).await, Err(Interrupted::Shutdown)));
    world.clock.advance(FROZEN);
    let second = world.claim("two").await;
    assert_eq!(drive(&second).await.unwrap(), Outcome::Completed);
    assert_eq!(*ran.lock().unwrap(), ["first", "second", "second"]);
    assert!(matches!(drive(&first).await, Err(Interrupted::LeaseLost)));
    let done = AppChange::to(AppState::Running);
    let operation = world
        .store
        .leases()
        .finish(&second, &Outcome::Completed, done)
        .await
        .unwrap();
    assert_eq!(operation.status, OperationStatus::Completed);
    let history = world.store.events().history(id).await.unwrap();
    let starts = history
        .iter()
        .filter(|line| matches!(line.event, Event::Started { .. }))
        .count();
    assert_eq!(starts, 3);
}

pub(crate) async fn finishing_frees_the_app_and_ends_the_lease(world: &World) {
    let begun = world.deploy("blog").await;
    let lease = world.claim("one").await;
    let journal = world.journal(&lease);
    journal
        .append(&started("create"), &json!({}))
        .await
        .unwrap();
    journal.append(&failed("create"), &json!({})).await.unwrap();
    journal.note("create", "undone");
    world.clock.advance(Duration::from_secs(5));
    let outcome = Outcome::Unwound {
        step: "create".to_owned(),
        failure: failure(),
    };
    let gone = AppChange::to(AppState::Deleted).without_container();
    let operation = world
        .store
        .leases()
        .finish(&lease, &outcome, gone)
        .await
        .unwrap();
    assert_eq!(operation.status, OperationStatus::Unwound);
    assert!(!operation.is_live() && operation.holder.is_none() && operation.held_until.is_none());
    assert_eq!(operation.finished_at, Some(world.store.now()));
    assert_eq!(operation.failure.unwrap().message, "There is no space.");

    let app = world.store.apps().get(begun.app.id).await.unwrap();
    assert_eq!((app.state, app.operation), (AppState::Deleted, None));
    let events = world
        .store
        .events()
        .last(EventFilter::default(), 2)
        .await
        .unwrap();
    assert_eq!(
        events[0].message.as_deref(),
        Some("undone"),
        "the last line is not lost"
    );
    assert_eq!(events[1].kind, EventKind::OperationFinished);
    assert_eq!(
        events[1].data,
        Some(json!({ "status": "unwound", "kind": "deploy" }))
    );
    assert_eq!(events[1].message.as_deref(), Some("There is no space."));

    let late = journal
        .append(
            &Event::Undone {
                step: "create".to_owned(),
            },
            &json!({}),
        )
        .await;
    assert!(matches!(late, Err(Interrupted::LeaseLost)), "{late:?}");
    refused(
        &world
            .store
            .leases()
            .finish(&lease, &outcome, AppChange::none())
            .await
            .map(drop),
    );
    world.clock.advance(FROZEN);
    assert!(
        world
            .store
            .leases()
            .claim_next("two", LEASE)
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn stuck_keeps_the_app(world: &World) {
    let begun = world.stuck("blog").await;
    let operation = world
        .store
        .operations()
        .get(begun.operation.id)
        .await
        .unwrap();
    assert_eq!(operation.status, OperationStatus::Stuck);
    assert!(operation.is_live() && operation.unwinding && operation.finished_at.is_some());
    assert_eq!(operation.step.as_deref(), Some("create"));
    world.clock.advance(FROZEN);
    assert!(
        world
            .store
            .leases()
            .claim_next("two", LEASE)
            .await
            .unwrap()
            .is_none(),
        "it waits for a person"
    );
    let stop = crate::world::request(begun.app.id, api::OperationKind::Stop);
    assert!(matches!(
        world.store.operations().begin(stop).await,
        Err(Error::Busy { .. })
    ));
}
