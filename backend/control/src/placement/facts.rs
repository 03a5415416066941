//! What placement looks at: what an app asks for, and the nodes with their storages.

/// What an app asks of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand {
    /// CPU cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory: u64,
    /// Root file system, bytes.
    pub disk: u64,
    /// Bridge of its interface.
    pub bridge: String,
    /// Architectures that it runs on, in Debian's words; any, when empty.
    pub architectures: Vec<String>,
    /// The one node that a person asked for.
    pub node: Option<String>,
    /// The one storage that the settings allow for root file systems.
    pub storage: Option<String>,
    /// The one storage that the settings allow for templates.
    pub template_storage: Option<String>,
}

/// A node as placement sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeView {
    /// Name.
    pub name: String,
    /// Whether the cluster hears it.
    pub online: bool,
    /// Whether its administrator is at work on it.
    pub maintenance: bool,
    /// CPU in use, 0 to 1.
    pub cpu: f64,
    /// CPU cores.
    pub cores: u32,
    /// Memory in use, bytes.
    pub memory_used: u64,
    /// Memory, bytes.
    pub memory_total: u64,
    /// Memory that apps on it were promised and do not use yet, bytes.
    pub memory_promised: u64,
    /// Architecture in Debian's words, `amd64` where the node does not tell.
    pub architecture: String,
    /// Its storages.
    pub storages: Vec<StorageView>,
    /// Its active bridges.
    pub bridges: Vec<String>,
    /// File names on its template index.
    pub offered_templates: Vec<String>,
    /// Why it could not be asked, in a sentence.
    pub unknown: Option<String>,
}

/// A storage as placement sees it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each asked for by its name"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct StorageView {
    /// Name.
    pub name: String,
    /// Whether it takes root file systems of containers.
    pub holds_containers: bool,
    /// Whether it takes templates.
    pub holds_templates: bool,
    /// Whether each read and write crosses the network to a file server: slower for a container's disk, and it
    /// hangs when the server does.
    pub is_network_file: bool,
    /// Whether other nodes see the same storage.
    pub is_shared: bool,
    /// Whether it is enabled and active.
    pub usable: bool,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free.
    pub available: u64,
    /// Bytes that apps on it were promised and do not use yet.
    pub promised: u64,
    /// Templates on it, as `storage:vztmpl/file`.
    pub templates: Vec<String>,
}
