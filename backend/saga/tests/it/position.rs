//! The fold under random journals: it never panics, and from wherever a legal journal leads there
//! is a way to a rest.

use proptest::{collection::vec, prelude::*, sample::Index};
use saga::{Event, Failure, Interrupted, Outcome, Plan, Position};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const KINDS: usize = 7;

fn plans() -> impl Strategy<Value = Plan> {
    (0..=NAMES.len(), proptest::option::of(0..NAMES.len())).prop_map(|(steps, pivot)| Plan {
        kind: "random",
        names: NAMES[..steps].to_vec(),
        pivot: pivot.filter(|pivot| *pivot < steps),
    })
}

fn event(kind: usize, step: &str) -> Event {
    let step = step.to_owned();
    match kind {
        0 => Event::Started { step },
        1 => Event::Checkpoint { step },
        2 => Event::Finished { step },
        3 => Event::Failed {
            failure: Failure::new("failed", format!("run of {step}")),
            step,
        },
        4 => Event::Undone { step },
        5 => Event::UndoFailed {
            failure: Failure::new("failed", format!("undo of {step}")),
            step,
        },
        _ => Event::Retried { step },
    }
}

/// Any event at all, also of steps that the plan does not have.
fn events() -> impl Strategy<Value = Event> {
    (
        0..KINDS,
        prop_oneof![
            proptest::sample::select(NAMES.to_vec()),
            Just("stranger"),
            Just("")
        ],
    )
        .prop_map(|(kind, step)| event(kind, step))
}

/// The events that may follow; all of them are about the same step.
fn legal(position: &Position, plan: &Plan) -> Vec<(Event, Position)> {
    let Some(step) = position.step(plan) else {
        return Vec::new();
    };
    let next = |kind| {
        let event = event(kind, step);
        position
            .clone()
            .apply(&event, plan)
            .ok()
            .map(|next| (event, next))
    };
    (0..KINDS).filter_map(next).collect()
}

/// What a driver (and a person who retries) would do where nothing fails any more.
fn calm(position: &Position, plan: &Plan) -> Option<Event> {
    let step = position.step(plan)?;
    Some(match position {
        Position::Forward { begun: false, .. } => event(0, step),
        Position::Forward { begun: true, .. } => event(2, step),
        Position::Unwinding { .. } => event(4, step),
        Position::Stuck { .. } => event(6, step),
    })
}

proptest! {
    #[test]
    fn any_journal_is_read_or_refused(plan in plans(), events in vec(events(), 0..40)) {
        let mut position = Position::START;
        for (count, event) in events.iter().enumerate() {
            match position.apply(event, &plan) {
                Ok(next) => position = next,
                Err(Interrupted::Incompatible(_)) => {
                    prop_assert!(Position::of(&events[..=count], &plan).is_err());
                    return Ok(());
                }
                Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
            prop_assert_eq!(&Position::of(&events[..=count], &plan).unwrap(), &position);
        }
    }

    #[test]
    fn every_legal_journal_leads_to_a_rest(plan in plans(), choices in vec(any::<Index>(), 0..60)) {
        let mut walk = Walk::new(&plan);
        for choice in choices {
            let mut legal = legal(&walk.position, &plan);
            if legal.is_empty() {
                break;
            }
            let (event, next) = legal.swap_remove(choice.index(legal.len()));
            walk.go(&event, next)?;
        }
        walk.rest()?;
    }
}

/// What must hold along every legal journal.
struct Walk<'p> {
    plan: &'p Plan,
    position: Position,
    undone: Option<String>,
    first_failure: Option<Failure>,
    pivot_finished: bool,
}

impl<'p> Walk<'p> {
    fn new(plan: &'p Plan) -> Self {
        let position = Position::START;
        Self {
            plan,
            position,
            undone: None,
            first_failure: None,
            pivot_finished: false,
        }
    }

