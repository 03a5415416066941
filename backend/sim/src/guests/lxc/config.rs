//! The LXC configuration of a guest: what Proxmox would derive from the container's options.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

use super::super::GuestSpec;
use super::paths::LabPaths;

/// Which control groups this machine has, which decides how limits are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cgroups {
    /// The unified hierarchy.
    Unified,
    /// One hierarchy a controller; memory and swap are limited together where the kernel accounts swap.
    Legacy { swap: bool },
}

impl Cgroups {
    pub(super) fn of_this_machine() -> Self {
        if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            return Self::Unified;
        }
        Self::Legacy {
            swap: Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists(),
        }
    }

    /// The file that tells the memory in use, in bytes.
    pub(super) fn memory_in_use(self) -> &'static str {
        match self {
            Self::Unified => "memory.current",
            Self::Legacy { .. } => "memory.usage_in_bytes",
        }
    }

    fn limits(self, spec: &GuestSpec) -> String {
        let mut text = self.memory_limits(spec);
        let available = available_parallelism().map_or(1, NonZero::get);
        if let Some(cpus) = cpus(spec.vmid, spec.cores, available) {
            let key = if self == Self::Unified {
                "cgroup2"
            } else {
                "cgroup"
            };
            let _ = writeln!(text, "lxc.{key}.cpuset.cpus = {cpus}");
        }
        text
    }

    fn memory_limits(self, spec: &GuestSpec) -> String {
        match self {
            Self::Unified => format!(
                "lxc.cgroup2.memory.max = {}\nlxc.cgroup2.memory.swap.max = {}\n",
                spec.memory, spec.swap
            ),
            Self::Legacy { swap } => {
                let mut text = format!("lxc.cgroup.memory.limit_in_bytes = {}\n", spec.memory);
                if swap {
                    let both = spec.memory.saturating_add(spec.swap);
                    // Written after the other limit: the kernel refuses a sum below it.
                    let _ = writeln!(text, "lxc.cgroup.memory.memsw.limit_in_bytes = {both}");
                }
                text
            }
        }
    }
}

/// The configuration file of a guest.
pub(super) fn render(spec: &GuestSpec, lab: &LabPaths, cgroups: Cgroups) -> String {
    // Without nesting the guest may look at /proc, /sys and its control groups, and change none of it:
    // dockerd does not start there, as on Proxmox.
    let mounts = if spec.nesting {
        "proc:rw sys:rw cgroup:rw:force"
    } else {
        "proc:mixed sys:ro cgroup:ro:force"
    };
    format!(
        "lxc.uts.name = {hostname}\n\
         lxc.arch = amd64\n\
         lxc.rootfs.path = dir:{root}\n\
         lxc.rootfs.options = idmap=container\n\
         lxc.idmap = u 0 {ids} 65536\n\
         lxc.idmap = g 0 {ids} 65536\n\
         lxc.mount.auto = {mounts}\n\
         lxc.apparmor.profile = unconfined\n\
         lxc.signal.halt = SIGUSR2\n\
         lxc.tty.max = 0\n\
         lxc.pty.max = 1024\n\
         lxc.net.0.type = veth\n\
         lxc.net.0.link = {bridge}\n\
         lxc.net.0.veth.pair = {pair}\n\
         lxc.net.0.name = eth0\n\
         lxc.net.0.flags = up\n\
         lxc.net.0.hwaddr = {hwaddr}\n\
         {limits}",
        hostname = spec.hostname,
        root = lab.disk(spec.vmid).display(),
        ids = lab.id_start,
        bridge = lab.bridge,
        pair = pair_name(lab.number, spec.vmid),
        hwaddr = spec.hwaddr.to_lowercase(),
        limits = cgroups.limits(spec),
    )
}

/// The processors that a guest of so many cores is bound to: Proxmox deals them out likewise, so that
/// `nproc` in the guest tells its cores. `None` when it has all of them.
fn cpus(vmid: u32, cores: Option<u32>, available: usize) -> Option<String> {
    let cores = usize::try_from(cores?)
        .ok()
        .filter(|cores| (1..available).contains(cores))?;
    // Different guests start at different processors.
    let first = usize::try_from(vmid).ok()? * cores;
    let mut chosen: Vec<usize> = (first..first + cores)
        .map(|number| number % available)
        .collect();
    chosen.sort_unstable();
    Some(
        chosen
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    )
}

/// Name of the interface on this machine's side. Linux allows 15 characters: `pxl63v999999999` just fits.
fn pair_name(lab: u8, vmid: u32) -> String {
    format!("pxl{lab}v{vmid}")
}

/// The MAC address that a configuration names.
pub(super) fn hwaddr(config: &str) -> Option<&str> {
    config
        .lines()
        .find_map(|line| line.strip_prefix("lxc.net.0.hwaddr = "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn spec(vmid: u32) -> GuestSpec {
        GuestSpec {
            vmid,
            node: "pve1".to_owned(),
            hostname: format!("guest-{vmid}"),
            template: "alpine-3.23-default_20260116_amd64.tar.xz".to_owned(),
            disk: 4 << 30,
            memory: 1 << 30,
            swap: 512 << 20,
            cores: Some(1),
            hwaddr: format!("BC:24:11:00:{:02X}:{:02X}", vmid >> 8 & 0xff, vmid & 0xff),
            bridge: "vmbr0".to_owned(),
            address: None,
            gateway: None,
            nesting: true,
            keyctl: false,
        }
    }

    #[test]
    fn docker_needs_what_nesting_mounts() {
        let lab = super::super::paths::tests::example();
        let with = render(&spec(101), &lab, Cgroups::Unified);
        assert!(
            with.contains("lxc.mount.auto = proc:rw sys:rw cgroup:rw:force\n"),
            "{with}"
        );
        let without = render(
            &GuestSpec {
                nesting: false,
                ..spec(101)
            },
            &lab,
            Cgroups::Unified,
        );
        assert!(!without.contains("cgroup:rw"), "{without}");
    }

    #[test]
    fn limits_are_written_for_the_kernels_own_kind_of_control_groups() {
        assert_eq!(
            Cgroups::Unified.memory_limits(&spec(101)),
            "lxc.cgroup2.memory.max = 1073741824\nlxc.cgroup2.memory.swap.max = 536870912\n"
        );
        assert_eq!(
            Cgroups::Legacy { swap: true }.memory_limits(&spec(101)),
            "lxc.cgroup.memory.limit_in_bytes = 1073741824\nlxc.cgroup.memory.memsw.limit_in_bytes = 1610612736\n"
        );
        assert_eq!(
            Cgroups::Legacy { swap: false }.memory_limits(&spec(101)),
            "lxc.cgroup.memory.limit_in_bytes = 1073741824\n"
        );
    }

    #[test]
    fn cores_are_dealt_out_in_turn() {
        assert_eq!(cpus(100, Some(1), 2).as_deref(), Some("0"));
        assert_eq!(cpus(101, Some(1), 2).as_deref(), Some("1"));
        assert_eq!(cpus(101, Some(3), 4).as_deref(), Some("0,1,3"));
        assert_eq!(cpus(101, Some(4), 4), None);
        assert_eq!(cpus(101, None, 4), None);
    }

    #[test]
    fn names_of_interfaces_fit_into_what_linux_allows() {
        assert!(pair_name(63, 999_999_999).len() <= 15);
    }

    #[test]
    fn the_address_is_found_again() {
        let text = render(
            &spec(101),
            &super::super::paths::tests::example(),
            Cgroups::Unified,
        );
        assert_eq!(hwaddr(&text), Some("bc:24:11:00:00:65"));
    }
}
