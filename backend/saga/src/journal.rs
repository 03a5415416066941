//! Where a saga's events are kept, and why a driver may have to stop before its saga is at rest.

use async_trait::async_trait;
use serde_json::Value;

use crate::Event;

/// The memory of one operation: append-only, and fenced by the lease it is written under.
///
/// Implemented twice: by the database, and by [`MemoryJournal`](crate::MemoryJournal).
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes the event and replaces the saved state, both or neither. After an error the caller
    /// cannot know which of the two it was; whoever drives next finds out by [`load`](Self::load).
    ///
    /// Answers [`Interrupted::LeaseLost`] once another driver has taken the operation over, and
    /// writes nothing.
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted>;

    /// All events in the order they were written, and the newest state; with no event yet, the
    /// state that the operation was asked with.
    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted>;

    /// Takes one line of progress of `step` for the people watching. Best effort, but in order,
    /// among the lines and against the events; nothing is ever decided by a note.
    fn note(&self, _step: &str, _line: &str) {}
}

/// Why a driver stopped before its saga came to rest. Nothing is wrong with the operation: somebody
/// resumes it.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// The process stops, or parks its operations. Resume later, or elsewhere.
    #[error("the driver was asked to stop")]
    Shutdown,
    /// Another driver holds the operation now. Leave it alone.
    #[error("another driver has taken the operation over")]
    LeaseLost,
    /// The journal could not be read or written; what was being written may or may not be there.
    /// Resume when the database answers again.
    #[error("the journal could not be used")]
    Journal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The journal cannot have been written by this saga, as it is in this version. Resuming does
    /// not help: a person must look.
    #[error("the journal does not fit this saga: {0}")]
    Incompatible(String),
}

impl Interrupted {
    /// Wraps what the journal's store says.
    pub fn journal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Journal(error.into())
    }
}
