//! What the loop promises, one promise a test.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use saga::{
    Control, Event, Failure, Interrupted, MemoryJournal, Outcome, Saga, Step, StepContext,
    StepError, Turn, drive, plan,
};
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use crate::{
    work::{Build, LIMIT, Replace, fresh, unwound},
    world::{Harm, Way, World, harm},
};

/// The journal as lines, such as `finished create`.
fn lines(journal: &MemoryJournal) -> String {
    let lines: Vec<_> = journal
        .events()
        .iter()
        .map(|event| format!("{} {}", event.kind(), event.step()))
        .collect();
    lines.join("\n")
}

#[test]
fn plans() {
    insta::assert_snapshot!(plan::<Build>(), @"build: reserve · create · start · check");
    insta::assert_snapshot!(plan::<Replace>(), @"replace: create · check · switch(pivot) · drain · retire");
}

/// Workers drive their sagas in tasks of their own.
#[tokio::test]
async fn a_saga_can_be_driven_in_a_task() {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async {
        let (world, journal) = (World::default(), fresh());
        drive::<Build>(&journal, &world, &world.process()).await
    });
    let outcome = tasks.join_next().await.unwrap().unwrap();
    assert_eq!(outcome.unwrap(), Outcome::Completed);
}

#[tokio::test]
async fn all_steps_in_their_order() {
    let (world, journal) = (World::default(), fresh());
    assert_eq!(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
        Outcome::Completed
    );
    assert!(world.is_complete(&plan::<Build>().names));
    insta::assert_snapshot!(lines(&journal), @r"
    started reserve
    checkpoint reserve
    finished reserve
    started create
    checkpoint create
    finished create
    started start
    checkpoint start
    finished start
    started check
    checkpoint check
    finished check
    ");
}

#[tokio::test]
async fn the_failed_step_is_undone_first() {
    let world = World::new(false, &[harm("start", Way::Run, Harm::Fail)]);
    let journal = fresh();
    let (step, failure) = unwound(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure),
        ("start", Failure::new("broken", "start broke at 1"))
    );
    assert_eq!(world.calls("start", Way::Undo), 1);
    assert!(world.is_clean());
    insta::assert_snapshot!(lines(&journal).split_once("started start\n").unwrap().1, @r"
    checkpoint start
    failed start
    undone start
    undone create
    undone reserve
    ");
}

#[tokio::test]
async fn what_a_cut_step_has_learnt_is_saved_for_its_undo() {
    let journal = MemoryJournal::new(&json!(null));
    let world = World::default();
    let (step, failure) = unwound(
        drive::<Learn>(&journal, &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure.code.as_str()),
        ("learn", Failure::CANCELLED)
    );
    let entries = journal.entries();
    assert_eq!(
        entries[1].state,
        json!("learnt"),
        "saved with the failure: {entries:?}"
    );
    assert_eq!(entries[2].state, json!("learnt, undone"), "{entries:?}");
}

/// Learns something without a checkpoint and is cancelled.
struct Learn;

impl Saga for Learn {
    const KIND: &'static str = "learn";
    type State = Value;
    type Context = World;

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[&Learn]
    }
}

#[async_trait]
impl Step<Self> for Learn {
    fn name(&self) -> &'static str {
        "learn"
    }

    async fn run(&self, cx: &mut StepContext<'_, Self>) -> Result<(), StepError> {
        *cx.state = json!("learnt");
        cx.context.cancel.cancel();
        std::future::pending().await
    }

    async fn undo(&self, cx: &mut StepContext<'_, Self>) -> Result<(), StepError> {
        *cx.state = json!(format!("{}, undone", cx.state.as_str().unwrap()));
        Ok(())
    }
}

#[tokio::test]
async fn cancelled_before_it_began() {
    let (world, journal) = (World::default(), fresh());
    world.cancel.cancel();
    let (step, failure) = unwound(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure.code.as_str()),
        ("reserve", Failure::CANCELLED)
    );
    assert_eq!(
        failure.message,
        "The operation was cancelled at step `reserve`."
    );
    assert_eq!(
        lines(&journal),
        "failed reserve",
        "nothing was run, so nothing is undone"
    );
}

