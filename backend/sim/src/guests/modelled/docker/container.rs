//! Containers: what they were made with, and what has become of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::chatter;
use super::exec::Inside;
use super::known::{self, Role};

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::guests::modelled) struct Port {
    /// Address of the host, `0.0.0.0` when none is named.
    pub(in crate::guests::modelled) address: String,
    /// Port of the host; 0 when it is not published.
    pub(in crate::guests::modelled) published: u16,
    pub(in crate::guests::modelled) target: u16,
    pub(in crate::guests::modelled) protocol: String,
}

/// `restart:`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::guests::modelled) enum Restart {
    #[default]
    No,
    Always,
    OnFailure,
    UnlessStopped,
}

impl Restart {
    pub(in crate::guests::modelled) fn of(text: &str) -> Option<Self> {
        Some(match text.split(':').next().unwrap_or(text) {
            "" | "no" | "false" => Self::No,
            "always" => Self::Always,
            "on-failure" => Self::OnFailure,
            "unless-stopped" => Self::UnlessStopped,
            _ => return None,
        })
    }
}

/// What a container is made with.
#[derive(Clone, Debug, Default)]
pub(in crate::guests::modelled) struct Plan {
    pub(in crate::guests::modelled) name: String,
    pub(in crate::guests::modelled) image: String,
    pub(in crate::guests::modelled) command: Vec<String>,
    pub(in crate::guests::modelled) environment: BTreeMap<String, String>,
    pub(in crate::guests::modelled) labels: BTreeMap<String, String>,
    pub(in crate::guests::modelled) ports: Vec<Port>,
    pub(in crate::guests::modelled) host_network: bool,
    pub(in crate::guests::modelled) networks: Vec<String>,
    pub(in crate::guests::modelled) mounts: Vec<String>,
    pub(in crate::guests::modelled) restart: Restart,
    pub(in crate::guests::modelled) has_health_check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::guests::modelled) enum Status {
    Created,
    Running,
    Restarting,
    Exited,
}

impl Status {
    pub(in crate::guests::modelled) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        }
    }
}

/// A line of a container's log.
#[derive(Clone, Debug)]
pub(in crate::guests::modelled) struct Line {
    pub(in crate::guests::modelled) at: SystemTime,
    pub(in crate::guests::modelled) text: String,
}

/// How long a container needs until its health check passes.
const HEALTHY_AFTER: Duration = Duration::from_secs(5);
/// How long a server needs until it listens.
const LISTENS_AFTER: Duration = Duration::from_millis(1_200);
/// Between two occasions on which a container writes by itself.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// More than this nobody keeps.
const LONGEST_LOG: usize = 5_000;

/// A container.
#[derive(Clone, Debug)]
pub(in crate::guests::modelled) struct Container {
    pub(in crate::guests::modelled) id: String,
    pub(in crate::guests::modelled) plan: Plan,
    pub(in crate::guests::modelled) status: Status,
    pub(in crate::guests::modelled) exit_code: i32,
    pub(in crate::guests::modelled) created: SystemTime,
    pub(in crate::guests::modelled) started: Option<SystemTime>,
    pub(in crate::guests::modelled) stopped_by_hand: bool,
    pub(in crate::guests::modelled) log: Vec<Line>,
    /// Its own machine, for `exec`; lives as long as the container.
    pub(in crate::guests::modelled) inside: Arc<Inside>,
    role: Role,
    listens: Instant,
    healthy: Instant,
    beats: u64,
    /// What its chatter is drawn from: no two containers say the same at once.
    seed: u64,
}

impl Container {
    pub(in crate::guests::modelled) fn new(id: String, plan: Plan) -> Self {
        let role = known::role(&plan.image, &plan.command);
        Self {
            inside: Arc::new(Inside::of_registry(&plan)),
            id,
            plan,
            status: Status::Created,
            exit_code: 0,
            created: SystemTime::now(),
            started: None,
            stopped_by_hand: false,
            log: Vec::new(),
            role,
            listens: Instant::now(),
            healthy: Instant::now(),
            beats: 0,
            seed: rand::random(),
        }
    }

    pub(in crate::guests::modelled) fn write(&mut self, text: impl Into<String>) {
        // What was due before comes before.
        self.live();
        self.log.push(Line {
            at: SystemTime::now(),
            text: text.into(),
        });
        self.trim();
    }

    fn trim(&mut self) {
        if self.log.len() > LONGEST_LOG {
            self.log.drain(..LONGEST_LOG / 5);
        }
    }

    /// Starts its program. `crashes`: a fault makes it die at once. `realistic`: things take their time.
    pub(in crate::guests::modelled) fn start(&mut self, crashes: Option<String>, realistic: bool) {
        let wait = |time| {
            if realistic {
                Instant::now() + time
            } else {
                Instant::now()
            }
        };
        self.started = Some(SystemTime::now());
        self.stopped_by_hand = false;
        self.beats = 0;
        self.listens = wait(LISTENS_AFTER);
        self.healthy = wait(HEALTHY_AFTER);
        let role = if crashes.is_some() {
            Role::Ends(1)
        } else {
            self.role
        };
        match crashes {
            Some(text) => self.write(text),
            None => {
                for line in known::greeting(&self.plan.image, role) {
                    self.write(line);
                }
            }
        }
        let Role::Ends(code) = role else {
            self.status = Status::Running;
            self.exit_code = 0;
            return;
        };
        self.exit_code = code;
        let again = match self.plan.restart {
            Restart::Always | Restart::UnlessStopped => true,
            Restart::OnFailure => code != 0,
            Restart::No => false,
        };
        self.status = if again {
            Status::Restarting
        } else {
            Status::Exited
        };
    }

