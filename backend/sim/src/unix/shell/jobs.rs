//! Background jobs: `&`, `wait`, `jobs`.

use std::sync::Arc;

use brush_parser::ast::AndOrList;
use tokio::sync::watch;

use super::Shell;
use crate::unix::fd::Fd;

/// A job that was started with `&`.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) pid: u32,
    /// The exit code, once there is one.
    ended: watch::Receiver<Option<i32>>,
}

impl Job {
    /// Waits for the job and returns its exit code.
    pub(super) async fn wait(&mut self) -> i32 {
        match self.ended.wait_for(Option::is_some).await {
            Ok(code) => code.unwrap_or(0),
            // The machine was switched off under it.
            Err(_) => 137,
        }
    }
}

impl Shell {
    /// Starts a list that runs beside this shell, and after it.
    pub(super) fn background(&mut self, list: &AndOrList) {
        let list = list.clone();
        let mut shell = self.subshell();
        // POSIX: without job control its standard input is empty.
        shell.fds.set(0, Fd::Null);
        let machine = Arc::clone(&self.machine);
        let (ended, job) = watch::channel(None);
        let (announce, announced) = std::sync::mpsc::sync_channel(1);
        let run = async move {
            let power = machine.base().power();
            let process = machine.base().register(&list.to_string());
            shell.pid = process.pid();
            // The receiver waits right below.
            let _ = announce.send(process.pid());
            let work = async {
                let flow = shell.and_or(&list).await;
                shell.finish(flow).await
            };
            let code = tokio::select! {
                code = work => code,
                signal = process.signalled() => 128 + i32::try_from(signal).unwrap_or(9),
                () = power.cancelled() => 137,
            };
            // Nobody may be left to be told.
            let _ = ended.send(Some(code));
        };
        let mut run = Box::pin(run);
        // Polled once here, so that the job has its number before `$!` is asked for.
        let waker = futures::task::noop_waker();
        let done = run
            .as_mut()
            .poll(&mut std::task::Context::from_waker(&waker))
            .is_ready();
        let pid = announced.try_recv().unwrap_or(0);
        if !done {
            self.machine.base().tasks().spawn(run);
        }
        self.last_background = Some(pid);
        self.jobs.push(Job { pid, ended: job });
        self.status = 0;
    }

    /// `wait [PID…]`.
    pub(super) async fn wait_jobs(&mut self, pids: &[String]) -> i32 {
        if pids.is_empty() {
            for mut job in std::mem::take(&mut self.jobs) {
                job.wait().await;
            }
            return 0;
        }
        let mut status = 0;
        for pid in pids {
            let place = self.jobs.iter().position(|job| job.pid.to_string() == *pid);
            status = match place {
                Some(place) => self.jobs.remove(place).wait().await,
                None => 127,
            };
        }
        status
    }
}
