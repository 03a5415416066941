//! A driver that must stop, at every moment at which it can be told to.

use async_trait::async_trait;
use saga::{
    Control, Event, Failure, Fault, Interrupted, Journal, MemoryJournal, Outcome, Saga, Step,
    StepContext, StepError, drive, plan,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    work::{Build, Replace, State},
    world::{Harm, Injection, Way, World},
};

/// A journal that trips a wish as soon as it has kept a given append.
struct Tripwire {
    journal: MemoryJournal,
    append: usize,
    wish: CancellationToken,
}

#[async_trait]
impl Journal for Tripwire {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        let append = self.journal.appends();
        self.journal.append(event, state).await?;
        if append == self.append {
            self.wish.cancel();
        }
        Ok(())
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        self.journal.load().await
    }
}

fn tripwire(append: usize, wish: &CancellationToken) -> Tripwire {
    Tripwire {
        journal: MemoryJournal::new(&State::default()),
        append,
        wish: wish.clone(),
    }
}

#[tokio::test]
async fn cancel_at_every_append() {
    let names = plan::<Replace>().names;
    // Each step appends its beginning, a checkpoint and its end.
    for append in 0..names.len() * 3 {
        let world = World::default();
        let journal = tripwire(append, &world.cancel);
        let outcome = drive::<Replace>(&journal, &world, &world.process())
            .await
            .unwrap();
        let pivot_finished = 2 * 3 + 2;
        if append >= pivot_finished {
            assert_eq!(outcome, Outcome::Completed, "{append}");
            assert!(world.is_complete(&names), "{append}");
            continue;
        }
        let Outcome::Unwound { step, failure } = outcome else {
            panic!("{append}: {outcome:?}")
        };
        assert_eq!(failure.code, Failure::CANCELLED);
        assert!(world.is_clean(), "{append}");
        // After the end of a step it is the next one that is cancelled, and that one never began.
        let cancelled = names[(append + 1) / 3];
        assert_eq!(step, cancelled);
        let began = (append + 1) % 3 != 0;
        assert_eq!(
            world.calls(cancelled, Way::Undo),
            usize::from(began),
            "{append}"
        );
        // A wish that comes with the beginning is heard before the step does anything.
        assert_eq!(
            world.calls(cancelled, Way::Run),
            usize::from((append + 1) % 3 == 2),
            "{append}"
        );
    }
}

#[tokio::test]
async fn shutdown_at_every_append_and_on_from_there() {
    for failing in [false, true] {
        let harm = Injection {
            step: "check",
            way: Way::Run,
            point: 1,
            harm: Harm::Fail,
            lasting: true,
        };
        let harm: &[_] = if failing { &[harm] } else { &[] };
        // Twelve appends forward; when the last step fails, its failure stands for its end and four
        // undos follow.
        for append in 0..if failing { 15 } else { 11 } {
            let world = World::new(false, harm);
            let control = world.process();
            let journal = tripwire(append, &control.shutdown);
            let stopped = drive::<Build>(&journal, &world, &control)
                .await
                .unwrap_err();
            assert!(
                matches!(stopped, Interrupted::Shutdown),
                "{append}: {stopped:?}"
            );
            assert_eq!(
                journal.journal.appends(),
                append + 1,
                "nothing is written after the wish"
            );

            let outcome = drive::<Build>(&journal, &world, &world.process())
                .await
                .unwrap();
            assert_eq!(
                matches!(outcome, Outcome::Unwound { .. }),
                failing,
                "{append}: {outcome:?}"
            );
            assert_eq!(world.is_clean(), failing, "{append}");
            assert_eq!(world.broken(), [""; 0]);
        }
    }
}

#[tokio::test]
async fn shutdown_is_no_failure_and_stops_an_undo_too() {
    for way in [Way::Run, Way::Undo] {
        let failure = Injection {
            step: "create",
            way: Way::Run,
            point: 2,
            harm: Harm::Fail,
            lasting: false,
        };
        let death = Injection {
            step: "create",
            way,
            point: 0,
            harm: Harm::Die,
            lasting: false,
        };
        let world = World::new(false, &[death, failure]);
        let journal = MemoryJournal::new(&State::default());
        let stopped = drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap_err();
        assert!(matches!(stopped, Interrupted::Shutdown));
        let undo_failed = |event: &Event| matches!(event, Event::UndoFailed { .. });
        assert!(!journal.events().iter().any(undo_failed));
        assert!(matches!(
            drive::<Build>(&journal, &world, &world.process()).await,
            Ok(Outcome::Unwound { .. })
        ));
        assert!(world.is_clean());
    }
}

