//! Waiting for a task, with its log as it is written.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::task::PAGE;
use crate::{Client, Error, Exit, Result, TaskStatus, Upid};

/// The first pause. Starting a small container takes a second or two, other tasks minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);
/// How long the rest of the log of an ended task may take: how it ended is known already.
const LAST_LINES: Duration = Duration::from_secs(10);
/// How many lines of log a failure carries.
const TAIL: usize = 20;

/// How far the log was read, and its end.
#[derive(Default)]
struct Progress {
    read: u64,
    tail: VecDeque<String>,
}

impl Client {
    /// Waits until a task ends, giving each new line of its log to `on_line`.
    ///
    /// A host or node that is away for a while is waited for. A task that failed is [`Error::TaskFailed`], one that still
    /// runs at the deadline [`Error::TaskTimeout`]; it is not stopped.
    pub async fn wait_task(
        &self,
        upid: &Upid,
        deadline: Duration,
        mut on_line: impl FnMut(&str) + Send,
    ) -> Result<Exit> {
        let deadline = Instant::now() + deadline;
        let mut progress = Progress::default();
        let mut pause = FIRST_PAUSE;
        loop {
            match timeout_at(deadline, self.task_status(upid)).await {
                Ok(Ok(TaskStatus::Running)) => {
                    // A log that cannot be read now is read with the next round.
                    let _ =
                        timeout_at(deadline, self.follow(upid, &mut progress, &mut on_line)).await;
                }
                Ok(Ok(TaskStatus::Stopped(exit))) => {
                    if let Ok(Err(error)) =
                        timeout(LAST_LINES, self.follow(upid, &mut progress, &mut on_line)).await
                    {
                        tracing::debug!(%upid, %error, "could not read the end of a task's log");
                    }
                    return match exit {
                        Exit::Failed(reason) => Err(Error::TaskFailed {
                            upid: upid.clone(),
                            reason,
                            log: progress.tail.into(),
                        }),
                        exit => Ok(exit),
                    };
                }
                Ok(Err(error)) if error.is_transient() => {
                    tracing::debug!(%upid, %error, "waiting on");
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
            if Instant::now() + pause >= deadline {
                return Err(Error::TaskTimeout { upid: upid.clone() });
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Reads what the log has more than last time.
    async fn follow(
        &self,
        upid: &Upid,
        progress: &mut Progress,
        on_line: &mut (impl FnMut(&str) + Send),
    ) -> Result<()> {
        loop {
            let page = self.log_page(upid, progress.read).await?;
            for line in &page {
                on_line(&line.text);
                progress.read += 1;
                if progress.tail.len() == TAIL {
                    progress.tail.pop_front();
                }
                progress.tail.push_back(line.text.clone());
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }
}
