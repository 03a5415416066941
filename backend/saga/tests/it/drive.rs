//! What the loop promises, one promise a test.

use async_trait::async_trait;
use saga::{
    Event, Failure, MemoryJournal, Outcome, Saga, Step, StepContext, StepError, drive, plan,
};
use serde_json::{Value, json};
use tokio::time::Instant;

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