    pub(in crate::guests::modelled) fn stop(&mut self, by_hand: bool) {
        if matches!(self.status, Status::Running | Status::Restarting) {
            self.write("received SIGTERM, shutting down");
            self.status = Status::Exited;
            // Programs that handle the signal end with 0, a plain `sleep` is killed after ten seconds.
            self.exit_code = if self.role == Role::Idle { 137 } else { 0 };
        }
        self.stopped_by_hand |= by_hand;
    }

    pub(in crate::guests::modelled) fn is_up(&self) -> bool {
        matches!(self.status, Status::Running | Status::Restarting)
    }

    /// Whether the daemon starts it by itself when it comes up.
    pub(in crate::guests::modelled) fn comes_back(&self) -> bool {
        match self.plan.restart {
            Restart::Always => true,
            Restart::UnlessStopped => !self.stopped_by_hand,
            Restart::OnFailure | Restart::No => false,
        }
    }

    /// `starting`, `healthy`, or empty where nothing is checked; a fault may make it `unhealthy`.
    pub(in crate::guests::modelled) fn health(&self) -> &'static str {
        if !self.plan.has_health_check || self.status != Status::Running {
            ""
        } else if Instant::now() < self.healthy {
            "starting"
        } else {
            "healthy"
        }
    }

    /// What a connection to a port of the host finds here.
    pub(in crate::guests::modelled) fn role_at(&self, port: u16) -> Option<Role> {
        let mapped = self
            .plan
            .ports
            .iter()
            .any(|other| other.published == port && other.protocol == "tcp");
        let own = self.plan.host_network
            && (known::port(&self.plan.image) == port || self.role == Role::Web);
        let serves = matches!(self.role, Role::Web | Role::Echo | Role::Server);
        ((mapped || own)
            && serves
            && self.status == Status::Running
            && Instant::now() >= self.listens)
            .then_some(self.role)
    }

    /// Writes the lines that have become due.
    pub(in crate::guests::modelled) fn live(&mut self) -> bool {
        let (Status::Running, Some(started)) = (self.status, self.started) else {
            return false;
        };
        let up = started.elapsed().unwrap_or_default();
        let due = up.as_secs() / HEARTBEAT.as_secs();
        let before = self.beats;
        // Nobody looked for a long time: the newest lines are enough.
        self.beats = self.beats.max(due.saturating_sub(50));
        while self.beats < due {
            self.beats += 1;
            let at = started + HEARTBEAT * u32::try_from(self.beats).unwrap_or(u32::MAX);
            let lines = chatter::lines(&self.plan.image, self.role, self.seed, self.beats, at);
            // Lines of one occasion follow each other, also in a log that is sorted by time.
            for (number, text) in (0u32..).zip(lines) {
                let at = at + Duration::from_micros(1) * number;
                self.log.push(Line { at, text });
            }
        }
        self.trim();
        before != self.beats
    }

    /// `Up 3 minutes (healthy)`.
    pub(in crate::guests::modelled) fn status_text(&self, health: &str) -> String {
        let ago = |time: Option<SystemTime>| {
            let seconds = time
                .and_then(|time| time.elapsed().ok())
                .unwrap_or_default()
                .as_secs();
            match seconds {
                0 => "Less than a second".to_owned(),
                1 => "1 second".to_owned(),
                2..=119 => format!("{seconds} seconds"),
                120..=7199 => format!("{} minutes", seconds / 60),
                _ => format!("{} hours", seconds / 3600),
            }
        };
        match self.status {
            Status::Created => "Created".to_owned(),
            Status::Running => {
                let health = match health {
                    "" => String::new(),
                    "starting" => " (health: starting)".to_owned(),
                    health => format!(" ({health})"),
                };
                format!("Up {}{health}", ago(self.started))
            }
            Status::Restarting => {
                format!("Restarting ({}) {} ago", self.exit_code, ago(self.started))
            }
            Status::Exited => format!("Exited ({}) {} ago", self.exit_code, ago(self.started)),
        }
    }

    /// `0.0.0.0:8080->80/tcp, 443/tcp`.
    pub(in crate::guests::modelled) fn ports_text(&self) -> String {
        if !self.is_up() {
            return String::new();
        }
        let shown = self.plan.ports.iter().map(|port| match port.published {
            0 => format!("{}/{}", port.target, port.protocol),
            published => format!(
                "{}:{published}->{}/{}",
                port.address, port.target, port.protocol
            ),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    pub(in crate::guests::modelled) fn label(&self, name: &str) -> &str {
        self.plan.labels.get(name).map_or("", String::as_str)
    }

    /// Whether a person means this container: by name, or the beginning of its id.
    pub(in crate::guests::modelled) fn is_called(&self, name: &str) -> bool {
        self.plan.name == name.trim_start_matches('/')
            || (name.len() >= 2 && self.id.starts_with(name))
    }
}