#[tokio::test]
async fn an_undo_does_not_hear_cancel() {
    let failure = Injection {
        step: "create",
        way: Way::Run,
        point: 1,
        harm: Harm::Fail,
        lasting: false,
    };
    let cancel = Injection {
        step: "create",
        way: Way::Undo,
        point: 0,
        harm: Harm::Cancel,
        lasting: false,
    };
    let world = World::new(false, &[failure, cancel]);
    let journal = MemoryJournal::new(&State::default());
    let outcome = drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap();
    assert!(world.cancel.is_cancelled());
    assert!(matches!(outcome, Outcome::Unwound { failure, .. } if failure.code == "broken"));
    assert_eq!(world.calls("create", Way::Undo), 1);
}

#[tokio::test]
async fn a_lost_lease_stops_the_step_at_its_checkpoint() {
    let (world, journal) = (World::default(), MemoryJournal::new(&State::default()));
    journal.fail(1, Fault::LeaseLost);
    let stopped = drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap_err();
    assert!(matches!(stopped, Interrupted::LeaseLost));
    assert!(
        world.is_clean(),
        "the step acted although what it wrote down was refused"
    );
    assert_eq!(
        journal.events(),
        [Event::Started {
            step: "reserve".to_owned()
        }]
    );
}

#[tokio::test]
async fn a_saga_at_rest_tells_its_outcome_also_to_a_process_that_stops() {
    let (world, journal) = (World::default(), MemoryJournal::new(&State::default()));
    drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap();
    let control = world.process();
    control.shutdown.cancel();
    assert_eq!(
        drive::<Build>(&journal, &world, &control).await.unwrap(),
        Outcome::Completed
    );
}

/// A journal whose checkpoints wait for a permit after they have begun.
struct Slow {
    journal: MemoryJournal,
    begun: Semaphore,
    permits: Semaphore,
}

#[async_trait]
impl Journal for Slow {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        if matches!(event, Event::Checkpoint { .. }) {
            self.begun.add_permits(1);
            let _permit = self.permits.acquire().await.map_err(Interrupted::journal)?;
        }
        self.journal.append(event, state).await
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        self.journal.load().await
    }
}

/// Saves itself and acts.
struct Save;

impl Saga for Save {
    const KIND: &'static str = "save";
    type State = Value;
    type Context = ();

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[&Save]
    }
}

#[async_trait]
impl Step<Self> for Save {
    fn name(&self) -> &'static str {
        "save"
    }

    async fn run(&self, cx: &mut StepContext<'_, Self>) -> Result<(), StepError> {
        *cx.state = json!("written down");
        cx.checkpoint().await?;
        std::future::pending().await
    }
}

/// What is being written is written before the step is cut: the journal never sees two writes of
/// one saga at once.
#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_never_cut_by_cancel_or_time_limit() {
    for cancels in [true, false] {
        let (begun, permits) = (Semaphore::new(0), Semaphore::new(0));
        let journal = Slow {
            journal: MemoryJournal::new(&json!(null)),
            begun,
            permits,
        };
        let control = Control::default();
        let wish = async {
            journal.begun.acquire().await.unwrap().forget();
            if cancels {
                control.cancel.cancel();
            }
            // Past the time limit, which only counts in the second round.
            tokio::time::sleep(std::time::Duration::from_secs(if cancels {
                1
            } else {
                301
            }))
            .await;
            assert_eq!(
                journal.journal.appends(),
                1,
                "the failure overtook the checkpoint"
            );
            journal.permits.add_permits(1);
        };
        let (outcome, ()) = tokio::join!(drive::<Save>(&journal, &(), &control), wish);
        let code = if cancels {
            Failure::CANCELLED
        } else {
            Failure::TIMED_OUT
        };
        assert!(
            matches!(outcome.unwrap(), Outcome::Unwound { failure, .. } if failure.code == code)
        );
        let kinds: Vec<_> = journal.journal.events().iter().map(Event::kind).collect();
        assert_eq!(kinds, ["started", "checkpoint", "failed", "undone"]);
    }
}
