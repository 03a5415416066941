//! The engine that walks an operation's steps, remembers each one, and takes them back when one
//! fails.
//!
//! ```text
//!            append Started        append Finished + state
//!                  │                      │
//!   step 0 ───────►●── run ──────────────►●───► step 1 ───► … ───► Completed
//!                         │ fails, cancelled, too slow, panics
//!                         ▼
//!                  append Failed ─► undo this step, then each earlier one ───► Unwound
//!                                      │ an undo fails
//!                                      ▼
//!                                    Stuck ─ append Retried ─► the same again
//! ```
//!
//! After its pivot a saga only goes forward: a step that fails there is stuck, too.
//!
//! Three ideas keep it small:
//!
//! 1. **One typed state per saga**, saved with every event. A step that learns something writes it
//!    into the state; [`StepContext::checkpoint`] saves it *before* the step acts on it.
//! 2. **The position is a pure fold of the journal** ([`Position`]), so that a first run and a
//!    recovery after a crash are the same loop.
//! 3. **Undo covers the step that failed, too**, because a step that failed, was cut off, or died
//!    with its process may have done all, part or none of its work.
//!
//! What a step promises in return: [`Step::run`] may be called again after any part of it has
//! happened, and [`Step::undo`] after any part of `run` has, any number of times.
//!
//! Two wishes can stop a saga ([`Control`]). *Cancel* is a person's: it unwinds. *Shutdown* (or a
//! lost lease) is the process's: it parks, and another driver resumes from the journal.
//!
//! This crate knows time limits and the order of things. It must not know Proxmox, SQL or HTTP.

mod context;
mod drive;
mod event;
mod failure;
mod journal;
mod memory;
mod plan;
mod position;
mod step;

pub use context::{LineSender, StepContext};
pub use drive::{Control, Outcome, drive, retry};
pub use event::{Entry, Event};
pub use failure::{Failure, StepError};
pub use journal::{Interrupted, Journal};
pub use memory::{Fault, MemoryJournal};
pub use plan::{Plan, plan};
pub use position::{Cause, Position};
pub use step::{Saga, Step, Turn};
