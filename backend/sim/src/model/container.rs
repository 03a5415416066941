//! A container: its configuration file, its lock, and what is known of the guest behind it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::guests::GuestSpec;
use crate::options::{GIB, MIB};
use crate::property;

/// Options that a running container takes over at its next start only.
const PENDING: &[&str] = &[
    "arch",
    "cmode",
    "console",
    "debug",
    "entrypoint",
    "env",
    "features",
    "ostype",
    "tty",
];

/// Options that the API shows as numbers.
const NUMBERS: &[&str] = &[
    "console",
    "cores",
    "cpuunits",
    "debug",
    "memory",
    "onboot",
    "protection",
    "swap",
    "template",
    "tty",
    "unprivileged",
];

/// One container of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) vmid: u32,
    pub(crate) node: String,
    /// File name of the template it was made from.
    pub(crate) template: String,
    /// The configuration file, key by key, as text.
    pub(crate) config: BTreeMap<String, String>,
    /// Changes that wait for the next start; `None` deletes.
    pub(crate) pending: BTreeMap<String, Option<String>>,
    pub(crate) lock: Option<String>,
    pub(crate) pool: Option<String>,
    pub(crate) running: bool,
    /// When it was started; seconds since the epoch.
    pub(crate) started: Option<u64>,
    /// Bytes, as last seen.
    pub(crate) memory_used: u64,
    /// Bytes, as last seen.
    pub(crate) disk_used: u64,
    /// Load while it runs, a part of its cores.
    pub(crate) cpu: f64,
    /// Somebody else's: there is no guest behind it.
    pub(crate) foreign: bool,
    /// Tells a container from a later one with the same number.
    pub(crate) incarnation: u64,
}

impl Container {
    /// A configuration that reserves the number: what is there as soon as the create call returns.
    pub(crate) fn reserve(
        vmid: u32,
        node: &str,
        template: &str,
        config: BTreeMap<String, String>,
    ) -> Self {
        Self {
            vmid,
            node: node.to_owned(),
            template: template.to_owned(),
            config,
            pending: BTreeMap::new(),
            lock: Some("create".to_owned()),
            pool: None,
            running: false,
            started: None,
            memory_used: 0,
            disk_used: 0,
            cpu: 0.004,
            foreign: false,
            incarnation: rand::random(),
        }
    }

    /// A value of the configuration in force.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.config.get(key).map(String::as_str)
    }

    /// Whether a boolean option is on.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key) == Some("1")
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(|value| value.parse().ok())
    }

    /// Memory limit in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.number("memory").unwrap_or(512) * MIB
    }

    /// Swap limit in bytes.
    pub(crate) fn swap(&self) -> u64 {
        self.number("swap").unwrap_or(512) * MIB
    }

    /// Cores; the node's when not limited.
    pub(crate) fn cores(&self) -> Option<u32> {
        self.number("cores")
            .and_then(|cores| u32::try_from(cores).ok())
    }

    /// Host name, or the one that Proxmox gives.
    pub(crate) fn name(&self) -> String {
        self.get("hostname")
            .map_or_else(|| format!("CT{}", self.vmid), str::to_owned)
    }

    /// Size of the root file system in bytes.
    pub(crate) fn disk(&self) -> u64 {
        self.rootfs()
            .and_then(|rootfs| rootfs.get("size").and_then(|size| disk_size(size)))
            .unwrap_or(4 * GIB)
    }

    /// Storage of the root file system.
    pub(crate) fn storage(&self) -> Option<String> {
        let rootfs = self.rootfs()?;
        let (storage, _) = rootfs.get("volume")?.split_once(':')?;
        Some(storage.to_owned())
    }

    /// Volume id of the root file system.
    pub(crate) fn volume(&self) -> Option<String> {
        self.rootfs()?.get("volume").cloned()
    }

    fn rootfs(&self) -> Option<indexmap::IndexMap<String, String>> {
        property::parse(self.get("rootfs")?, Some("volume")).ok()
    }

    /// What Proxmox says to whoever wants to change a locked container.
    pub(crate) fn check_lock(&self) -> Result<(), String> {
        match &self.lock {
            Some(lock) => Err(format!("CT is locked ({lock})")),
            None => Ok(()),
        }
    }

    /// Writes one option down; a running container takes some only at its next start.
    pub(crate) fn set(&mut self, key: &str, value: Option<String>) {
        if self.running && PENDING.contains(&key) {
            self.pending.insert(key.to_owned(), value);
            return;
        }
        self.pending.remove(key);
        match value {
            Some(value) => self.config.insert(key.to_owned(), value),
            None => self.config.remove(key),
        };
    }

    /// Puts what waits for a start into force.
    pub(crate) fn apply_pending(&mut self) {
        for (key, value) in std::mem::take(&mut self.pending) {
            match value {
                Some(value) => self.config.insert(key, value),
                None => self.config.remove(&key),
            };
        }
    }

    /// The configuration as it will be after the next start.
    pub(crate) fn future(&self) -> BTreeMap<String, String> {
        let mut copy = self.clone();
        copy.apply_pending();
        copy.config
    }

    /// Digest of the configuration file, 40 hex digits.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (key, value) in &self.config {
            hasher.update(format!("{key}: {value}\n"));
        }
        for (key, value) in &self.pending {
            hasher.update(format!("pending {key}: {value:?}\n"));
        }
        hasher.update(format!("lock: {:?}\n", self.lock));
        let mut digest = hex::encode(hasher.finalize());
        digest.truncate(40);
        digest
    }

    /// The configuration as `GET …/config` shows it. `texts` shows numbers as strings, as older hosts do.
    pub(crate) fn config_json(&self, current: bool, texts: bool) -> Value {
        let config = if current {
            self.config.clone()
        } else {
            self.future()
        };
        let mut shown: Map<String, Value> = config
            .into_iter()
            .map(|(key, value)| {
                let shown = shown_value(&key, &value, texts);
                (key, shown)
            })
            .collect();
        if let Some(lock) = &self.lock {
            shown.insert("lock".to_owned(), json!(lock));
        }
        shown.insert("digest".to_owned(), json!(self.digest()));
        Value::Object(shown)
    }

    /// What the guest is to be made from.
    pub(crate) fn spec(&self) -> GuestSpec {
        let net = self
            .get("net0")
            .and_then(|net| property::parse(net, None).ok())
            .unwrap_or_default();
        let of = |key: &str| net.get(key).cloned();
        let features = self.get("features").unwrap_or_default();
        GuestSpec {
            vmid: self.vmid,
            node: self.node.clone(),
            hostname: self.name(),
            template: self.template.clone(),
            disk: self.disk(),
            memory: self.memory(),
            swap: self.swap(),
            cores: self.cores(),
            hwaddr: of("hwaddr").unwrap_or_default(),
            bridge: of("bridge").unwrap_or_default(),
            address: of("ip").filter(|ip| ip.contains('/')),
            gateway: of("gw"),
            nesting: property::is_set(features, "nesting"),
            keyctl: property::is_set(features, "keyctl"),
        }
    }

    /// `running` or `stopped`.
    pub(crate) fn status(&self) -> &'static str {
        if self.running { "running" } else { "stopped" }
    }

    /// Seconds since the start; 0 when stopped.
    pub(crate) fn uptime(&self) -> u64 {
        self.started
            .filter(|_| self.running)
            .map_or(0, |started| crate::clock::now().saturating_sub(started))
    }

    /// Process id of the guest's init on its node; made up, but steady.
    pub(crate) fn pid(&self) -> u64 {
        20_000 + self.incarnation % 1_000_000
    }
}

