//! Where a saga stands: a pure fold of its journal. No clock, no I/O, no step is called from here.

use crate::{Event, Failure, Interrupted, Outcome, Plan};

/// Where a saga stands after the events of its journal. Numbers are indices into [`Plan::names`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// Every step before `next` has finished.
    Forward {
        /// The step to run; one past the last when all have finished.
        next: usize,
        /// Whether an attempt of it has begun, so that it may have left something behind.
        begun: bool,
    },
    /// Going back: the first `left` steps are still to be undone, the last of them first.
    Unwinding {
        /// How many steps are still to be undone.
        left: usize,
        /// What began the unwinding.
        cause: Cause,
    },
    /// Waits for a person's [`Event::Retried`].
    Stuck {
        /// The step that could not be run (after the pivot), or not be undone.
        step: usize,
        /// Why it could not.
        failure: Failure,
        /// What began the unwinding, when it was going back.
        cause: Option<Cause>,
    },
}

/// The failure that made a saga unwind. It is what the person is told in the end, however many
/// drivers and retries the way back takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The step that failed, or was to run when the operation was cancelled.
    pub step: usize,
    /// Why.
    pub failure: Failure,
}

impl Position {
    /// Where every saga begins.
    pub const START: Self = Self::to_run(0);

    /// Folds a whole journal. An event that cannot follow the ones before it is
    /// [`Interrupted::Incompatible`].
    pub fn of<'e>(
        events: impl IntoIterator<Item = &'e Event>,
        plan: &Plan,
    ) -> Result<Self, Interrupted> {
        events
            .into_iter()
            .try_fold(Self::START, |position, event| position.apply(event, plan))
    }

    /// Where the saga stands after one more event.
    pub fn apply(&self, event: &Event, plan: &Plan) -> Result<Self, Interrupted> {
        let expected = self.step(plan) == Some(event.step());
        let next = match self {
            _ if !expected => None,
            Self::Forward { next, begun } => Self::forward(*next, *begun, event, plan),
            Self::Unwinding { left, cause } => Self::back(*left, cause, event),
            Self::Stuck { step, cause, .. } => Self::again(*step, cause.as_ref(), event),
        };
        next.ok_or_else(|| self.refuse(event, plan))
    }

    const fn to_run(next: usize) -> Self {
        let begun = false;
        Self::Forward { next, begun }
    }

    fn forward(next: usize, begun: bool, event: &Event, plan: &Plan) -> Option<Self> {
        match event {
            Event::Started { .. } => Some(Self::Forward { next, begun: true }),
            Event::Checkpoint { .. } if begun => Some(Self::Forward { next, begun }),
            Event::Finished { .. } if begun => Some(Self::to_run(next + 1)),
            Event::Failed { failure, .. } if !plan.is_past_pivot(next) => {
                // The failed step is undone, too, unless no attempt of it ever began.
                let left = next + usize::from(begun);
                let (step, failure) = (next, failure.clone());
                let cause = Cause { step, failure };
                Some(Self::Unwinding { left, cause })
            }
            Event::Failed { failure, .. } if begun => Some(Self::Stuck {
                step: next,
                failure: failure.clone(),
                cause: None,
            }),
            _ => None,
        }
    }

    fn back(left: usize, cause: &Cause, event: &Event) -> Option<Self> {
        let (last, cause) = (left - 1, cause.clone());
        match event {
            Event::Checkpoint { .. } => Some(Self::Unwinding { left, cause }),
            Event::Undone { .. } => Some(Self::Unwinding { left: last, cause }),
            Event::UndoFailed { failure, .. } => Some(Self::Stuck {
                step: last,
                failure: failure.clone(),
                cause: Some(cause),
            }),
            _ => None,
        }
    }

    fn again(step: usize, cause: Option<&Cause>, event: &Event) -> Option<Self> {
        match (event, cause.cloned()) {
            (Event::Retried { .. }, None) => Some(Self::to_run(step)),
            (Event::Retried { .. }, Some(cause)) => {
                let left = step + 1;
                Some(Self::Unwinding { left, cause })
            }
            _ => None,
        }
    }

    /// Name of the step that is run, undone or stuck next; none when all is done.
    pub fn step<'p>(&self, plan: &'p Plan) -> Option<&'p str> {
        let index = match self {
            Self::Forward { next, .. } => Some(*next),
            Self::Unwinding { left, .. } => left.checked_sub(1),
            Self::Stuck { step, .. } => Some(*step),
        };
        index.and_then(|index| plan.names.get(index).copied())
    }

    /// How the saga has ended, when it has.
    pub fn outcome(&self, plan: &Plan) -> Option<Outcome> {
        let name = |step: usize| plan.names.get(step).copied().unwrap_or_default().to_owned();
        match self {
            Self::Forward { next, .. } if *next >= plan.names.len() => Some(Outcome::Completed),
            Self::Unwinding { left: 0, cause } => Some(Outcome::Unwound {
                step: name(cause.step),
                failure: cause.failure.clone(),
            }),
            Self::Stuck {
                step,
                failure,
                cause,
            } => Some(Outcome::Stuck {
                step: name(*step),
                failure: failure.clone(),
                unwinding: cause.is_some(),
            }),
            Self::Forward { .. } | Self::Unwinding { .. } => None,
        }
    }

    /// Whether a cancel would still be heard: there is a step to run, and the pivot has not
    /// finished.
    pub fn is_cancellable(&self, plan: &Plan) -> bool {
        match self {
            Self::Forward { next, .. } => *next < plan.names.len() && !plan.is_past_pivot(*next),
            Self::Unwinding { .. } | Self::Stuck { .. } => false,
        }
    }

    /// The event that makes a stuck saga go on; none when it is not stuck.
    pub fn retried(&self, plan: &Plan) -> Option<Event> {
        match self {
            Self::Stuck { .. } => self.step(plan).map(|step| Event::Retried {
                step: step.to_owned(),
            }),
            Self::Forward { .. } | Self::Unwinding { .. } => None,
        }
    }

    /// Says which event came where it cannot come.
    fn refuse(&self, event: &Event, plan: &Plan) -> Interrupted {
        let (kind, step) = (event.kind(), event.step());
        let there = match (self, self.step(plan)) {
            (Self::Forward { .. }, Some(next)) => format!("where step `{next}` is to run"),
            (Self::Unwinding { .. }, Some(next)) => format!("where step `{next}` is to be undone"),
            (Self::Stuck { .. }, Some(stuck)) => format!("where step `{stuck}` is stuck"),
            (_, None) => "after the end".to_owned(),
        };
        let unknown = if plan.names.contains(&step) {
            ""
        } else {
            ", a step it does not have,"
        };
        Interrupted::Incompatible(format!(
            "`{}` met `{kind}` of step `{step}`{unknown} {there}",
            plan.kind
        ))
    }
}
