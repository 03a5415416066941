//! Removing a container: task `vzdestroy`, or by hand.

use super::{Caller, Worker, allowed, power};
use crate::cluster::Cluster;
use crate::failure::Failure;

impl Cluster {
    /// `DELETE /nodes/{node}/lxc/{vmid}`: refuses what is locked, protected or (without `force`) running.
    pub(crate) fn destroy_container(
        &self,
        caller: &Caller,
        node: &str,
        vmid: u32,
        force: bool,
        purge: bool,
    ) -> Result<String, Failure> {
        {
            let model = self.model();
            allowed(&model, caller, node, vmid, "VM.Allocate")?;
            let container = model.container(node, vmid)?;
            if container.flag("protection") {
                return Err(Failure::died(format!(
                    "can't remove CT {vmid} - protection mode enabled"
                )));
            }
            container.check_lock().map_err(Failure::died)?;
            if container.running && !force {
                return Err(Failure::died(format!(
                    "unable to destroy CT {vmid} - container is running"
                )));
            }
        }
        let owner = node.to_owned();
        let work = move |worker: Worker| async move {
            let _locked = worker.lock_config(vmid).await?;
            let remove = remove(&worker, &owner, vmid, force, purge);
            worker.interruptible(remove).await
        };
        Ok(self.spawn_task(caller, node, "vzdestroy", &vmid.to_string(), work))
    }

    /// Removes a container as a person with a root shell does who does not ask: no task, no lock respected.
    /// Returns whether there was one.
    pub async fn destroy_by_hand(&self, vmid: u32) -> bool {
        let id = vmid.to_string();
        self.kill_tasks(|task| task.id == id).await;
        let (known, has_guest) = {
            let model = self.model();
            let container = model.containers.get(&vmid);
            (
                container.is_some(),
                container.is_some_and(|one| !one.foreign),
            )
        };
        if has_guest {
            let guests = self.guests();
            // Nothing is told about either; what cannot be stopped cannot be destroyed and stays.
            let _ = guests.stop(vmid).await;
            let _ = guests.destroy(vmid).await;
        }
        self.model().containers.remove(&vmid);
        known
    }
}

async fn remove(
    worker: &Worker,
    node: &str,
    vmid: u32,
    force: bool,
    purge: bool,
) -> Result<(), String> {
    let (running, volume) = {
        let model = worker.cluster.model();
        let container = model
            .container(node, vmid)
            .map_err(|failure| failure.text)?;
        container.check_lock()?;
        (container.running, container.volume().unwrap_or_default())
    };
    if running {
        if !force {
            return Err(format!(
                "unable to destroy CT {vmid} - container is running"
            ));
        }
        worker.log(format!("CT {vmid} is running, stopping it first"));
        power::kill(worker, vmid).await?;
    }
    let disk = volume
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default()
        .to_owned();
    worker
        .fault(&format!(
            "lvremove 'pve/{disk}' error:   Logical volume pve/{disk} in use."
        ))
        .await?;
    worker.pace(900).await;
    if worker.cluster.has_guest(vmid) {
        worker.cluster.guests().destroy(vmid).await?;
    }
    if volume.contains("vm-") && !volume.contains('/') {
        worker.log(format!("  Logical volume \"{disk}\" successfully removed."));
    }
    worker.cluster.model().containers.remove(&vmid);
    if purge {
        worker.log(format!("purging CT {vmid} from related configurations.."));
    }
    Ok(())
}
