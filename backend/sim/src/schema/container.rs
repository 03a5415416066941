//! The options of a container, as the create and the configuration call take them.

use super::Kind::{Boolean, Bounded, Enum, Format, Integer, Number, Properties, Text};
use super::{Kind, Parameter, format, optional, required};

/// A guest's number.
pub(crate) const VMID: Kind = Integer {
    min: 100,
    max: 999_999_999,
};

/// A name of so many characters at most, of no special form.
pub(crate) const fn text(max: usize) -> Kind {
    Text { min: 0, max }
}

const fn whole(min: i64, max: i64) -> Kind {
    Integer { min, max }
}

const NET: &[Parameter] = &[
    required("name", Format(format::interface)),
    optional("bridge", Format(format::interface)),
    optional("firewall", Boolean),
    optional("gw", Format(format::ipv4)),
    optional("gw6", Format(format::ipv6)),
    optional("host-managed", Boolean),
    optional("hwaddr", Format(format::mac)),
    optional("ip", Format(format::ipv4_config)),
    optional("ip6", Format(format::ipv6_config)),
    optional("link_down", Boolean),
    optional("mtu", whole(64, 65_535)),
    optional("rate", Number { min: 0.0, max: 1e9 }),
    optional("tag", whole(1, 4094)),
    optional("trunks", Format(format::numbers)),
    optional("type", Enum(&["veth"])),
];

const ROOTFS: &[Parameter] = &[
    required("volume", Format(format::mount)),
    optional("acl", Boolean),
    optional("idmap", text(255)),
    optional("mountoptions", Format(format::mount_options)),
    optional("quota", Boolean),
    optional("replicate", Boolean),
    optional("ro", Boolean),
    optional("shared", Boolean),
    optional("size", Format(format::disk_size)),
];

const MOUNT_POINT: &[Parameter] = &[
    required("volume", Format(format::mount)),
    required("mp", Format(format::mount)),
    optional("acl", Boolean),
    optional("backup", Boolean),
    optional("idmap", text(255)),
    optional("keepattrs", Boolean),
    optional("mountoptions", Format(format::mount_options)),
    optional("quota", Boolean),
    optional("replicate", Boolean),
    optional("ro", Boolean),
    optional("shared", Boolean),
    optional("size", Format(format::disk_size)),
];

const FEATURES: &[Parameter] = &[
    optional("force_rw_sys", Boolean),
    optional("fuse", Boolean),
    optional("keyctl", Boolean),
    optional("mknod", Boolean),
    optional("mount", Format(format::file_systems)),
    optional("nesting", Boolean),
];

const DEVICE: &[Parameter] = &[
    optional("path", Format(format::mount)),
    optional("deny-write", Boolean),
    optional("gid", whole(0, 1 << 31)),
    optional("mode", Format(format::file_mode)),
    optional("uid", whole(0, 1 << 31)),
];

const UNUSED: &[Parameter] = &[required("volume", Format(format::volume))];

const LOCKS: &[&str] = &[
    "backup",
    "create",
    "destroyed",
    "disk",
    "fstrim",
    "migrate",
    "mounted",
    "rollback",
    "snapshot",
    "snapshot-delete",
];

const OSTYPES: &[&str] = &[
    "debian",
    "devuan",
    "ubuntu",
    "centos",
    "fedora",
    "opensuse",
    "archlinux",
    "alpine",
    "gentoo",
    "nixos",
    "unmanaged",
];

const ARCHITECTURES: &[&str] = &["amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"];

/// What a configuration may hold.
pub(crate) const OPTIONS: &[Parameter] = &[
    optional("arch", Enum(ARCHITECTURES)),
    optional("cmode", Enum(&["shell", "console", "tty"])),
    optional("console", Boolean),
    optional("cores", whole(1, 8192)),
    optional(
        "cpulimit",
        Number {
            min: 0.0,
            max: 8192.0,
        },
    ),
    optional("cpuunits", whole(0, 500_000)),
    optional("debug", Boolean),
    optional("description", text(8192)),
    optional("dev[n]", Properties(DEVICE, Some("path"))),
    optional("entrypoint", Format(format::printable)),
    optional("env", Format(format::environment)),
    optional("features", Properties(FEATURES, None)),
    optional("hookscript", Format(format::volume)),
    optional("hostname", Bounded(255, format::dns_name)),
    optional("lock", Enum(LOCKS)),
    optional("memory", whole(16, i64::MAX)),
    optional("mp[n]", Properties(MOUNT_POINT, Some("volume"))),
    optional("nameserver", Format(format::nameservers)),
    optional("net[n]", Properties(NET, None)),
    optional("onboot", Boolean),
    optional("ostype", Enum(OSTYPES)),
    optional("protection", Boolean),
    optional("rootfs", Properties(ROOTFS, Some("volume"))),
    optional("searchdomain", Format(format::dns_name_list)),
    optional("startup", Format(format::startup)),
    optional("swap", whole(0, i64::MAX)),
    optional("tags", Format(format::tags)),
    optional("template", Boolean),
    optional("timezone", text(255)),
    optional("tty", whole(0, 6)),
    optional("unprivileged", Boolean),
    optional("unused[n]", Properties(UNUSED, Some("volume"))),
];

/// What only the create call takes, beside [`OPTIONS`].
pub(crate) const CREATION: &[Parameter] = &[
    required("node", Format(format::node)),
    required("ostemplate", text(255)),
    required("vmid", VMID),
    optional(
        "bwlimit",
        Number {
            min: 0.0,
            max: 1e12,
        },
    ),
    optional("force", Boolean),
    optional("ha-managed", Boolean),
    optional("ignore-unpack-errors", Boolean),
    optional("password", Text { min: 5, max: 4096 }),
    optional("pool", Format(format::pool)),
    optional("restore", Boolean),
    optional("ssh-public-keys", text(65_536)),
    optional("start", Boolean),
    optional("storage", Format(format::storage)),
    optional("unique", Boolean),
];

/// What only the configuration call takes, beside [`OPTIONS`].
pub(crate) const CHANGE: &[Parameter] = &[
    required("node", Format(format::node)),
    required("vmid", VMID),
    optional("delete", Format(format::option_names)),
    optional("digest", text(40)),
    optional("revert", Format(format::option_names)),
];
