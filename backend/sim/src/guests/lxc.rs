//! Guests that are real: unprivileged LXC containers of this machine, for the lab.
//!
//! ```text
//! create      ─► btrfs snapshot of the unpacked template, files that Proxmox writes, LXC configuration
//! start/stop  ─► lxc-start, lxc-stop
//! exec        ─► lxc-attach, argv as it is
//! destroy     ─► subvolume, configuration and DHCP lease are gone
//! ```
//!
//! Bridge, storage, template and addresses are made by `tests/lab/lab up DIR`, which describes them in
//! `DIR/lab.env`. What is kept about a guest is kept on disk, so that a second process sees the same guests.
//! It must not know nodes, tasks or locks: the cluster's model calls, and says no beforehand.

mod command;
mod config;
mod disk;
mod interfaces;
mod paths;
mod process;
mod setup;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use tokio::fs;
use tokio::sync::Mutex;

pub use self::paths::LabPaths;
use super::{GuestInterface, GuestSpec, Guests, Process};
use command::Tool;

/// How long a guest's init may take to end all services. Docker alone gives a container ten seconds.
const SHUTDOWN_LIMIT: Duration = Duration::from_mins(3);

/// The guests of one lab.
#[derive(Debug)]
pub struct Lxc {
    lab: LabPaths,
    /// Held while the template is unpacked, so that two first creations do not both do it.
    unpacking: Mutex<()>,
}

impl Lxc {
    /// Guests that live where `lab` says.
    pub fn new(lab: LabPaths) -> Self {
        Self {
            lab,
            unpacking: Mutex::new(()),
        }
    }

    /// Guests of the lab that the file `lab.env` describes.
    pub fn from_env_file(path: &Path) -> std::io::Result<Self> {
        LabPaths::read(path).map(Self::new)
    }

    /// Where everything lies, and how the lab's nodes are reached by SSH.
    pub fn lab(&self) -> &LabPaths {
        &self.lab
    }

    /// Tells the `pct` of the lab's nodes where the simulated cluster's API listens.
    pub async fn announce(&self, api: SocketAddr) -> std::io::Result<()> {
        let file = self.lab.dir.join("run/api");
        let new = self.lab.dir.join("run/api.new");
        fs::write(&new, api.to_string()).await?;
        fs::rename(&new, &file).await
    }

