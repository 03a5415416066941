//! What a step holds while it works.

use tokio::sync::{Mutex, mpsc};

use crate::{Event, Interrupted, Journal, Saga, drive::encode};

/// A running step's hands: the state it may change, the clients it works with, and its way to the
/// journal.
pub struct StepContext<'a, S: Saga> {
    /// What was asked and what has been learnt. Saved with the next event; at once by
    /// [`checkpoint`](Self::checkpoint).
    pub state: &'a mut S::State,
    /// Clients, settings, a clock.
    pub context: &'a S::Context,
    pub(crate) step: &'static str,
    pub(crate) journal: &'a dyn Journal,
    /// Held while the journal is written, so that cancel and time limit wait for the write instead
    /// of cutting it.
    pub(crate) writing: &'a Mutex<()>,
}

impl<S: Saga> StepContext<'_, S> {
    /// Saves the state now, before the step acts on it: write the identifier down, *then* create.
    ///
    /// On an error the step must not act, but return it (`?` does): this driver's time is over.
    pub async fn checkpoint(&mut self) -> Result<(), Interrupted> {
        let step = self.step.to_owned();
        let state = encode::<S>(self.state)?;
        let _writing = self.writing.lock().await;
        let event = Event::Checkpoint { step };
        self.journal.append(&event, &state).await
    }

    /// One line of progress for the people watching.
    pub fn log(&self, line: impl AsRef<str>) {
        self.journal.note(self.step, line.as_ref());
    }

    /// Awaits `work` and meanwhile logs the lines that are sent from where this context cannot go:
    /// another thread, a callback that must own what it holds. All lines sent before `work` ends
    /// are logged before this returns.
    pub async fn log_while<T, F: Future<Output = T>>(
        &self,
        work: impl FnOnce(LineSender) -> F,
    ) -> T {
        let (sender, mut lines) = mpsc::unbounded_channel();
        let work = work(LineSender(sender));
        let mut work = std::pin::pin!(work);
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut work => break ended,
                Some(line) = lines.recv() => self.log(line),
            }
        };
        while let Ok(line) = lines.try_recv() {
            self.log(line);
        }
        ended
    }

    /// Name of the step, as the journal has it.
    pub fn step(&self) -> &'static str {
        self.step
    }
}

/// Sends lines into [`StepContext::log_while`] from anywhere; lines sent after it has ended are
/// dropped.
#[derive(Debug, Clone)]
pub struct LineSender(mpsc::UnboundedSender<String>);

impl LineSender {
    /// One line of progress.
    pub fn line(&self, line: impl Into<String>) {
        // The receiver is gone once the work is over; then nobody waits for the line any more.
        let _ = self.0.send(line.into());
    }
}