#[tokio::test]
async fn cancel_cuts_a_step_that_would_never_end() {
    let world = World::new(false, &[harm("create", Way::Run, Harm::Hang)]);
    let journal = fresh();
    let control = world.process();
    let started = Event::Started {
        step: "create".to_owned(),
    };
    let wish = async {
        while !journal.events().contains(&started) {
            tokio::task::yield_now().await;
        }
        control.cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(drive::<Build>(&journal, &world, &control), wish);
    assert_eq!(unwound(outcome.unwrap()).1.code, Failure::CANCELLED);
    assert!(world.is_clean());
}

#[tokio::test]
async fn cancel_after_the_pivot_is_not_heard() {
    let world = World::new(false, &[harm("drain", Way::Run, Harm::Cancel)]);
    let outcome = drive::<Replace>(&fresh(), &world, &world.process())
        .await
        .unwrap();
    assert!(world.cancel.is_cancelled());
    assert_eq!(outcome, Outcome::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long_has_failed() {
    let world = World::new(false, &[harm("create", Way::Run, Harm::Hang)]);
    let began = Instant::now();
    let (step, failure) = unwound(
        drive::<Build>(&fresh(), &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure.code.as_str()),
        ("create", "step_timeout")
    );
    assert_eq!(
        failure.message,
        "Step `create` did not finish within 7 seconds."
    );
    assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
    assert!(world.is_clean());
}

#[tokio::test]
async fn a_panic_is_a_failure_that_tells_nothing_of_its_text() {
    let world = World::new(false, &[harm("create", Way::Run, Harm::Panic)]);
    let (step, failure) = unwound(
        drive::<Build>(&fresh(), &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure.code.as_str()),
        ("create", "internal")
    );
    assert_eq!(
        failure.message,
        "Step `create` stopped because of a programming error."
    );
    assert!(failure.evidence.is_empty());
    assert!(world.is_clean());
}

#[tokio::test]
async fn a_pivot_that_fails_is_itself_undone() {
    let world = World::new(false, &[harm("switch", Way::Run, Harm::Fail)]);
    assert_eq!(
        unwound(
            drive::<Replace>(&fresh(), &world, &world.process())
                .await
                .unwrap()
        )
        .0,
        "switch"
    );
    assert_eq!(world.calls("switch", Way::Undo), 1);
    assert!(world.is_clean());
}

/// A saga of one step that waits for its turn before it works.
struct Queue;

struct Wait;

impl Saga for Queue {
    const KIND: &'static str = "queue";
    type State = ();
    type Context = Arc<Semaphore>;

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[&Wait]
    }
}

#[async_trait]
impl Step<Queue> for Wait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn timeout(&self, _: &Arc<Semaphore>) -> Duration {
        LIMIT
    }

    async fn turn(&self, cx: &StepContext<'_, Queue>) -> Result<Turn, StepError> {
        let place = cx.context.clone().acquire_owned().await.expect("open");
        Ok(Turn::holding(place))
    }

    async fn run(&self, cx: &mut StepContext<'_, Queue>) -> Result<(), StepError> {
        assert_eq!(cx.context.available_permits(), 0, "its turn is held");
        sleep(LIMIT / 2).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_does_not_run_while_a_step_waits_for_its_turn() {
    let (places, journal) = (
        Arc::new(Semaphore::new(1)),
        MemoryJournal::new(&json!(null)),
    );
    let others = places.clone().acquire_owned().await.unwrap();
    let later = async {
        sleep(LIMIT * 10).await;
        drop(others);
    };
    let control = Control::default();
    let (outcome, ()) = tokio::join!(drive::<Queue>(&journal, &places, &control), later);
    assert_eq!(outcome.unwrap(), Outcome::Completed);
    assert_eq!(places.available_permits(), 1, "its turn is over");
}

#[tokio::test(start_paused = true)]
async fn cancel_and_shutdown_are_heard_while_a_step_waits_for_its_turn() {
    for is_cancel in [true, false] {
        let (places, journal) = (
            Arc::new(Semaphore::new(0)),
            MemoryJournal::new(&json!(null)),
        );
        let control = Control::default();
        let wish = async {
            sleep(LIMIT * 10).await;
            if is_cancel {
                control.cancel.cancel();
            } else {
                control.shutdown.cancel();
            }
        };
        let (outcome, ()) = tokio::join!(drive::<Queue>(&journal, &places, &control), wish);
        match outcome {
            Ok(Outcome::Unwound { failure, .. }) => assert_eq!(
                (is_cancel, failure.code.as_str()),
                (true, Failure::CANCELLED)
            ),
            Err(interrupted) => assert!(
                !is_cancel && matches!(interrupted, Interrupted::Shutdown),
                "{interrupted:?}"
            ),
            other => panic!("{other:?}"),
        }
    }
}
