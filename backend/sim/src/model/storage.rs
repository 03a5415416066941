//! Storages: what each node has, what a storage may hold, and the files in it.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::model::template;
use crate::options::{GIB, Options, Templates};

/// A template, image or other file on a storage.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    /// Bytes.
    pub(crate) size: u64,
    /// Seconds since the epoch.
    pub(crate) created: u64,
}

/// One storage as one node sees it (a shared one is kept once).
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) name: String,
    /// `dir`, `lvmthin`, `nfs`.
    pub(crate) kind: &'static str,
    /// What it may hold, as in `content`.
    pub(crate) content: Vec<&'static str>,
    pub(crate) shared: bool,
    pub(crate) enabled: bool,
    pub(crate) active: bool,
    /// Bytes.
    pub(crate) total: u64,
    /// Bytes that are neither ours nor files listed here.
    pub(crate) used: u64,
    /// Container templates by file name.
    pub(crate) templates: BTreeMap<String, StoredFile>,
}

impl Storage {
    fn new(
        name: &str,
        kind: &'static str,
        content: &[&'static str],
        total: u64,
        used: u64,
    ) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            content: content.to_vec(),
            shared: kind == "nfs",
            enabled: true,
            active: true,
            total,
            used,
            templates: BTreeMap::new(),
        }
    }

    /// Whether it may hold this kind of content.
    pub(crate) fn holds(&self, content: &str) -> bool {
        self.content.contains(&content)
    }

    /// Bytes of all files listed here.
    pub(crate) fn files_size(&self) -> u64 {
        self.templates.values().map(|file| file.size).sum()
    }

    /// The volume id of a container's first disk.
    pub(crate) fn volume(&self, vmid: u32, number: usize) -> String {
        if self.kind == "lvmthin" {
            format!("{}:vm-{vmid}-disk-{number}", self.name)
        } else {
            format!("{}:{vmid}/vm-{vmid}-disk-{number}.raw", self.name)
        }
    }

    /// What the tools say when a new volume does not fit.
    pub(crate) fn full_text(&self, vmid: u32) -> String {
        if self.kind == "lvmthin" {
            format!(
                "lvcreate 'pve/vm-{vmid}-disk-0' error:   Cannot create new thin volume, free space in thin pool pve/data reached threshold."
            )
        } else {
            format!(
                "unable to create image: qemu-img: /mnt/pve/{}/images/{vmid}/vm-{vmid}-disk-0.raw: Could not resize file: No space left on device",
                self.name
            )
        }
    }

    fn with_template(mut self, name: &str) -> Self {
        let file = StoredFile {
            size: template::size(name),
            created: crate::clock::now().saturating_sub(40 * 24 * 3600),
        };
        self.templates.insert(name.to_owned(), file);
        self
    }
}

/// The storages of all nodes.
#[derive(Debug)]
pub(crate) struct Storages {
    by_node: BTreeMap<String, BTreeMap<String, Storage>>,
    shared: BTreeMap<String, Storage>,
}

impl Storages {
    /// `local` and `local-lvm` on every node, and `nfs` for all where it is wanted.
    pub(crate) fn new(options: &Options) -> Self {
        let mut by_node = BTreeMap::new();
        for (index, node) in options.nodes.iter().enumerate() {
            let mut local = Storage::new(
                "local",
                "dir",
                &["backup", "iso", "vztmpl"],
                94 * GIB,
                11 * GIB,
            );
            let arm = node.architecture == "aarch64";
            if options.templates == Templates::Everywhere
                || (options.templates == Templates::FirstNode && index == 0)
            {
                local = local.with_template(template::newest_alpine(arm));
            }
            if index == 0 {
                local = local.with_template(template::OTHER);
            }
            let pool = Storage::new(
                "local-lvm",
                "lvmthin",
                &["images", "rootdir"],
                node.pool,
                node.pool_used,
            );
            let both = [local, pool].map(|storage| (storage.name.clone(), storage));
            by_node.insert(node.name.clone(), BTreeMap::from(both));
        }
        let mut shared = BTreeMap::new();
        if options.shared_storage {
            let nfs = Storage::new(
                "nfs",
                "nfs",
                &["backup", "images", "rootdir"],
                2048 * GIB,
                600 * GIB,
            );
            shared.insert(nfs.name.clone(), nfs);
        }
        Self { by_node, shared }
    }

    /// The storages that a node sees, by name.
    pub(crate) fn of(&self, node: &str) -> Vec<&Storage> {
        let own = self
            .by_node
            .get(node)
            .into_iter()
            .flat_map(BTreeMap::values);
        own.chain(self.shared.values()).collect()
    }

    /// A storage as a node sees it.
    pub(crate) fn get(&self, node: &str, name: &str) -> Option<&Storage> {
        self.by_node
            .get(node)
            .and_then(|own| own.get(name))
            .or_else(|| self.shared.get(name))
    }

    /// As [`Storages::get`], to change.
    pub(crate) fn get_mut(&mut self, node: &str, name: &str) -> Option<&mut Storage> {
        self.by_node
            .get_mut(node)
            .and_then(|own| own.get_mut(name))
            .or_else(|| self.shared.get_mut(name))
    }

    /// A storage that exists and can be used on this node, or Proxmox's refusal.
    pub(crate) fn usable(&self, node: &str, name: &str) -> Result<&Storage, Failure> {
        let found = self
            .get(node, name)
            .ok_or_else(|| Failure::died(format!("storage '{name}' does not exist")))?;
        if !found.enabled {
            return Err(Failure::died(format!("storage '{name}' is disabled")));
        }
        if !found.active {
            return Err(Failure::died(format!("storage '{name}' is not online")));
        }
        Ok(found)
    }
}
