//! One guest: its machine, what it was made with, and what runs in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::docker::{Docker, DockerState};
use super::doors::Door;
use super::network::Lease;
use super::{alpine, apk, compose, docker, network, openrc, probe};
use crate::faults::{Action, Fault, Faults};
use crate::guests::{GuestInterface, GuestSpec, Process};
use crate::pace::Pace;
use crate::unix::{Base, Call, Clock, Done, Fd, Fds, Flavour, Input, Machine, execute};

/// What a freshly started Alpine without Docker uses.
const IDLE_MEMORY: u64 = 9 << 20;

/// What is gone when the guest stops.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) lease: Option<Lease>,
    /// Services that OpenRC has started.
    pub(super) started: BTreeSet<String>,
}

/// A simulated container.
#[derive(Debug)]
pub(super) struct Guest {
    base: Base,
    faults: Arc<Faults>,
    pace: Pace,
    spec: Mutex<GuestSpec>,
    running: AtomicBool,
    session: Mutex<Session>,
    docker: Mutex<DockerState>,
    /// First two bytes of its address, and whether what it publishes is really answered there.
    network: [u8; 2],
    reachable: bool,
    /// What can be installed on it; `None` when the template is not Alpine.
    pub(super) release: Option<alpine::Release>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guest {
    /// Unpacks the template; `loopback` is the network of this machine that its address comes from, if it is to be
    /// reached. The error is what the task log would show.
    pub(super) fn new(
        spec: &GuestSpec,
        faults: Arc<Faults>,
        pace: Pace,
        loopback: Option<[u8; 2]>,
    ) -> Result<Self, String> {
        let release = alpine::Release::of(&spec.template);
        let files = alpine::unpack(spec, release.as_ref())
            .map_err(|errno| format!("command 'tar xpf - …' failed: {errno}"))?;
        Ok(Self {
            base: Base::new(Flavour::Busybox, &spec.hostname, files),
            faults,
            pace,
            spec: Mutex::new(spec.clone()),
            running: AtomicBool::new(false),
            session: Mutex::default(),
            docker: Mutex::default(),
            network: loopback.unwrap_or(network::PRIVATE),
            reachable: loopback.is_some(),
            release,
        })
    }

    pub(super) fn spec(&self) -> GuestSpec {
        lock(&self.spec).clone()
    }

    /// First two bytes of the addresses that DHCP gives it.
    pub(super) const fn network(&self) -> [u8; 2] {
        self.network
    }

    /// The ports that can be visited now.
    pub(super) fn doors(&self) -> Vec<Door> {
        if !self.reachable || !self.is_running() {
            return Vec::new();
        }
        let Some(lease) = network::address(self) else {
            return Vec::new();
        };
        // An address that somebody gave it is not of this machine, and not ours to listen on.
        if !lease.address.is_loopback() {
            return Vec::new();
        }
        let vmid = self.spec().vmid;
        let ports = self.docker().open_ports();
        ports
            .into_iter()
            .map(|port| Door {
                vmid,
                address: SocketAddr::new(lease.address, port),
            })
            .collect()
    }

    pub(super) const fn pace(&self) -> Pace {
        self.pace
    }

    pub(super) fn session(&self) -> MutexGuard<'_, Session> {
        lock(&self.session)
    }

    pub(super) fn docker(&self) -> MutexGuard<'_, DockerState> {
        lock(&self.docker)
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The fault that waits at this place for this guest.
    pub(super) fn fault(&self, on: &str) -> Option<Fault> {
        let spec = self.spec();
        self.faults.take(on, Some(&spec.node), Some(spec.vmid))
    }

    /// As [`Guest::fault`], but only with one of these actions.
    pub(super) fn fault_of(&self, on: &str, actions: &[Action]) -> Option<Fault> {
        let spec = self.spec();
        self.faults
            .take_if(on, Some(&spec.node), Some(spec.vmid), |action| {
                actions.contains(&action)
            })
    }

    /// When something that takes this long is done.
    pub(super) fn after(&self, time: Duration) -> Instant {
        if self.pace.is_realistic() {
            Instant::now() + time
        } else {
            Instant::now()
        }
    }