    /// Kills and removes every guest of the lab, those of an earlier process too.
    pub async fn remove_all(&self) -> Result<(), String> {
        let mut entries = fs::read_dir(&self.lab.containers)
            .await
            .map_err(|error| error.to_string())?;
        while let Some(entry) = entries
            .next_entry()
            .await
            .map_err(|error| error.to_string())?
        {
            let Some(vmid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            self.stop(vmid).await?;
            self.destroy(vmid).await?;
        }
        Ok(())
    }

    /// An `lxc-…` program, told which container it is about.
    fn lxc(&self, program: &'static str, vmid: u32) -> Tool {
        Tool::new(program)
            .arg("-P")
            .arg(&self.lab.containers)
            .arg("-n")
            .arg(vmid.to_string())
    }

    /// The guest's first process as this machine numbers it.
    async fn init(&self, vmid: u32) -> Option<u32> {
        if !self.exists(vmid) {
            return None;
        }
        self.lxc("lxc-info", vmid)
            .arg("-p")
            .arg("-H")
            .text()
            .await
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn exists(&self, vmid: u32) -> bool {
        self.lab.config(vmid).exists()
    }

    async fn build(
        &self,
        spec: &GuestSpec,
        log: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), String> {
        let release = setup::release(&spec.template).ok_or_else(|| {
            format!(
                "unable to create CT {} - the lab has no template like '{}'",
                spec.vmid, spec.template
            )
        })?;
        let base = {
            let _alone = self.unpacking.lock().await;
            disk::base(&self.lab, log).await?
        };
        disk::snapshot(&base, &self.lab.disk(spec.vmid), spec.disk).await?;
        setup::write(&self.lab.disk(spec.vmid), spec, release, &self.lab.gateway)
            .await
            .map_err(|error| format!("unable to set up CT {}: {error}", spec.vmid))?;
        self.reconfigure(spec).await
    }
}

#[async_trait]
impl Guests for Lxc {
    async fn create(
        &self,
        spec: &GuestSpec,
        log: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), String> {
        // Checked before anything is made: what is there belongs to somebody else and must survive the clean-up.
        if self.exists(spec.vmid) || self.lab.disk(spec.vmid).exists() {
            return Err(format!(
                "unable to create CT {} - volume already exists",
                spec.vmid
            ));
        }
        let built = self.build(spec, log).await;
        if built.is_err() {
            self.destroy(spec.vmid).await?;
        }
        built
    }

    async fn reconfigure(&self, spec: &GuestSpec) -> Result<(), String> {
        let file = self.lab.config(spec.vmid);
        let folder = self.lab.container(spec.vmid);
        let text = config::render(spec, &self.lab, config::Cgroups::of_this_machine());
        let written = async {
            fs::create_dir_all(&folder).await?;
            fs::write(&file, text).await
        };
        written
            .await
            .map_err(|error| format!("unable to write {}: {error}", file.display()))
    }

    async fn start(&self, vmid: u32) -> Result<(), String> {
        let log = self.lab.dir.join("log");
        let started = self
            .lxc("lxc-start", vmid)
            .args(["-d", "-l", "WARN"])
            .arg("-o")
            .arg(log.join(format!("lxc.{vmid}.log")))
            .arg("-L")
            .arg(log.join(format!("console.{vmid}.log")))
            .text()
            .await;
        started
            .map(drop)
            .map_err(|reason| format!("startup for container '{vmid}' failed: {reason}"))
    }

    async fn shutdown(&self, vmid: u32) -> Result<(), String> {
        if !self.is_running(vmid).await {
            return Ok(());
        }
        let limit = SHUTDOWN_LIMIT.as_secs().to_string();
        let stopped = self
            .lxc("lxc-stop", vmid)
            .args(["--nokill", "-t", &limit])
            .text()
            .await;
        match stopped {
            Ok(_) => Ok(()),
            // lxc-stop also fails when the guest ends on its own just before it is asked.
            Err(_) if !self.is_running(vmid).await => Ok(()),
            Err(reason) => Err(format!("container did not stop: {reason}")),
        }
    }

    async fn stop(&self, vmid: u32) -> Result<(), String> {
        if !self.is_running(vmid).await {
            return Ok(());
        }
        let stopped = self.lxc("lxc-stop", vmid).arg("-k").text().await;
        match stopped {
            Err(reason) if self.is_running(vmid).await => {
                Err(format!("container did not stop: {reason}"))
            }
            _ => Ok(()),
        }
    }

    async fn destroy(&self, vmid: u32) -> Result<(), String> {
        if self.is_running(vmid).await {
            return Err(format!("CT {vmid} is running"));
        }
        if let Ok(config) = fs::read_to_string(self.lab.config(vmid)).await
            && let Some(hwaddr) = config::hwaddr(&config)
        {
            interfaces::release_lease(&self.lab, hwaddr).await;
        }
        disk::delete(&self.lab.disk(vmid)).await?;
        // Last, because a guest without a configuration is not found by `remove_all`.
        match fs::remove_dir_all(self.lab.container(vmid)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    async fn is_running(&self, vmid: u32) -> bool {
        self.init(vmid).await.is_some()
    }

    async fn interfaces(&self, vmid: u32) -> Option<Vec<GuestInterface>> {
        let init = self.init(vmid).await?;
        let json = Tool::new("nsenter")
            .args([
                "--target",
                &init.to_string(),
                "--net",
                "ip",
                "--json",
                "address",
            ])
            .text()
            .await
            .ok()?;
        interfaces::parse(&json)
    }

    async fn disk_used(&self, vmid: u32) -> u64 {
        disk::used(&self.lab.disk(vmid)).await.unwrap_or(0)
    }

    async fn memory_used(&self, vmid: u32) -> u64 {
        if !self.is_running(vmid).await {
            return 0;
        }
        let key = config::Cgroups::of_this_machine().memory_in_use();
        let value = self.lxc("lxc-cgroup", vmid).arg(key).text().await;
        value
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0)
    }

    async fn exec(&self, vmid: u32, process: Process) -> i32 {
        process::run(self.lxc("lxc-attach", vmid), process).await
    }
}
