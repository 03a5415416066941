//! What the application must be told. Read and validated by the program's `settings`, never from the
//! environment here.

use std::{collections::BTreeMap, ops::RangeInclusive, path::PathBuf, time::Duration};

use proxmox::{Feature, Features};
use ssh::HostKey;
use store::Keep;

/// Settings of the application.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Features of every container, e.g. `nesting=1,keyctl=1`.
    pub features: Features,
    /// Bridge of every container that names none.
    pub bridge: String,
    /// The only storage for root file systems; the roomiest, when absent.
    pub storage: Option<String>,
    /// The only storage for templates; the roomiest, when absent.
    pub template_storage: Option<String>,
    /// Pool that containers are put into.
    pub pool: Option<String>,
    /// Numbers that containers may have; as the cluster proposes, when absent.
    pub vmid_range: Option<RangeInclusive<u32>>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// All settings of the program with their origins, for people.
    pub told: Vec<api::Setting>,
    /// Folder of the database and the key, where it is on this machine.
    pub data_dir: Option<PathBuf>,
    /// Operations that one process drives at the same time.
    pub workers: usize,
    /// Operations at work at the same time, of all replicas together.
    pub limits: store::Limits,
    /// Containers that one process creates on one storage of one node at the same time.
    pub creates_per_storage: usize,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// How long what happened is kept.
    pub keep: Keep,
    /// How often the cluster is compared with the database; only when asked, where absent.
    pub reconcile: Option<Duration>,
    /// By how much the limits and pauses that are no settings are divided: 1, but in tests that run into them.
    pub haste: u32,
}

impl Settings {
    /// How long something may take that usually may take this long. However great the haste, five seconds are
    /// left for what is only slow.
    pub(crate) fn limit(&self, usual: Duration) -> Duration {
        (usual / self.haste.max(1)).max(usual.min(Duration::from_secs(5)))
    }

    /// How long is waited between two looks, where this is usual.
    pub(crate) fn pause(&self, usual: Duration) -> Duration {
        (usual / self.haste.max(1)).max(usual.min(Duration::from_millis(20)))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            features: Features::nesting().with(Feature::Keyctl),
            bridge: "vmbr0".to_owned(),
            storage: None,
            template_storage: None,
            pool: None,
            vmid_range: None,
            timeouts: Timeouts::default(),
            told: Vec::new(),
            data_dir: None,
            workers: 8,
            limits: store::Limits {
                cluster: 32,
                node: 4,
            },
            creates_per_storage: 2,
            lease: Duration::from_secs(30),
            haste: 1,
            keep: Keep::default(),
            reconcile: Some(Duration::from_mins(1)),
        }
    }
}

/// Time limits of the long steps.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start of a container to its having an address.
    pub address: Duration,
    /// Installing Docker.
    pub docker_install: Duration,
    /// Pulling all images of an app.
    pub image_pull: Duration,
    /// From starting the services to their being healthy.
    pub service_start: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // The first DHCP discover after a boot is often lost and repeated after 3 s; a bridge with spanning tree
            // forwards nothing for its first 30 s.
            address: Duration::from_secs(75),
            docker_install: Duration::from_mins(3),
            image_pull: Duration::from_mins(10),
            service_start: Duration::from_mins(5),
        }
    }
}

/// How nodes are reached over SSH.
#[derive(Clone, Debug)]
pub struct SshTargets {
    /// Address and port by node.
    pub hosts: BTreeMap<String, (String, u16)>,
    /// Address of a node that stands alone and is not in `hosts`.
    pub single_host: String,
    /// Port of every node that is not in `hosts`.
    pub port: u16,
    /// Host keys by node; learnt at the first connection, when absent.
    pub keys: BTreeMap<String, HostKey>,
    /// Longest time for a connection.
    pub connect_timeout: Duration,
}
