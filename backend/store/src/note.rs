//! Lines of progress on their way to the database: taken at once, written together, in order.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::event::NewEvent;

/// Most lines that wait. A step that prints faster than the database writes loses lines, not the service its memory.
const MOST: usize = 2000;

/// The lines of one driver that are not written yet.
pub(crate) struct Notes {
    waiting: Mutex<Waiting>,
    added: Notify,
    /// Held by whoever writes lines or an event of this driver, so that they reach the table in order.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<NewEvent>,
    left_out: u64,
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            added: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Takes a line.
    pub(crate) fn push(&self, line: NewEvent) {
        let mut waiting = self.waiting();
        if waiting.lines.len() >= MOST {
            waiting.left_out += 1;
            return;
        }
        let left_out = std::mem::take(&mut waiting.left_out);
        if left_out > 0 {
            let message = Some(format!(
                "({left_out} lines are left out here: they came too fast)"
            ));
            waiting.lines.push_back(NewEvent {
                message,
                data: None,
                ..line.clone()
            });
        }
        waiting.lines.push_back(line);
        drop(waiting);
        self.added.notify_one();
    }

    /// The lines that wait. They stay until they are [`written`](Self::written), so that a write that fails or is dropped
    /// loses none.
    pub(crate) fn waiting_lines(&self) -> Vec<NewEvent> {
        self.waiting().lines.iter().cloned().collect()
    }

    /// The first so many lines are in the table.
    pub(crate) fn written(&self, count: usize) {
        self.waiting().lines.drain(..count);
    }

    /// Waits until there is a line.
    pub(crate) async fn some(&self) {
        loop {
            if !self.waiting().lines.is_empty() {
                return;
            }
            self.added.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes")
            .field("waiting", &self.waiting().lines.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use api::{AppId, EventKind, OperationId};
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_flood_is_cut_and_says_so() {
        let notes = Notes::new();
        let id = uuid::Uuid::nil();
        let line = |text: String| NewEvent {
            message: Some(text),
            ..NewEvent::new(
                OperationId::from_uuid(id),
                AppId::from_uuid(id),
                EventKind::StepLog,
                serde_json::Value::Null,
                DateTime::UNIX_EPOCH,
            )
        };
        for number in 0..MOST + 3 {
            notes.push(line(number.to_string()));
        }
        let waiting = notes.waiting_lines();
        assert_eq!(waiting.len(), MOST);
        notes.written(waiting.len());
        notes.push(line("after".to_owned()));
        let texts: Vec<_> = notes
            .waiting_lines()
            .into_iter()
            .filter_map(|line| line.message)
            .collect();
        assert_eq!(
            texts,
            ["(3 lines are left out here: they came too fast)", "after"]
        );
    }
}