    fn go(&mut self, event: &Event, next: Position) -> Result<(), TestCaseError> {
        if let Event::Finished { step } = event {
            let pivot = self.plan.pivot.map(|pivot| self.plan.names[pivot]);
            self.pivot_finished |= pivot == Some(step);
        }
        if let Event::Undone { step } = event {
            // The names are in alphabetical order: each undo is of an earlier step than the last.
            prop_assert!(self.undone.as_ref().is_none_or(|later| step < later));
            self.undone = Some(step.clone());
        }
        if let (Position::Unwinding { cause, .. }, Event::Failed { failure, .. }) = (&next, event) {
            prop_assert!(self.first_failure.is_none(), "a saga unwinds once");
            prop_assert_eq!(&cause.failure, failure);
            self.first_failure = Some(failure.clone());
        }
        let stuck_back = matches!(next, Position::Stuck { cause: Some(_), .. });
        let back = stuck_back || matches!(next, Position::Unwinding { .. });
        prop_assert!(
            !(self.pivot_finished && back),
            "there is no way back after the pivot"
        );
        let stuck = matches!(next, Position::Stuck { .. });
        prop_assert_eq!(next.retried(self.plan).is_some(), stuck);
        self.position = next;
        Ok(())
    }

    /// The rest of the way without failures is short, and tells the first failure.
    fn rest(mut self) -> Result<(), TestCaseError> {
        for _ in 0..=2 * self.plan.names.len() + 1 {
            let Some(event) = calm(&self.position, self.plan) else {
                break;
            };
            self.position = self.position.apply(&event, self.plan).unwrap();
        }
        match self.position.outcome(self.plan) {
            Some(Outcome::Completed) => prop_assert!(self.first_failure.is_none()),
            Some(Outcome::Unwound { failure, .. }) => {
                prop_assert_eq!(Some(failure), self.first_failure);
            }
            other => return Err(TestCaseError::fail(format!("no rest: {other:?}"))),
        }
        Ok(())
    }
}

#[test]
fn a_cancel_is_heard_until_the_pivot_has_finished() {
    let plan = Plan {
        kind: "random",
        names: NAMES[..3].to_vec(),
        pivot: Some(1),
    };
    let heard: Vec<_> = (0..=3)
        .map(|next| Position::Forward { next, begun: false }.is_cancellable(&plan))
        .collect();
    assert_eq!(heard, [true, true, false, false]);
    let without = Plan {
        pivot: None,
        ..plan
    };
    assert!(
        Position::Forward {
            next: 2,
            begun: true
        }
        .is_cancellable(&without)
    );
    assert!(
        !Position::Forward {
            next: 3,
            begun: false
        }
        .is_cancellable(&without),
        "all is done"
    );
}

#[test]
fn a_refusal_says_where_it_was_met() {
    let plan = Plan {
        kind: "random",
        names: NAMES[..2].to_vec(),
        pivot: None,
    };
    let refused = |kinds: &[(usize, &str)]| {
        let events: Vec<_> = kinds
            .iter()
            .map(|(kind, step)| event(*kind, step))
            .collect();
        Position::of(&events, &plan).unwrap_err().to_string()
    };
    let told = [
        refused(&[(2, "a")]),
        refused(&[(0, "b")]),
        refused(&[(0, "z")]),
        refused(&[(0, "a"), (3, "a"), (0, "a")]),
        refused(&[(0, "a"), (3, "a"), (5, "a"), (4, "a")]),
        refused(&[(3, "a"), (4, "a")]),
    ];
    let prefix = "the journal does not fit this saga: ";
    let told = told.map(|told| told.replace(prefix, ""));
    insta::assert_snapshot!(told.join("
"), @r"
    `random` met `finished` of step `a` where step `a` is to run
    `random` met `started` of step `b` where step `a` is to run
    `random` met `started` of step `z`, a step it does not have, where step `a` is to run
    `random` met `started` of step `a` where step `a` is to be undone
    `random` met `undone` of step `a` where step `a` is stuck
    `random` met `undone` of step `a` after the end
    ");
}
