//! Guests that live in memory: stock Alpine containers that understand the scripts sent to them.
//!
//! ```text
//! Modelled ─► Guest (a Machine) ─┬─ alpine   what the template brings, apk, OpenRC
//!                                ├─ network  DHCP, addresses, wget, nc
//!                                └─ docker   engine, images, containers ◄─ compose
//! ```
//!
//! What a guest is asked to do is really done to its model: a file that was not written cannot be read, a
//! service whose image was not pulled does not start, an address is only there once a lease is. Texts and exit
//! codes are those of Alpine, Docker 26 and Compose 2.26. Faults attach at the places named in
//! [`crate::faults::GUEST_PLACES`].

mod alpine;
mod apk;
mod compose;
mod docker;
mod doors;
mod guest;
pub(crate) mod loopback;
mod network;
mod openrc;
mod packages;
mod page;
mod probe;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{GuestInterface, GuestSpec, Guests, Process};
use crate::faults::Faults;
use crate::pace::Pace;
use doors::Door;
use guest::Guest;
use loopback::Loopback;

/// All guests of one cluster.
#[derive(Debug)]
pub struct Modelled {
    faults: Arc<Faults>,
    pace: Pace,
    guests: Mutex<BTreeMap<u32, Arc<Guest>>>,
    /// Where addresses come from when they are to be real ones.
    loopback: Option<Loopback>,
}

impl Modelled {
    /// No guests yet.
    pub fn new(faults: Arc<Faults>, pace: Pace) -> Self {
        Self {
            faults,
            pace,
            guests: Mutex::default(),
            loopback: None,
        }
    }

    /// The same with addresses of this machine; [`Modelled::open`] answers there.
    pub(crate) fn on(self, loopback: Loopback) -> Self {
        Self {
            loopback: Some(loopback),
            ..self
        }
    }

    /// Answers on what the guests publish, where their addresses are of this machine, until `shutdown`.
    pub(crate) fn open(self: &Arc<Self>, tracker: &TaskTracker, shutdown: &CancellationToken) {
        if self.loopback.is_some() {
            let keeping = doors::keep(Arc::clone(self), tracker.clone(), shutdown.clone());
            tracker.spawn(keeping);
        }
    }

    /// What can be visited now.
    fn doors(&self) -> BTreeSet<Door> {
        let guests: Vec<Arc<Guest>> = self.all().values().cloned().collect();
        guests.iter().flat_map(|guest| guest.doors()).collect()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Arc<Guest>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, vmid: u32) -> Option<Arc<Guest>> {
        self.all().get(&vmid).cloned()
    }

    fn known(&self, vmid: u32) -> Result<Arc<Guest>, String> {
        self.find(vmid)
            .ok_or_else(|| format!("no such container - {vmid}"))
    }
}

#[async_trait]
impl Guests for Modelled {
    async fn create(
        &self,
        spec: &GuestSpec,
        log: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), String> {
        log(format!("extracting archive '{}'", spec.template));
        self.pace.take(std::time::Duration::from_millis(800)).await;
        let guest = Guest::new(
            spec,
            Arc::clone(&self.faults),
            self.pace,
            self.loopback.as_ref().map(Loopback::prefix),
        )?;
        let bytes = guest.disk_used();
        log(format!("Total bytes read: {bytes} (9.0MiB, 42MiB/s)"));
        log("Detected container architecture: amd64".to_owned());
        let mut guests = self.all();
        if guests.contains_key(&spec.vmid) {
            return Err(format!("CT {} already exists", spec.vmid));
        }
        guests.insert(spec.vmid, Arc::new(guest));
        Ok(())
    }

    async fn reconfigure(&self, spec: &GuestSpec) -> Result<(), String> {
        self.known(spec.vmid)?.reconfigure(spec);
        Ok(())
    }

    async fn start(&self, vmid: u32) -> Result<(), String> {
        self.pace.take(std::time::Duration::from_millis(600)).await;
        self.known(vmid)?.boot();
        Ok(())
    }

    async fn shutdown(&self, vmid: u32) -> Result<(), String> {
        let guest = self.known(vmid)?;
        self.pace.take(std::time::Duration::from_secs(2)).await;
        guest.halt();
        Ok(())
    }

    async fn stop(&self, vmid: u32) -> Result<(), String> {
        self.known(vmid)?.halt();
        Ok(())
    }

    async fn destroy(&self, vmid: u32) -> Result<(), String> {
        let removed = self.all().remove(&vmid);
        if let Some(guest) = removed {
            guest.halt();
        }
        Ok(())
    }

    async fn is_running(&self, vmid: u32) -> bool {
        self.find(vmid).is_some_and(|guest| guest.is_running())
    }

    async fn interfaces(&self, vmid: u32) -> Option<Vec<GuestInterface>> {
        let guest = self.find(vmid)?;
        guest.is_running().then(|| guest.interfaces_now())
    }

    async fn disk_used(&self, vmid: u32) -> u64 {
        self.find(vmid).map_or(0, |guest| guest.disk_used())
    }

    async fn memory_used(&self, vmid: u32) -> u64 {
        self.find(vmid).map_or(0, |guest| guest.memory_used())
    }

    fn inventory(&self) -> Value {
        let guests: Vec<Arc<Guest>> = self.all().values().cloned().collect();
        json!(guests.iter().map(|guest| guest.state()).collect::<Vec<_>>())
    }

    async fn exec(&self, vmid: u32, process: Process) -> i32 {
        match self.find(vmid) {
            Some(guest) if guest.is_running() => guest::exec(&guest, process).await,
            // What lxc-attach says with its exit code; the caller looked before.
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
