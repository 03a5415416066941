//! The journal of a driven operation: the database's side of [`saga::Journal`].

use std::time::Duration;

use api::{EventKind, OperationError, OperationStatus};
use async_trait::async_trait;
use saga::{Event, Failure, Interrupted, Journal, Plan, Position};
use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryFilter as _};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    Error, Lease, Result, Store,
    entity::operation::{ActiveModel, Entity},
    event::{self, NewEvent},
    text,
    write::{fenced, owned},
};

/// How long lines of progress gather before they are written: long enough to write many at once, short enough to
/// look live.
const GATHER: Duration = Duration::from_millis(200);

/// The journal of one operation under one lease.
#[derive(Debug)]
pub struct OperationJournal {
    store: Store,
    lease: Lease,
    plan: Plan,
    /// Where the saga stands, by what has been written; `None` until it is known, and after a write whose end is not.
    position: Mutex<Option<Position>>,
}

impl Store {
    /// The journal of the operation that `lease` holds. The plan is that of its kind: it tells which status the operation
    /// has after each event.
    pub fn journal(&self, lease: &Lease, plan: Plan) -> OperationJournal {
        OperationJournal {
            store: self.clone(),
            lease: lease.clone(),
            plan,
            position: Mutex::new(None),
        }
    }

    /// Takes one line of a step's progress; see [`OperationJournal::flush`].
    pub fn note(&self, lease: &Lease, step: &str, line: &str) {
        let line = Some(line.to_owned());
        self.push(lease, EventKind::StepLog, step, line, None);
    }

    /// Takes the progress of an image's pull, an [`api::ImageProgress`] as JSON, in order among the lines.
    pub fn note_image_progress(&self, lease: &Lease, step: &str, data: Value) {
        self.push(lease, EventKind::ImageProgress, step, None, Some(data));
    }

    fn push(
        &self,
        lease: &Lease,
        kind: EventKind,
        step: &str,
        message: Option<String>,
        data: Option<Value>,
    ) {
        lease.notes().push(NewEvent {
            operation: lease.operation,
            app: lease.app,
            kind,
            step: Some(step.to_owned()),
            message,
            data,
            journal: None,
            time: self.now(),
        });
    }

    /// Writes the lines of progress that wait, if the lease still holds.
    async fn flush(&self, lease: &Lease) -> Result<()> {
        let notes = lease.notes();
        let _writing = notes.writing.lock().await;
        let lines = notes.waiting_lines();
        if lines.is_empty() {
            return Ok(());
        }
        let count = lines.len();
        let mut write = self.write().await?;
        write.fence(lease).await?;
        write.events(lines).await?;
        write.commit().await?;
        notes.written(count);
        Ok(())
    }
}

impl OperationJournal {
    /// Writes the lines of progress that wait. They are written before the next event in any case; this is for the
    /// people who watch a step that takes long.
    pub async fn flush(&self) -> Result<()> {
        self.store.flush(&self.lease).await
    }

    /// Keeps writing lines of progress soon after they come. Runs beside the driver until it is dropped; ends only
    /// when the lease is lost or the database fails.
    pub async fn keep_flushing(&self) -> Error {
        loop {
            self.lease.notes().some().await;
            tokio::time::sleep(GATHER).await;
            if let Err(error) = self.flush().await {
                return error;
            }
        }
    }

    /// Under the fence, and so after everything that was written under this lease: a write whose caller was dropped may
    /// still be on its way to its commit, and the state must be that of the last event.
    async fn read(&self) -> Result<(Vec<Event>, Value)> {
        let write = self.store.write().await?;
        write.fence(&self.lease).await?;
        let operation = self.lease.operation;
        let row = Entity::find_by_id(operation.to_string())
            .one(&write.tx)
            .await?;
        let row = row.ok_or(Error::NotFound("operation"))?;
        let history = event::history(&write.tx, operation).await?;
        write.commit().await?;
        let state = text::from_json("operations.state", &row.state)?;
        Ok((history.into_iter().map(|line| line.event).collect(), state))
    }

    /// One transaction: the lines that wait, the event, and the operation as it stands after it.
    async fn write(&self, event: &Event, state: &Value, after: &Position) -> Result<()> {
        let notes = self.lease.notes();
        let _writing = notes.writing.lock().await;
        let mut events = notes.waiting_lines();
        let count = events.len();
        let mut write = self.store.write().await?;
        let changed = Entity::update_many()
            .set(self.columns(event, state, after))
            .filter(fenced(&self.lease))
            .exec(&write.tx)
            .await?;
        owned(changed.rows_affected)?;
        let Lease { operation, app, .. } = self.lease;
        events.push(NewEvent::journalled(operation, app, event, write.now));
        write.events(events).await?;
        write.commit().await?;
        notes.written(count);
        Ok(())
    }

    fn columns(&self, event: &Event, state: &Value, after: &Position) -> ActiveModel {
        // At rest the status is set together with everything else that a rest means: see `finish`.
        let (status, failed) = match after {
            Position::Forward { .. } => (OperationStatus::Running, None),
            Position::Unwinding { cause, .. } => (
                OperationStatus::Unwinding,
                Some((cause.step, &cause.failure)),
            ),
            Position::Stuck {
                step,
                failure,
                cause: None,
            } => (OperationStatus::Running, Some((*step, failure))),
            Position::Stuck {
                step,
                failure,
                cause: Some(_),
            } => (OperationStatus::Unwinding, Some((*step, failure))),
        };
        let failure = failed.map(|(step, failure)| {
            text::json(&explained(
                self.plan.names.get(step).copied().unwrap_or_default(),
                failure,
            ))
        });
        ActiveModel {
            state: Set(text::json(state)),
            status: Set(status.as_str().to_owned()),
            step: Set(Some(event.step().to_owned())),
            failure: Set(failure),
            unwinding: Set(status == OperationStatus::Unwinding),
            cancellable: Set(after.is_cancellable(&self.plan)),
            ..Default::default()
        }
    }
}

#[async_trait]
impl Journal for OperationJournal {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        let mut position = self.position.lock().await;
        let before = if let Some(position) = position.take() {
            position
        } else {
            let (events, _) = self.read().await.map_err(interrupted)?;
            Position::of(&events, &self.plan)?
        };
        let after = before.apply(event, &self.plan)?;
        self.write(event, state, &after)
            .await
            .map_err(interrupted)?;
        *position = Some(after);
        Ok(())
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        let mut position = self.position.lock().await;
        let (events, state) = self.read().await.map_err(interrupted)?;
        *position = Some(Position::of(&events, &self.plan)?);
        Ok((events, state))
    }

    fn note(&self, step: &str, line: &str) {
        self.store.note(&self.lease, step, line);
    }
}

/// The failure of a step, as the operation's row and the API have it.
pub(crate) fn explained(step: &str, failure: &Failure) -> OperationError {
    OperationError {
        code: failure.code.clone(),
        message: failure.message.clone(),
        step: Some(step.to_owned()),
        evidence: failure.evidence.clone(),
        hint: failure.hint.clone(),
    }
}

/// What the engine must do about it.
fn interrupted(error: Error) -> Interrupted {
    match error {
        Error::LeaseLost => Interrupted::LeaseLost,
        Error::Corrupt { .. } => Interrupted::Incompatible(error.to_string()),
        error => Interrupted::journal(error),
    }
}