fn shown_value(key: &str, value: &str, texts: bool) -> Value {
    match value.parse::<i64>() {
        Ok(number) if !texts && NUMBERS.contains(&key) => json!(number),
        // The file keeps a description as comment lines, so it always comes back with a line end.
        _ if key == "description" && !value.ends_with('\n') => json!(format!("{value}\n")),
        _ => json!(value),
    }
}

/// A disk size such as `8G` or `512M` in bytes.
pub(crate) fn disk_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit = match text.get(digits.len()..)? {
        "" => 1,
        "K" => 1024,
        "M" => MIB,
        "G" => GIB,
        "T" => 1024 * GIB,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A hardware address from Proxmox's own range.
pub(crate) fn random_hwaddr() -> String {
    let [a, b, c]: [u8; 3] = rand::random();
    format!("BC:24:11:{a:02X}:{b:02X}:{c:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Container {
        let config = [
            ("memory", "1024"),
            ("rootfs", "local-lvm:vm-101-disk-0,size=8G"),
            (
                "net0",
                "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp",
            ),
            ("features", "nesting=1"),
            ("description", "one"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        Container::reserve(101, "pve1", "alpine-3.24_amd64.tar.xz", config.into())
    }

    #[test]
    fn shows_its_spec() {
        let spec = container().spec();
        assert_eq!((spec.memory, spec.disk), (1024 * MIB, 8 * GIB));
        assert_eq!(spec.hostname, "CT101");
        assert!(spec.nesting && !spec.keyctl);
        assert_eq!(spec.address, None);
    }

    #[test]
    fn features_of_a_running_container_wait_for_a_start() {
        let mut container = container();
        container.running = true;
        container.set("features", Some("nesting=1,keyctl=1".to_owned()));
        assert!(!container.spec().keyctl);
        assert_eq!(
            container.config_json(false, false)["features"],
            "nesting=1,keyctl=1"
        );
        assert_eq!(container.config_json(true, false)["features"], "nesting=1");
        container.apply_pending();
        assert!(container.spec().keyctl);
    }

    #[test]
    fn digest_follows_the_configuration() {
        let mut container = container();
        let before = container.digest();
        assert_eq!(before.len(), 40);
        container.set("memory", Some("2048".to_owned()));
        assert_ne!(container.digest(), before);
        assert_eq!(container.config_json(false, false)["description"], "one\n");
        assert_eq!(container.config_json(false, true)["memory"], "2048");
    }
}
