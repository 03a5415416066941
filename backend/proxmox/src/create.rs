//! Making a container: everything that is said in the one call, checked before it is sent.

use std::net::IpAddr;

use crate::endpoint::Endpoint;
use crate::request::{Request, joined};
use crate::wrong::Wrong;
use crate::{Client, Features, Net, NodeName, Result, StorageName, Upid, Vmid, validate};

/// A root disk to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDisk {
    /// Where; it has to hold `rootdir`.
    pub storage: StorageName,
    /// How large, in GiB.
    pub gib: u32,
}

/// A container to be made. It is always unprivileged, is not started, and has no root password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateContainer {
    /// Its number, which has to be free.
    pub vmid: Vmid,
    /// The template: `storage:vztmpl/file`. Whether it exists is found out only inside the task.
    pub ostemplate: String,
    /// Its host name; Proxmox takes `CT<vmid>` where none is given.
    pub hostname: Option<String>,
    /// What it may do. All but nesting is refused to everybody but `root@pam` by ticket.
    pub features: Features,
    /// Its root disk.
    pub rootfs: RootDisk,
    /// Processors; all of the node's where nothing is said.
    pub cores: Option<u32>,
    /// Memory in MiB, at least 16.
    pub memory: u64,
    /// Swap in MiB.
    pub swap: u64,
    /// Its interfaces, `net0` first.
    pub nets: Vec<Net>,
    /// Name servers; where neither these nor `searchdomains` are given, the node's settings are copied.
    pub nameservers: Vec<IpAddr>,
    /// Search domains.
    pub searchdomains: Vec<String>,
    /// Whether it is started with its node.
    pub onboot: bool,
    /// Whether it is protected from removal.
    pub protection: bool,
    /// The pool it is put in.
    pub pool: Option<String>,
    /// Its tags, in lower case. Proxmox sorts them.
    pub tags: Vec<String>,
    /// Its description, at most 8192 bytes. Written in the same call as the container, so it can prove whose it is.
    pub description: Option<String>,
    /// The distribution (`alpine`, …); found out by Proxmox where nothing is said.
    pub ostype: Option<String>,
    /// `host`, or a zone's name such as `Europe/Vienna`.
    pub timezone: Option<String>,
}

const OSTYPES: [&str; 11] = [
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

impl CreateContainer {
    /// The least that has to be said: 512 MiB of memory and swap, no interface.
    pub fn new(vmid: Vmid, ostemplate: impl Into<String>, rootfs: RootDisk) -> Self {
        Self {
            vmid,
            ostemplate: ostemplate.into(),
            hostname: None,
            features: Features::none(),
            rootfs,
            cores: None,
            memory: 512,
            swap: 512,
            nets: Vec::new(),
            nameservers: Vec::new(),
            searchdomains: Vec::new(),
            onboot: false,
            protection: false,
            pool: None,
            tags: Vec::new(),
            description: None,
            ostype: None,
            timezone: None,
        }
    }

    /// Everything that is wrong with it, as [`Error::Invalid`](crate::Error::Invalid) with Proxmox's names of the parameters.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Wrong::default();
        wrong.unless(
            "ostemplate",
            validate::is_template_volume(&self.ostemplate),
            "not of the form storage:vztmpl/file",
        );
        wrong.hostname(self.hostname.as_deref());
        wrong.unless("rootfs", self.rootfs.gib >= 1, "less than 1 GiB");
        wrong.cores(self.cores);
        wrong.memory(Some(self.memory));
        wrong.unless("net", self.nets.len() <= 32, "more than 32 interfaces");
        for (index, net) in self.nets.iter().enumerate() {
            wrong.net(index, net);
        }
        wrong.domains(&self.searchdomains);
        wrong.unless(
            "pool",
            self.pool.as_deref().is_none_or(validate::is_pool),
            "not a pool's name",
        );
        wrong.tags(&self.tags);
        wrong.description(self.description.as_deref());
        wrong.unless(
            "ostype",
            self.ostype
                .as_deref()
                .is_none_or(|ostype| OSTYPES.contains(&ostype)),
            "not one that Proxmox knows",
        );
        let zone = |zone: &str| {
            (1..=64).contains(&zone.len())
                && zone
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte))
        };
        wrong.unless(
            "timezone",
            self.timezone.as_deref().is_none_or(zone),
            "not a time zone",
        );
        wrong.into_result()
    }
}

