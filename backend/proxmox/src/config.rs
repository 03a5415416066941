//! A container's configuration.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, Features, InvalidName, Net, NodeName, Result, Vmid};

/// The volume behind a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootVolume {
    /// Such as `local-lvm:vm-101-disk-0`.
    pub volume: String,
    /// Its size in bytes, where the configuration has it.
    pub size: Option<u64>,
}

impl RootVolume {
    /// The storage it is on; none for a path.
    pub fn storage(&self) -> Option<&str> {
        self.volume.split_once(':').map(|(storage, _)| storage)
    }
}

impl FromStr for RootVolume {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName::new("root volume", text);
        let mut parts = text.split(',');
        let first = parts
            .next()
            .filter(|first| !first.is_empty())
            .ok_or_else(invalid)?;
        let mut root = Self {
            volume: first.strip_prefix("volume=").unwrap_or(first).to_owned(),
            size: None,
        };
        for part in parts {
            match part.split_once('=') {
                Some(("volume", volume)) => volume.clone_into(&mut root.volume),
                Some(("size", size)) => root.size = Some(bytes(size).ok_or_else(invalid)?),
                _ => {}
            }
        }
        Ok(root)
    }
}

/// `disk-size`: a number with K, M, G or T, each 1024 of the one before.
fn bytes(text: &str) -> Option<u64> {
    let (number, shift) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 10),
        b'M' => (&text[..text.len() - 1], 20),
        b'G' => (&text[..text.len() - 1], 30),
        b'T' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    let number: f64 = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        .then(|| number.parse().ok())
        .flatten()?;
    let bytes = number * f64::from(shift).exp2();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits only, and below 2^63"
    )]
    (bytes < 9.0e18).then_some(bytes as u64)
}

/// A container's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerConfig {
    /// Changes with every change of it; sent along, it proves that nobody else changed it meanwhile.
    pub digest: String,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its description. Proxmox stores it in comment lines and may add a newline at its end.
    pub description: Option<String>,
    /// Who holds it: `create`, `backup`, `destroyed`, …
    pub lock: Option<String>,
    /// Its interfaces by number.
    pub nets: BTreeMap<u32, Net>,
    /// Memory in MiB.
    pub memory: Option<u64>,
    /// Swap in MiB.
    pub swap: Option<u64>,
    /// Processors; none means all of the node's.
    pub cores: Option<u32>,
    /// Its root file system; none while it is being made or removed.
    pub rootfs: Option<RootVolume>,
    /// What it may do.
    pub features: Features,
    /// Whether it is started with its node.
    pub onboot: bool,
    /// Whether it is a template.
    pub template: bool,
    /// Whether it is unprivileged. Not told means that it is privileged.
    pub unprivileged: bool,
    /// All other keys as they are.
    pub other: BTreeMap<String, String>,
}

impl ContainerConfig {
    /// One interface.
    pub fn net(&self, number: u32) -> Option<&Net> {
        self.nets.get(&number)
    }

    /// Whether it has this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
    }
}

const NAMED: [&str; 13] = [
    "digest",
    "hostname",
    "tags",
    "description",
    "lock",
    "memory",
    "swap",
    "cores",
    "rootfs",
    "features",
    "onboot",
    "template",
    "unprivileged",
];

fn net_number(key: &str) -> Option<u32> {
    let number = key.strip_prefix("net")?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse().ok())
        .flatten()
}

fn config(fields: &Fields<'_>) -> Result<ContainerConfig> {
    let mut nets = BTreeMap::new();
    let mut other = BTreeMap::new();
    for (key, value) in fields.texts() {
        if let Some(number) = net_number(key) {
            nets.insert(number, fields.required(key, fields.parsed(key)?)?);
        } else if !NAMED.contains(&key) {
            other.insert(key.to_owned(), value);
        }
    }
    Ok(ContainerConfig {
        digest: fields.text("digest")?.unwrap_or_default(),
        hostname: fields.text("hostname")?,
        tags: fields.list("tags")?,
        description: fields.text("description")?,
        lock: fields.text("lock")?,
        nets,
        memory: fields.integer("memory")?,
        swap: fields.integer("swap")?,
        cores: fields.small("cores")?,
        rootfs: fields.parsed("rootfs")?,
        features: fields.parsed("features")?.unwrap_or_default(),
        onboot: fields.flag("onboot")?,
        template: fields.flag("template")?,
        unprivileged: fields.flag("unprivileged")?,
        other,
    })
}

pub(crate) fn container_config(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::ContainerConfig, node, vmid)
}

impl Client {
    /// A container's configuration, pending changes included.
    pub async fn container_config(&self, node: &NodeName, vmid: Vmid) -> Result<ContainerConfig> {
        config(&self.call(&container_config(node, vmid)).await?.fields()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Reply;
    use crate::{Error, Feature};
    use serde_json::json;

    fn read(data: serde_json::Value) -> Result<ContainerConfig> {
        config(
            &Reply {
                call: "GET /x".to_owned(),
                data,
            }
            .fields()?,
        )
    }

    #[test]
    fn a_real_configuration_is_read() {
        let config = read(json!({
            "digest": "abc", "hostname": "web", "tags": "proximity;web", "description": "id: 1\n", "arch": "amd64", "memory": "512",
            "swap": 0, "cores": 2, "rootfs": "local-lvm:vm-101-disk-0,size=8G", "features": "nesting=1,keyctl=1", "onboot": 1,
            "unprivileged": "1", "template": "", "ostype": "alpine", "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp,type=veth",
            "lxc": [["lxc.idmap", "u 0 100000 65536"]]
        }))
        .unwrap();
        assert_eq!(
            (config.memory, config.swap, config.cores),
            (Some(512), Some(0), Some(2))
        );
        assert!(
            config.unprivileged
                && config.onboot
                && !config.template
                && config.has_tag("Proximity")
                && config.lock.is_none()
        );
        assert_eq!(
            config.net(0).unwrap().hwaddr.as_deref(),
            Some("BC:24:11:00:00:01")
        );
        let rootfs = config.rootfs.unwrap();
        assert_eq!(
            (rootfs.storage(), rootfs.size),
            (Some("local-lvm"), Some(8 << 30))
        );
        assert!(config.features.has(Feature::Keyctl));
        assert_eq!(
            config.other.keys().map(String::as_str).collect::<Vec<_>>(),
            ["arch", "lxc", "ostype"]
        );
    }

    #[test]
    fn what_a_dying_container_leaves_is_read_too() {
        let config = read(json!({"digest": "abc", "lock": "destroyed"})).unwrap();
        assert_eq!(
            (config.lock.as_deref(), config.rootfs),
            (Some("destroyed"), None)
        );
        assert!(
            matches!(read(json!({"net0": "bridge="})), Err(Error::Malformed { reason, .. }) if reason.contains("net0"))
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(
            ["8G", "512M", "1.5T", "4096", "1K"].map(bytes),
            [
                Some(8 << 30),
                Some(512 << 20),
                Some(3 << 39),
                Some(4096),
                Some(1024)
            ]
        );
        assert_eq!(
            ["", "G", "x", "-1G", "1e3", "9999999999T"].map(bytes),
            [None; 6]
        );
    }
}
