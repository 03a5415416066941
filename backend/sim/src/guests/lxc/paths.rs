//! Where a lab keeps what: the contents of `lab.env`.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Places and names of one lab, as `lab up` wrote them down.
#[derive(Clone, Debug)]
pub struct LabPaths {
    /// Folder of the lab.
    pub dir: PathBuf,
    /// Number of the lab on this machine; part of every name of an interface.
    pub number: u8,
    /// The bridge that stands for `vmbr0` (and for every other bridge).
    pub bridge: String,
    /// The host's address on the bridge: gateway, name server and registry of the guests.
    pub gateway: String,
    /// btrfs file system of the guests' disks.
    pub storage: PathBuf,
    /// Folder of LXC configurations, one folder a guest.
    pub containers: PathBuf,
    /// The template, a tar packed by zstd.
    pub template: PathBuf,
    /// DHCP leases as dnsmasq writes them.
    pub leases: PathBuf,
    /// First user id of this machine that stands for the guests' root.
    pub id_start: u32,
    /// SSH addresses of the nodes, `pve1=127.213.0.1:2222,…`.
    pub ssh_hosts: String,
    /// SSH host keys of the nodes, `pve1=ssh-ed25519 AAAA…,…`.
    pub ssh_host_keys: String,
    /// Private key that the nodes let in as root.
    pub ssh_key_file: PathBuf,
}

impl LabPaths {
    /// Reads a `lab.env`; an absent or malformed key is an error of kind `InvalidData` that names it.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let values: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim().trim_matches('\'')))
            .collect();
        let text = |key: &str| {
            let value = values.get(key).filter(|value| !value.is_empty());
            value.copied().ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidData,
                    format!("the lab's file lacks {key}"),
                )
            })
        };
        let number = |key: &str| {
            let wrong = |_| {
                Error::new(
                    ErrorKind::InvalidData,
                    format!("{key} of the lab's file is no number"),
                )
            };
            text(key)?.parse::<u32>().map_err(wrong)
        };
        Ok(Self {
            dir: text("LAB_DIR")?.into(),
            number: u8::try_from(number("LAB_NUMBER")?)
                .map_err(|_| Error::new(ErrorKind::InvalidData, "LAB_NUMBER is too large"))?,
            bridge: text("LAB_BRIDGE")?.to_owned(),
            gateway: text("LAB_GATEWAY")?.to_owned(),
            storage: text("LAB_STORAGE")?.into(),
            containers: text("LAB_CONTAINERS")?.into(),
            template: text("LAB_TEMPLATE")?.into(),
            leases: text("LAB_LEASES")?.into(),
            id_start: number("LAB_ID_START")?,
            ssh_hosts: text("LAB_SSH_HOSTS")?.to_owned(),
            ssh_host_keys: text("LAB_SSH_HOST_KEYS")?.to_owned(),
            ssh_key_file: text("LAB_SSH_KEY_FILE")?.into(),
        })
    }

    /// The disk of a guest, a btrfs subvolume.
    pub(super) fn disk(&self, vmid: u32) -> PathBuf {
        self.storage.join(format!("subvol-{vmid}-disk-0"))
    }

    /// LXC's folder of a guest.
    pub(super) fn container(&self, vmid: u32) -> PathBuf {
        self.containers.join(vmid.to_string())
    }

    /// LXC's configuration of a guest.
    pub(super) fn config(&self, vmid: u32) -> PathBuf {
        self.container(vmid).join("config")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const EXAMPLE: &str = "LAB_DIR='/srv/lab'\nLAB_NUMBER='3'\nLAB_BRIDGE='pxlab3'\n\
        LAB_GATEWAY='10.213.3.1'\nLAB_STORAGE='/srv/lab/storage'\nLAB_CONTAINERS='/srv/lab/ct'\n\
        LAB_TEMPLATE='/cache/guest-1/template.tar.zst'\nLAB_LEASES='/srv/lab/run/leases'\nLAB_ID_START='100000'\n\
        LAB_SSH_HOSTS='pve1=127.213.3.1:2222'\nLAB_SSH_HOST_KEYS='pve1=ssh-ed25519 AAAA'\nLAB_SSH_KEY_FILE='/srv/lab/ssh/user_key'\n";

    pub(in super::super) fn example() -> LabPaths {
        LabPaths::parse(EXAMPLE).unwrap()
    }

    #[test]
    fn reads_what_lab_up_writes() {
        let lab = example();
        assert_eq!(lab.number, 3);
        assert_eq!(lab.ssh_host_keys, "pve1=ssh-ed25519 AAAA");
        assert_eq!(
            lab.disk(101),
            Path::new("/srv/lab/storage/subvol-101-disk-0")
        );
        assert_eq!(lab.config(101), Path::new("/srv/lab/ct/101/config"));
    }

    #[test]
    fn names_what_is_missing() {
        let error = LabPaths::parse("LAB_DIR='/srv/lab'\nLAB_NUMBER=''\n").unwrap_err();
        assert_eq!(error.to_string(), "the lab's file lacks LAB_NUMBER");
        let error = LabPaths::parse(&EXAMPLE.replace("'100000'", "'many'")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "LAB_ID_START of the lab's file is no number"
        );
    }
}
