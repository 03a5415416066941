//! The process behind a task: it logs, it can be interrupted, and it ends with a word or is lost.

use std::future::Future;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::Caller;
use crate::cluster::Cluster;
use crate::faults::{Action, Fault};
use crate::model::task::Task;
use crate::pace::Pace;

/// What a task's work holds on to.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) cluster: Cluster,
    upid: String,
    interrupt: CancellationToken,
    fault: Option<Fault>,
}

impl Worker {
    /// Adds a line to the task's log.
    pub(crate) fn log(&self, line: impl Into<String>) {
        self.cluster.model().tasks.log(&self.upid, line.into());
    }

    /// Lets simulated time pass.
    pub(crate) async fn pace(&self, millis: u64) {
        self.cluster
            .pace()
            .take(Duration::from_millis(millis))
            .await;
    }

    /// Does something that a signal to the task ends.
    pub(crate) async fn interruptible<T>(
        &self,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        tokio::select! {
            biased;
            () = self.interrupt.cancelled() => Err("interrupted by signal".to_owned()),
            outcome = work => outcome,
        }
    }

    /// Plays the fault that the call was made with, if there is one for tasks.
    pub(crate) async fn fault(&self, usual: &str) -> Result<(), String> {
        match &self.fault {
            Some(fault) if fault.action == Action::FailInTask => Err(fault.text(usual)),
            Some(fault) if fault.action == Action::HangInTask => {
                self.cluster.faults().lets_go(fault).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes the lock file of a container's configuration, or gives up as Proxmox does after 10 s.
    pub(crate) async fn lock_config(&self, vmid: u32) -> Result<OwnedMutexGuard<()>, String> {
        let patience = match self.cluster.pace() {
            Pace::Instant => Duration::from_secs(1),
            Pace::Realistic => Duration::from_secs(10),
        };
        let lock = self.cluster.config_file(vmid).lock_owned();
        tokio::time::timeout(patience, lock).await.map_err(|_| {
            format!("can't lock file '/run/lock/lxc/pve-config-{vmid}.lock' - got timeout")
        })
    }
}

impl Cluster {
    /// Starts a task and returns its UPID at once.
    pub(crate) fn spawn_task<F, W>(
        &self,
        caller: &Caller,
        node: &str,
        kind: &'static str,
        id: &str,
        work: F,
    ) -> String
    where
        F: FnOnce(Worker) -> W,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        let task = self
            .model()
            .tasks
            .open(node, kind, id, &caller.identity.name());
        let upid = task.upid.clone();
        let worker = Worker {
            cluster: self.clone(),
            upid: upid.clone(),
            interrupt: task.interrupt.clone(),
            fault: caller.fault.clone(),
        };
        let work = work(worker);
        let cluster = self.clone();
        self.tracker().spawn(async move {
            tokio::select! {
                biased;
                () = task.kill.cancelled() => cluster.model().tasks.lose(&task.upid),
                () = cluster.shutdown_token().cancelled() => {
                    cluster.model().tasks.lose(&task.upid);
                }
                outcome = work => cluster.model().tasks.close(&task.upid, outcome),
            }
        });
        upid
    }

    /// Kills the workers of these tasks where they stand and waits until they are gone.
    pub(crate) async fn kill_tasks(&self, which: impl Fn(&Task) -> bool) {
        let killed: Vec<String> = {
            let model = self.model();
            let running = model.tasks.all().filter(|task| task.exit.is_none());
            running
                .filter(|task| which(task))
                .map(|task| {
                    task.kill.cancel();
                    task.upid.clone()
                })
                .collect()
        };
        for upid in killed {
            self.finished(&upid).await;
        }
    }

    /// Waits for the end of a task.
    pub(crate) async fn finished(&self, upid: &str) -> Option<Task> {
        let mut running = self.model().tasks.watch();
        loop {
            let task = self.model().tasks.get(upid).cloned()?;
            if task.exit.is_some() {
                return Some(task);
            }
            running.changed().await.ok()?;
        }
    }
}
