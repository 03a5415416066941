//! The parameters of all calls but those that take a container's options.

use super::Kind::{Boolean, Enum, Format, Integer};
use super::container::{VMID, text};
use super::{Kind, Parameter, format, optional, required};

const COUNT: Kind = Integer {
    min: 0,
    max: i64::MAX,
};
/// Text of any length; a body has its limit.
const ANY: Kind = text(usize::MAX);
const NODE: Parameter = required("node", Format(format::node));
const GUEST: Parameter = required("vmid", VMID);
const UPID: Parameter = required("upid", ANY);

pub(crate) const NOTHING: &[Parameter] = &[];
pub(crate) const ON_NODE: &[Parameter] = &[NODE];
pub(crate) const ON_GUEST: &[Parameter] = &[NODE, GUEST];
pub(crate) const ON_TASK: &[Parameter] = &[NODE, UPID];

pub(crate) const LOGIN: &[Parameter] = &[
    required("password", ANY),
    required("username", text(64)),
    optional("new-format", Boolean),
    optional("otp", ANY),
    optional("path", text(64)),
    optional("privs", text(64)),
    optional("realm", text(32)),
    optional("tfa-challenge", ANY),
];

pub(crate) const PERMISSIONS: &[Parameter] =
    &[optional("path", ANY), optional("userid", text(512))];

pub(crate) const RESOURCES: &[Parameter] =
    &[optional("type", Enum(&["vm", "storage", "node", "sdn"]))];

pub(crate) const POOLS: &[Parameter] = &[
    optional("poolid", Format(format::pool)),
    optional("type", Enum(&["qemu", "lxc", "storage"])),
];

pub(crate) const MACHINES: &[Parameter] = &[NODE, optional("full", Boolean)];

pub(crate) const NEXT_ID: &[Parameter] = &[optional("vmid", VMID)];

pub(crate) const STORAGES: &[Parameter] = &[
    NODE,
    optional("content", Format(format::content)),
    optional("enabled", Boolean),
    optional("format", Boolean),
    optional("storage", Format(format::storage)),
    optional("target", Format(format::node)),
];

const INTERFACE_TYPES: &[&str] = &[
    "bridge",
    "bond",
    "eth",
    "alias",
    "vlan",
    "fabric",
    "OVSBridge",
    "OVSBond",
    "OVSPort",
    "OVSIntPort",
    "vnet",
    "any_bridge",
    "any_local_bridge",
    "include_sdn",
];

pub(crate) const NETWORKS: &[Parameter] = &[NODE, optional("type", Enum(INTERFACE_TYPES))];

pub(crate) const CONTENT: &[Parameter] = &[
    NODE,
    required("storage", Format(format::storage)),
    optional("content", Format(format::content)),
    optional("vmid", VMID),
];

pub(crate) const DOWNLOAD: &[Parameter] = &[
    NODE,
    required("storage", Format(format::storage)),
    required("template", text(255)),
];

pub(crate) const START: &[Parameter] = &[
    NODE,
    GUEST,
    optional("debug", Boolean),
    optional("skiplock", Boolean),
];

pub(crate) const STOP: &[Parameter] = &[
    NODE,
    GUEST,
    optional("overrule-shutdown", Boolean),
    optional("skiplock", Boolean),
];

pub(crate) const SHUTDOWN: &[Parameter] = &[
    NODE,
    GUEST,
    optional("forceStop", Boolean),
    optional("timeout", COUNT),
];

pub(crate) const REBOOT: &[Parameter] = &[NODE, GUEST, optional("timeout", COUNT)];

pub(crate) const DELETE: &[Parameter] = &[
    NODE,
    GUEST,
    optional("destroy-unreferenced-disks", Boolean),
    optional("force", Boolean),
    optional("purge", Boolean),
];

pub(crate) const READ_CONFIG: &[Parameter] = &[
    NODE,
    GUEST,
    optional("current", Boolean),
    optional("snapshot", text(40)),
];

pub(crate) const TASK_LOG: &[Parameter] = &[
    NODE,
    UPID,
    optional("download", Boolean),
    optional("limit", COUNT),
    optional("start", COUNT),
];

pub(crate) const TASKS: &[Parameter] = &[
    NODE,
    optional("errors", Boolean),
    optional("limit", COUNT),
    optional("since", COUNT),
    optional("source", Enum(&["archive", "active", "all"])),
    optional("start", COUNT),
    optional("statusfilter", ANY),
    optional("typefilter", ANY),
    optional("until", COUNT),
    optional("userfilter", ANY),
    optional("vmid", VMID),
];
