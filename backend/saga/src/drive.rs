//! The loop: look where the saga stands, make one move, write it down, until it is at rest.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use serde_json::Value;
use tokio::{sync::Mutex, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Event, Failure, Interrupted, Journal, Plan, Position, Saga, Step, StepContext, StepError, Turn,
    plan,
};

/// The three rests of a saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All steps have finished.
    Completed,
    /// All that was begun is undone.
    Unwound {
        /// The step that failed, or was next when the operation was cancelled.
        step: String,
        /// Why it failed: the first failure, whatever happened on the way back.
        failure: Failure,
    },
    /// A step failed after the pivot, or could not be undone. Something may be left; [`retry`] goes
    /// on.
    Stuck {
        /// The step that cannot be run, or not be undone.
        step: String,
        /// Why it cannot.
        failure: Failure,
        /// Whether it was on the way back.
        unwinding: bool,
    },
}

/// The two wishes that stop a saga.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// A person's: drop the running step and unwind. Not heard once the pivot has finished, nor by
    /// an undo.
    pub cancel: CancellationToken,
    /// The process's, also when its lease is lost: drop what runs and leave the journal as it is.
    /// Heard always.
    pub shutdown: CancellationToken,
}

/// Drives a saga from wherever its journal says it stands until it is at rest.
///
/// Nothing tells a first run from a resumed one: a step whose beginning is in the journal and whose
/// end is not is run again. A saga that is already at rest is answered at once, without a write.
pub async fn drive<S: Saga>(
    journal: &dyn Journal,
    context: &S::Context,
    control: &Control,
) -> Result<Outcome, Interrupted> {
    let mut driver = Driver::<S>::load(journal, context, control).await?;
    loop {
        if let Some(outcome) = driver.position.outcome(&driver.plan) {
            return Ok(outcome);
        }
        if control.shutdown.is_cancelled() {
            return Err(Interrupted::Shutdown);
        }
        driver.advance().await?;
    }
}

/// Makes a stuck saga go on where it is stuck, forward or back, when it is driven next. Answers
/// whether it was stuck; if not, nothing is written.
pub async fn retry<S: Saga>(journal: &dyn Journal) -> Result<bool, Interrupted> {
    let plan = plan::<S>();
    let (events, state) = journal.load().await?;
    match Position::of(&events, &plan)?.retried(&plan) {
        Some(event) => journal.append(&event, &state).await.map(|()| true),
        None => Ok(false),
    }
}

/// A state as it is saved.
pub(crate) fn encode<S: Saga>(state: &S::State) -> Result<Value, Interrupted> {
    serde_json::to_value(state).map_err(|error| {
        Interrupted::Incompatible(format!(
            "the state of `{}` cannot be saved: {error}",
            S::KIND
        ))
    })
}

/// One saga in one process.
struct Driver<'a, S: Saga> {
    plan: Plan,
    position: Position,
    state: S::State,
    journal: &'a dyn Journal,
    context: &'a S::Context,
    control: &'a Control,
}

impl<'a, S: Saga> Driver<'a, S> {
    async fn load(
        journal: &'a dyn Journal,
        context: &'a S::Context,
        control: &'a Control,
    ) -> Result<Self, Interrupted> {
        let plan = plan::<S>();
        let (events, state) = journal.load().await?;
        let position = Position::of(&events, &plan)?;
        let state = serde_json::from_value(state).map_err(|error| {
            Interrupted::Incompatible(format!(
                "the saved state of `{}` cannot be read: {error}",
                S::KIND
            ))
        })?;
        Ok(Self {
            plan,
            position,
            state,
            journal,
            context,
            control,
        })
    }

    /// One move: the next step forward, or the next undo.
    async fn advance(&mut self) -> Result<(), Interrupted> {
        match self.position {
            Position::Forward { next, .. } => self.run(S::steps()[next]).await,
            Position::Unwinding { left, .. } => self.undo(S::steps()[left - 1]).await,
            Position::Stuck { .. } => Ok(()),
        }
    }

