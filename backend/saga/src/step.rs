//! What a saga is made of.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use crate::{StepContext, StepError};

/// A kind of operation: a list of steps over one state.
pub trait Saga: Sized + Send + Sync + 'static {
    /// Stored with each operation; found again by it on resume.
    const KIND: &'static str;

    /// What was asked, and everything learnt since. Saved as JSON with every event, so it is a
    /// stored format: add fields with a default, never rename one.
    type State: Serialize + DeserializeOwned + Send + Sync;

    /// What steps work with: clients, settings, a clock. Never stored.
    type Context: Send + Sync;

    /// The steps in their order. Names and order are a stored format; see [`plan()`](crate::plan()).
    fn steps() -> &'static [&'static dyn Step<Self>];
}

/// A step's right to work: whatever must be held meanwhile, such as a place among a few.
#[derive(Default)]
pub struct Turn(Option<Box<dyn Send>>);

impl Turn {
    /// Nothing has to be held.
    pub fn free() -> Self {
        Self::default()
    }

    /// `guard` is held until the step has ended.
    pub fn holding(guard: impl Send + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Turn").field(&self.0.is_some()).finish()
    }
}

/// One action that can be run again and taken back.
///
/// A step's own documentation says three things: what it **writes down** before it acts, what it
/// **recognises** of its own earlier work, and what its **undo proves** before it destroys.
///
/// The future of `run` or `undo` is dropped in the middle of its work on shutdown and at its time
/// limit, that of `run` also on cancel. Work that goes on elsewhere (a remote task, a thread) is
/// not stopped by that: the next `run` or `undo` meets it.
#[async_trait]
pub trait Step<S: Saga>: Send + Sync {
    /// Unique within the saga, stored.
    fn name(&self) -> &'static str;

    /// How long one `run` may take before it counts as failed with
    /// [`Failure::TIMED_OUT`](crate::Failure::TIMED_OUT).
    fn timeout(&self, _context: &S::Context) -> Duration {
        Duration::from_mins(5)
    }

    /// How long one `undo` may take before the saga is stuck.
    fn undo_timeout(&self, _context: &S::Context) -> Duration {
        Duration::from_mins(5)
    }

    /// The point of no return: once this step has *finished* the saga only goes forward, later
    /// failures are stuck instead of unwound, and cancel is ignored. A pivot that fails or is
    /// cancelled is itself still undone. Of several pivots the first counts.
    fn pivot(&self) -> bool {
        false
    }

    /// Waits until the step may begin, where others must be let past first. What it answers is held
    /// while the step runs. The time limit does not run meanwhile; cancel and shutdown are heard.
    async fn turn(&self, _cx: &StepContext<'_, S>) -> Result<Turn, StepError> {
        Ok(Turn::free())
    }

    /// Does the work. Called again after all, part or none of it has already happened.
    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError>;

    /// Takes the work back. Called after `run` or an earlier `undo` did all, part or none of its
    /// work, perhaps twice; that nothing is there to take back is success.
    async fn undo(&self, _cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        Ok(())
    }
}