    pub(super) fn reconfigure(&self, spec: &GuestSpec) {
        self.base.files().set_limit(spec.disk);
        *lock(&self.spec) = spec.clone();
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Starts init: network, then the services of the default runlevel.
    pub(super) fn boot(&self) {
        if self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let spec = self.spec();
        self.base.set_hostname(&spec.hostname);
        alpine::mount_volatile(&mut self.base.files(), &spec);
        *self.session() = Session {
            lease: network::ask(self, &spec),
            started: BTreeSet::new(),
        };
        openrc::boot(self);
    }

    /// Switches off.
    pub(super) fn halt(&self) {
        if !self.running.swap(false, Ordering::AcqRel) {
            return;
        }
        // Processes first: they are killed, and do not see what they wait for come to an orderly end.
        self.base.power_off();
        self.docker().daemon_stopped();
        *self.session() = Session::default();
    }

    pub(super) fn disk_used(&self) -> u64 {
        self.base.files().used()
    }

    pub(super) fn memory_used(&self) -> u64 {
        if !self.is_running() {
            return 0;
        }
        let used = IDLE_MEMORY + self.docker().memory_used();
        used.min(self.spec().memory)
    }

    pub(super) fn interfaces_now(&self) -> Vec<GuestInterface> {
        network::interfaces(self)
    }

    pub(super) fn state(&self) -> Value {
        let spec = self.spec();
        json!({
            "vmid": spec.vmid,
            "node": spec.node,
            "running": self.is_running(),
            "disk_used": self.disk_used(),
            "memory_used": self.memory_used(),
            "services": self.session().started.iter().collect::<Vec<_>>(),
            "docker": self.docker().state(),
        })
    }
}

#[async_trait]
impl Machine for Guest {
    fn base(&self) -> &Base {
        &self.base
    }

    async fn run(&self, program: &str, call: &mut Call) -> Option<Done> {
        Some(match program {
            "apk" => apk::main(self, call).await,
            "rc-service" | "service" => openrc::rc_service(self, call).await,
            "rc-update" => openrc::rc_update(self, call).await,
            "rc-status" => openrc::rc_status(self, call).await,
            "ip" => network::ip(self, call).await,
            "ldd" => alpine::ldd(call).await,
            "wget" => probe::wget(self, call).await,
            "nc" => probe::nc(self, call).await,
            "nslookup" => probe::nslookup(self, call).await,
            "ping" => probe::ping(self, call).await,
            "docker" => docker::main(Docker::of(self), call).await,
            "docker-compose" => {
                // The plugin is run as `docker-compose compose …` by docker, and by hand without that word.
                if call.args().first().is_some_and(|word| word == "compose") {
                    call.argv.remove(1);
                }
                compose::main(Docker::of(self), call).await
            }
            _ => return None,
        })
    }

    fn refuses_writes(&self, path: &str) -> bool {
        // Where an app's own files go; the rest of the system must be able to start.
        path.starts_with("/opt/") && self.fault_of("upload", &[Action::DiskFull]).is_some()
    }

    fn interfaces(&self) -> Vec<GuestInterface> {
        self.interfaces_now()
    }

    fn memory(&self) -> (u64, u64) {
        (self.spec().memory, self.memory_used())
    }

    fn processors(&self) -> u32 {
        self.spec().cores.unwrap_or(4)
    }
}

/// Runs a process as `lxc-attach` would: in `/`, without a shell. It goes on when its caller is gone.
pub(super) async fn exec(guest: &Arc<Guest>, process: Process) -> i32 {
    let Process {
        argv,
        env,
        stdin,
        output,
        killed,
    } = process;
    let program = argv.first().cloned().unwrap_or_default();
    let call = Call {
        machine: Arc::clone(guest) as Arc<dyn Machine>,
        clock: Arc::new(Clock::new(guest.pace)),
        argv,
        env: env.into_iter().collect::<BTreeMap<_, _>>(),
        cwd: "/".to_owned(),
        fds: Fds::standard(
            Fd::Input(Arc::new(Input::new(stdin))),
            Fd::Client {
                to: output.clone(),
                error: false,
            },
            Fd::Client {
                to: output.clone(),
                error: true,
            },
        ),
        umask: 0o022,
        pid: 0,
    };
    let complaint = call.clone();
    let power = guest.base.power();
    let run = async move {
        match execute(call).await {
            Ok(code) => code,
            Err(reason) => {
                let text = if reason.code() == 127 {
                    "No such file or directory"
                } else {
                    "Permission denied"
                };
                complaint
                    .err(format!("lxc-attach: {}: ../src/lxc/attach.c: lxc_attach_run_command: 1841 {text} - Failed to exec \"{program}\"\n", guest.spec().vmid))
                    .await;
                reason.code()
            }
        }
    };
    tokio::select! {
        biased;
        () = power.cancelled() => 137,
        () = killed.cancelled() => 137,
        code = run => code,
    }
}