    async fn run(&mut self, work: &dyn Step<S>) -> Result<(), Interrupted> {
        let step = work.name().to_owned();
        let heard = self.position.is_cancellable(&self.plan);
        let cancel = heard.then_some(&self.control.cancel);
        // Looked at before the step begins, so that a step that never began is not undone.
        if cancel.is_some_and(CancellationToken::is_cancelled) {
            let failure = Failure::cancelled(&step);
            return self.record(Event::Failed { step, failure }).await;
        }
        self.record(Event::Started { step: step.clone() }).await?;
        let limit = work.timeout(self.context);
        let event = match self.attempt(work, Way::Forward, limit, cancel).await {
            Ok(()) => Event::Finished { step },
            Err(StepError::Failed(failure)) => Event::Failed { step, failure },
            Err(StepError::Interrupted(interrupted)) => return Err(interrupted),
        };
        self.record(event).await
    }

    async fn undo(&mut self, work: &dyn Step<S>) -> Result<(), Interrupted> {
        let step = work.name().to_owned();
        let limit = work.undo_timeout(self.context);
        let event = match self.attempt(work, Way::Back, limit, None).await {
            Ok(()) => Event::Undone { step },
            Err(StepError::Failed(failure)) => Event::UndoFailed { step, failure },
            Err(StepError::Interrupted(interrupted)) => return Err(interrupted),
        };
        self.record(event).await
    }

    /// Lets the step work until it ends, or until something else ends it: then its future is
    /// dropped where it is. What it has learnt by then stays in the state, for its undo to know.
    async fn attempt(
        &mut self,
        step: &dyn Step<S>,
        way: Way,
        limit: Duration,
        cancel: Option<&CancellationToken>,
    ) -> Result<(), StepError> {
        let name = step.name();
        let writing = Mutex::new(());
        let mut cx = StepContext {
            state: &mut self.state,
            context: self.context,
            step: name,
            journal: self.journal,
            writing: &writing,
        };
        let cancelled = async || match cancel {
            Some(cancel) => cancel.cancelled().await,
            None => std::future::pending().await,
        };
        let stopped = self.control.shutdown.cancelled();
        let _turn = match way {
            Way::Back => Turn::free(),
            Way::Forward => tokio::select! {
                biased;
                () = stopped => return Err(Interrupted::Shutdown.into()),
                () = cancelled() => return Err(Failure::cancelled(name).into()),
                turn = whole::<S, _>(name, step.turn(&cx)) => turn?,
            },
        };
        let work = match way {
            Way::Forward => step.run(&mut cx),
            Way::Back => step.undo(&mut cx),
        };
        tokio::select! {
            // The wishes first: a step that fails because its process is going down has not failed.
            biased;
            () = self.control.shutdown.cancelled() => Err(Interrupted::Shutdown.into()),
            () = unless_writing(cancelled(), &writing) => Err(Failure::cancelled(name).into()),
            ended = whole::<S, _>(name, work) => ended,
            () = unless_writing(sleep(limit), &writing) => {
                Err(Failure::timed_out(name, limit).into())
            }
        }
    }

    /// Writes one event and the state, and moves on by it. An event that the fold would not read
    /// again is never written.
    async fn record(&mut self, event: Event) -> Result<(), Interrupted> {
        let position = self.position.apply(&event, &self.plan)?;
        let state = encode::<S>(&self.state)?;
        self.journal.append(&event, &state).await?;
        tracing::debug!(saga = S::KIND, "{} {}", event.kind(), event.step());
        self.position = position;
        Ok(())
    }
}

/// A step that panics has failed.
async fn whole<S: Saga, T>(
    name: &'static str,
    work: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!(saga = S::KIND, step = name, "a step panicked");
            Err(Failure::internal(name).into())
        })
}

/// Which half of a step is asked for.
#[derive(Clone, Copy)]
enum Way {
    Forward,
    Back,
}

/// Waits for `end`, and then for a checkpoint that is just being written. Were that write dropped
/// halfway, it could reach the journal after the event that comes next. (Shutdown does not wait: no
/// event of this driver comes next.)
async fn unless_writing(end: impl Future<Output = ()>, writing: &Mutex<()>) {
    end.await;
    drop(writing.lock().await);
}
