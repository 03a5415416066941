//! Starting and stopping containers.

use std::time::Duration;

use super::{Caller, Worker, allowed, check_skiplock};
use crate::clock;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::template;

impl Cluster {
    /// `POST …/status/start`: task `vzstart`.
    pub(crate) fn start_container(
        &self,
        caller: &Caller,
        node: &str,
        vmid: u32,
        skiplock: bool,
    ) -> Result<String, Failure> {
        check_skiplock(caller, skiplock)?;
        {
            let model = self.model();
            allowed(&model, caller, node, vmid, "VM.PowerMgmt")?;
            if model.container(node, vmid)?.running {
                return Err(Failure::died(format!("CT {vmid} already running")));
            }
        }
        let owner = node.to_owned();
        Ok(self.spawn_task(
            caller,
            node,
            "vzstart",
            &vmid.to_string(),
            |worker| async move {
                let _locked = worker.lock_config(vmid).await?;
                let work = boot(&worker, &owner, vmid, skiplock);
                worker.interruptible(work).await
            },
        ))
    }

    /// `POST …/status/shutdown`: task `vzshutdown`; waits `timeout` seconds, then gives up or kills.
    pub(crate) fn shutdown_container(
        &self,
        caller: &Caller,
        node: &str,
        vmid: u32,
        timeout: u64,
        force: bool,
    ) -> Result<String, Failure> {
        self.check_running(caller, node, vmid)?;
        let owner = node.to_owned();
        let work = move |worker: Worker| async move {
            let halt = halt(&worker, &owner, vmid, timeout, force);
            worker.interruptible(halt).await
        };
        Ok(self.spawn_task(caller, node, "vzshutdown", &vmid.to_string(), work))
    }

    /// `POST …/status/stop`: task `vzstop`; kills at once.
    pub(crate) fn stop_container(
        &self,
        caller: &Caller,
        node: &str,
        vmid: u32,
        skiplock: bool,
    ) -> Result<String, Failure> {
        check_skiplock(caller, skiplock)?;
        self.check_running(caller, node, vmid)?;
        let owner = node.to_owned();
        let work = move |worker: Worker| async move {
            if !skiplock {
                check_lock(&worker, &owner, vmid)?;
            }
            let usual = format!("command 'lxc-stop -n {vmid} --kill' failed: exit code 1");
            worker.interruptible(worker.fault(&usual)).await?;
            kill(&worker, vmid).await
        };
        Ok(self.spawn_task(caller, node, "vzstop", &vmid.to_string(), work))
    }

    /// `POST …/status/reboot`: task `vzreboot`.
    pub(crate) fn reboot_container(
        &self,
        caller: &Caller,
        node: &str,
        vmid: u32,
        timeout: u64,
    ) -> Result<String, Failure> {
        self.check_running(caller, node, vmid)?;
        let owner = node.to_owned();
        let work = move |worker: Worker| async move {
            let turn = async {
                halt(&worker, &owner, vmid, timeout, false).await?;
                boot(&worker, &owner, vmid, false).await
            };
            worker.interruptible(turn).await
        };
        Ok(self.spawn_task(caller, node, "vzreboot", &vmid.to_string(), work))
    }

    fn check_running(&self, caller: &Caller, node: &str, vmid: u32) -> Result<(), Failure> {
        let model = self.model();
        allowed(&model, caller, node, vmid, "VM.PowerMgmt")?;
        if model.container(node, vmid)?.running {
            Ok(())
        } else {
            Err(Failure::died(format!("CT {vmid} not running")))
        }
    }
}

fn check_lock(worker: &Worker, node: &str, vmid: u32) -> Result<(), String> {
    let model = worker.cluster.model();
    let container = model
        .container(node, vmid)
        .map_err(|failure| failure.text)?;
    container.check_lock()
}

async fn boot(worker: &Worker, node: &str, vmid: u32, skiplock: bool) -> Result<(), String> {
    if !skiplock {
        check_lock(worker, node, vmid)?;
    }
    let failed = format!("startup for container '{vmid}' failed");
    if let Some(lines) = obstacle(worker, node, vmid)? {
        for line in lines {
            worker.log(line);
        }
        return Err(failed);
    }
    worker.pace(1200).await;
    worker.fault(&failed).await?;
    let spec = {
        let mut model = worker.cluster.model();
        let container = model
            .container_mut(node, vmid)
            .map_err(|failure| failure.text)?;
        container.apply_pending();
        (!container.foreign).then(|| container.spec())
    };
    if let Some(spec) = spec {
        let guests = worker.cluster.guests();
        guests.reconfigure(&spec).await?;
        guests.start(vmid).await.map_err(|text| {
            for line in text.lines() {
                worker.log(line);
            }
            failed
        })?;
    }
    mark(worker, vmid, true);
    Ok(())
}

/// What keeps a container from starting, as the log tells it.
fn obstacle(worker: &Worker, node: &str, vmid: u32) -> Result<Option<Vec<String>>, String> {
    let model = worker.cluster.model();
    let container = model
        .container(node, vmid)
        .map_err(|failure| failure.text)?;
    let host = model.node(node).map_err(|failure| failure.text)?;
    let bridge = container.spec().bridge;
    if !bridge.is_empty() && !host.bridges.iter().any(|known| known.name == bridge) {
        return Ok(Some(vec![
            format!("bridge '{bridge}' does not exist"),
            "run_buffer: 571 Script exited with status 1".to_owned(),
            "lxc_create_network_priv: 3466 No such device - Failed to create network device"
                .to_owned(),
            format!("__lxc_start: 2119 Failed to initialize container \"{vmid}\""),
        ]));
    }
    let wanted = match template::architecture(&container.template) {
        "arm64" => "aarch64",
        _ => "x86_64",
    };
    if host.architecture != wanted {
        return Ok(Some(vec![
            "do_start: 1272 Exec format error - Failed to exec \"/sbin/init\"".to_owned(),
            "sync_wait: 34 An error occurred in another process (expected sequence number 7)"
                .to_owned(),
            format!("__lxc_start: 2114 Failed to spawn container \"{vmid}\""),
        ]));
    }
    Ok(None)
}

async fn halt(
    worker: &Worker,
    node: &str,
    vmid: u32,
    timeout: u64,
    force: bool,
) -> Result<(), String> {
    check_lock(worker, node, vmid)?;
    let failed =
        format!("command 'lxc-stop -n {vmid} --nokill --timeout {timeout}' failed: exit code 1");
    worker.fault(&failed).await?;
    worker.pace(1800).await;
    if worker.cluster.has_guest(vmid) {
        let guests = worker.cluster.guests();
        let patience = Duration::from_secs(timeout);
        match tokio::time::timeout(patience, guests.shutdown(vmid)).await {
            Ok(outcome) => outcome?,
            Err(_) if force => return kill(worker, vmid).await,
            Err(_) => return Err(failed),
        }
    }
    mark(worker, vmid, false);
    Ok(())
}

/// Kills the guest, whoever else is at it.
pub(super) async fn kill(worker: &Worker, vmid: u32) -> Result<(), String> {
    worker.pace(400).await;
    if worker.cluster.has_guest(vmid) {
        worker.cluster.guests().stop(vmid).await?;
    }
    mark(worker, vmid, false);
    Ok(())
}

fn mark(worker: &Worker, vmid: u32, running: bool) {
    let mut model = worker.cluster.model();
    if let Some(container) = model.containers.get_mut(&vmid) {
        container.running = running;
        container.started = running.then(clock::now);
    }
}
