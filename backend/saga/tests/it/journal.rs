//! What passes between a saga and its journal beside the events: lines of progress, and refusals.

use std::time::Duration;

use async_trait::async_trait;
use saga::{
    Event, Interrupted, Journal as _, MemoryJournal, Outcome, Saga, Step, StepContext, StepError,
    drive,
};
use serde_json::{Value, json};

use crate::{
    work::{Build, fresh},
    world::World,
};

#[tokio::test]
async fn a_journal_of_another_plan_is_refused() {
    let (world, journal) = (World::default(), fresh());
    journal
        .append(
            &Event::Started {
                step: "reticulate".to_owned(),
            },
            &json!({}),
        )
        .await
        .unwrap();
    let refused = drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap_err();
    assert!(matches!(refused, Interrupted::Incompatible(_)));
    let told = "the journal does not fit this saga: `build` met `started` of step `reticulate`, \
                a step it does not have, where step `reserve` is to run";
    assert_eq!(refused.to_string(), told);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_refused() {
    let world = World::default();
    let journal = MemoryJournal::new(&json!({"identifiers": "none"}));
    let refused = drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, Interrupted::Incompatible(_)),
        "{refused:?}"
    );
    assert_eq!(journal.appends(), 0);
}

#[tokio::test]
async fn lines_are_noted_in_their_order_also_from_other_threads() {
    let journal = MemoryJournal::new(&json!(null));
    assert_eq!(
        drive::<Talk>(&journal, &(), &saga::Control::default())
            .await
            .unwrap(),
        Outcome::Completed
    );
    let lines: Vec<_> = journal
        .notes()
        .into_iter()
        .map(|(step, line)| format!("{step}: {line}"))
        .collect();
    assert_eq!(
        lines,
        [
            "talk: before",
            "talk: one",
            "talk: two",
            "talk: last",
            "talk: after"
        ]
    );
}

/// Talks, from its own task and from a thread.
struct Talk;

impl Saga for Talk {
    const KIND: &'static str = "talk";
    type State = Value;
    type Context = ();

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[&Talk]
    }
}

#[async_trait]
impl Step<Self> for Talk {
    fn name(&self) -> &'static str {
        "talk"
    }

    fn timeout(&self, (): &()) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, Self>) -> Result<(), StepError> {
        cx.log("before");
        let said = cx
            .log_while(async |lines| {
                let thread = lines.clone();
                let said = tokio::task::spawn_blocking(move || {
                    thread.line("one");
                    thread.line("two");
                    2
                });
                let said = said.await.expect("the thread does not panic");
                lines.line("last");
                said
            })
            .await;
        assert_eq!(said, 2);
        cx.log("after");
        Ok(())
    }
}