pub(crate) fn create_container(node: &NodeName, container: &CreateContainer) -> Result<Request> {
    container.check()?;
    let mut request = Request::on(Endpoint::CreateContainer, node)
        .with("vmid", container.vmid)
        .with("ostemplate", &container.ostemplate)
        // Said always: up to 8.4 the default was a privileged container.
        .with("unprivileged", 1)
        .with(
            "rootfs",
            format!("{}:{}", container.rootfs.storage, container.rootfs.gib),
        )
        .with("memory", container.memory)
        .with("swap", container.swap)
        .with_some("cores", container.cores)
        .with_some("hostname", container.hostname.as_ref())
        // Even an empty value of `features` is refused to others than root.
        .with_some(
            "features",
            Some(&container.features).filter(|features| !features.is_empty()),
        )
        .with_some("nameserver", joined(&container.nameservers, " "))
        .with_some("searchdomain", joined(&container.searchdomains, " "))
        .with_flag("onboot", container.onboot)
        .with_flag("protection", container.protection)
        .with_some("pool", container.pool.as_ref())
        .with_some("tags", joined(&container.tags, ";"))
        .with_some("description", container.description.as_ref())
        .with_some("ostype", container.ostype.as_ref())
        .with_some("timezone", container.timezone.as_ref());
    for (index, net) in container.nets.iter().enumerate() {
        request = request.with(format!("net{index}"), net);
    }
    Ok(request)
}

impl Client {
    /// Makes a container. When the task is known, its number is taken and its configuration (tags and description
    /// included) is written, locked by `create`; when the task fails, Proxmox removes all of it again.
    pub async fn create_container(
        &self,
        node: &NodeName,
        container: &CreateContainer,
    ) -> Result<Upid> {
        self.start(&create_container(node, container)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn container() -> CreateContainer {
        let rootfs = RootDisk {
            storage: "local-lvm".parse().unwrap(),
            gib: 8,
        };
        CreateContainer::new(Vmid::MIN, "local:vztmpl/alpine.tar.xz", rootfs)
    }

    fn value(container: &CreateContainer, name: &str) -> Option<String> {
        let request = create_container(&"pve".parse().unwrap(), container).unwrap();
        request
            .parameters()
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }

    #[test]
    fn it_is_unprivileged_and_says_nothing_needless() {
        let container = container();
        assert_eq!(value(&container, "unprivileged").as_deref(), Some("1"));
        assert_eq!(value(&container, "rootfs").as_deref(), Some("local-lvm:8"));
        for name in [
            "features",
            "tags",
            "net0",
            "pool",
            "hostname",
            "nameserver",
            "onboot",
            "start",
            "password",
        ] {
            assert_eq!(value(&container, name), None, "{name}");
        }
    }

    #[test]
    fn lists_are_joined_as_proxmox_reads_them() {
        let container = CreateContainer {
            tags: vec!["proximity".to_owned(), "web".to_owned()],
            nameservers: vec!["1.1.1.1".parse().unwrap(), "fd00::1".parse().unwrap()],
            nets: vec![Net::dhcp("eth0", "vmbr0")],
            features: Features::nesting(),
            ..container()
        };
        assert_eq!(value(&container, "tags").as_deref(), Some("proximity;web"));
        assert_eq!(
            value(&container, "nameserver").as_deref(),
            Some("1.1.1.1 fd00::1")
        );
        assert_eq!(
            value(&container, "net0").as_deref(),
            Some("name=eth0,bridge=vmbr0,ip=dhcp")
        );
        assert_eq!(value(&container, "features").as_deref(), Some("nesting=1"));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let container = CreateContainer {
            ostemplate: "/root/x.tar".to_owned(),
            hostname: Some("a_b".to_owned()),
            rootfs: RootDisk {
                storage: "local".parse().unwrap(),
                gib: 0,
            },
            cores: Some(0),
            memory: 15,
            nets: vec![Net::dhcp("eth0", "a b")],
            searchdomains: vec!["x y".to_owned()],
            pool: Some("a b".to_owned()),
            tags: vec!["A".to_owned()],
            description: Some("x".repeat(8193)),
            ostype: Some("windows".to_owned()),
            timezone: Some("; rm".to_owned()),
            ..container()
        };
        let Err(Error::Invalid { errors, .. }) = container.check() else {
            panic!("not Invalid")
        };
        let names: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "cores",
                "description",
                "hostname",
                "memory",
                "net0",
                "ostemplate",
                "ostype",
                "pool",
                "rootfs",
                "searchdomain",
                "tags",
                "timezone"
            ]
        );
        assert!(
            CreateContainer {
                description: Some("x".repeat(8192)),
                ..self::container()
            }
            .check()
            .is_ok()
        );
    }
}
