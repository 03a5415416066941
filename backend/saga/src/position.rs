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
        started: bool,
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

/// The failure that made a saga unwind. It is what the person is told in the end, however many drivers and retries
/// the way back takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The step that failed, or was to run when the operation was cancelled.
    pub step: usize,
    /// Why.
    pub failure: Failure,
}

impl Position {
    /// Where every saga begins.
    pub const START: Self = Self::Forward {
        next: 0,
        started: false,
    };

    /// Folds a whole journal. An event that cannot follow the ones before it is [`Interrupted::Incompatible`].
    pub fn of<'e>(
        events: impl IntoIterator<Item = &'e Event>,
        plan: &Plan,
    ) -> Result<Self, Interrupted> {
        events
            .into_iter()
            .try_fold(Self::START, |position, event| position.apply(event, plan))
    }

    /// Where the saga stands after one more event.
    pub fn apply(self, event: &Event, plan: &Plan) -> Result<Self, Interrupted> {
        if self.step(plan) != Some(event.step()) {
            return Err(self.refuse(event, plan));
        }
        Ok(match (self, event) {
            (Self::Forward { next, .. }, Event::Started { .. }) => Self::Forward {
                next,
                started: true,
            },
            (
                here @ (Self::Forward { started: true, .. } | Self::Unwinding { .. }),
                Event::Checkpoint { .. },
            ) => here,
            (
                Self::Forward {
                    next,
                    started: true,
                },
                Event::Finished { .. },
            ) => Self::Forward {
                next: next + 1,
                started: false,
            },
            (Self::Forward { next, started }, Event::Failed { failure, .. })
                if !plan.is_past_pivot(next) =>
            {
                // The failed step is undone, too, unless no attempt of it ever began.
                let cause = Cause {
                    step: next,
                    failure: failure.clone(),
                };
                Self::Unwinding {
                    left: next + usize::from(started),
                    cause,
                }
            }
            (
                Self::Forward {
                    next,
                    started: true,
                },
                Event::Failed { failure, .. },
            ) => Self::Stuck {
                step: next,
                failure: failure.clone(),
                cause: None,
            },
            (Self::Unwinding { left, cause }, Event::Undone { .. }) => Self::Unwinding {
                left: left - 1,
                cause,
            },
            (Self::Unwinding { left, cause }, Event::UndoFailed { failure, .. }) => Self::Stuck {
                step: left - 1,
                failure: failure.clone(),
                cause: Some(cause),
            },
            (
                Self::Stuck {
                    step,
                    cause: Some(cause),
                    ..
                },
                Event::Retried { .. },
            ) => Self::Unwinding {
                left: step + 1,
                cause,
            },
            (
                Self::Stuck {
                    step, cause: None, ..
                },
                Event::Retried { .. },
            ) => Self::Forward {
                next: step,
                started: false,
            },
            (here, event) => return Err(here.refuse(event, plan)),
        })
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

    /// Whether a cancel would still be heard: there is a step to run, and the pivot has not finished.
    pub fn is_cancellable(&self, plan: &Plan) -> bool {
        matches!(self, Self::Forward { next, .. } if *next < plan.names.len() && !plan.is_past_pivot(*next))
    }

    /// The event that makes a stuck saga go on; none when it is not stuck.
    pub fn retried(&self, plan: &Plan) -> Option<Event> {
        let stuck = matches!(self, Self::Stuck { .. });
        self.step(plan)
            .filter(|_| stuck)
            .map(|step| Event::Retried {
                step: step.to_owned(),
            })
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
