//! Every request that this client can send, so that they can be held against Proxmox's own description of its API.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::change::{ConfigChange, set_container_config};
use crate::config::container_config;
use crate::create::{CreateContainer, RootDisk, create_container};
use crate::endpoint::Endpoint;
use crate::request::Request;
use crate::task::{TaskFilter, TaskSource, stop_task, task_log, task_status, tasks};
use crate::{
    DeleteOptions, Feature, Features, Ipv6, Net, Upid, Vmid, bridge, container, guest, interface,
    node, session, snapshot, status, storage, template,
};

/// One request with everything that it can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestShape {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Below `/api2/json`, with its variables in braces.
    pub path: &'static str,
    /// The variables of the path with values as they are sent (before encoding).
    pub variables: Vec<(&'static str, String)>,
    /// Parameters with values as they are sent (before encoding).
    pub parameters: Vec<(String, String)>,
}

impl From<Request> for RequestShape {
    fn from(request: Request) -> Self {
        Self {
            method: request.endpoint().method().to_string(),
            path: request.endpoint().path(),
            variables: request.variables().to_vec(),
            parameters: request.parameters().to_vec(),
        }
    }
}

/// Every request, each made by the function that makes it in earnest, with every parameter set, and some with few.
pub fn requests() -> Vec<RequestShape> {
    all().into_iter().map(RequestShape::from).collect()
}

const SAMPLE: &str = "the samples are valid";

fn all() -> Vec<Request> {
    let node = "pve1".parse().expect(SAMPLE);
    let storage: crate::StorageName = "local-lvm".parse().expect(SAMPLE);
    let vmid = Vmid::MIN;
    let upid: Upid = "UPID:pve1:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:svc@pve!catalog:"
        .parse()
        .expect(SAMPLE);
    let least = CreateContainer::new(
        vmid,
        "local:vztmpl/alpine.tar.xz",
        RootDisk {
            storage: storage.clone(),
            gib: 8,
        },
    );
    let filter = |source| TaskFilter {
        vmid: Some(vmid),
        kind: Some("vzcreate".to_owned()),
        since: Some(1_760_602_811),
        source,
    };
    vec![
        session::create_ticket("root@pam", &"secret".into()),
        Request::new(Endpoint::Permissions),
        Request::new(Endpoint::Version),
        guest::resources("vm"),
        guest::resources("node"),
        Request::new(Endpoint::ClusterStatus),
        guest::next_vmid(None),
        guest::next_vmid(Some(vmid)),
        node::node_status(&node),
        storage::storages(&node),
        template::templates(&node, &storage),
        bridge::bridges(&node),
        template::template_index(&node),
        template::download_template(&node, &storage, "alpine-3.23-default_20260116_amd64.tar.xz")
            .expect(SAMPLE),
        create_container(&node, &least).expect(SAMPLE),
        create_container(&node, &everything(least)).expect(SAMPLE),
        container::delete(&node, vmid, DeleteOptions::default()),
        container::delete(
            &node,
            vmid,
            DeleteOptions {
                force: true,
                purge: true,
                unreferenced_disks: true,
            },
        ),
        container_config(&node, vmid),
        set_container_config(&node, vmid, &change()).expect(SAMPLE),
        status::container_status(&node, vmid),
        container::start(&node, vmid),
        container::shutdown(&node, vmid, Duration::from_mins(1), true),
        container::stop(&node, vmid),
        container::reboot(&node, vmid),
        interface::interfaces(&node, vmid),
        container::grow_rootfs(&node, vmid, 4),
        snapshot::snapshots(&node, vmid),
        snapshot::create_snapshot(&node, vmid, "before-upgrade", "Before the upgrade")
            .expect(SAMPLE),
        snapshot::delete_snapshot(&node, vmid, "before-upgrade").expect(SAMPLE),
        snapshot::roll_back(&node, vmid, "before-upgrade").expect(SAMPLE),
        tasks(&node, &filter(TaskSource::All)),
        tasks(&node, &filter(TaskSource::Active)),
        tasks(&node, &filter(TaskSource::Archive)),
        task_status(&upid),
        task_log(&upid, 50),
        stop_task(&upid),
    ]
}

fn features() -> Features {
    let all = [
        Feature::Nesting,
        Feature::Keyctl,
        Feature::Fuse,
        Feature::Mknod,
        Feature::ForceRwSys,
    ];
    let mounts: Features = "mount=nfs;cifs".parse().expect(SAMPLE);
    all.into_iter().fold(mounts, Features::with)
}

fn nets() -> Vec<Net> {
    let address = "10.0.0.5".parse().expect(SAMPLE);
    let fixed = Net {
        hwaddr: Some("BC:24:11:AA:BB:CC".to_owned()),
        ipv6: Ipv6::Static {
            address: "fd00::5".parse().expect(SAMPLE),
            prefix: 64,
            gateway: Some("fd00::1".parse().expect(SAMPLE)),
        },
        firewall: true,
        mtu: Some(1400),
        ..Net::fixed(
            "eth1",
            "vmbr0",
            address,
            24,
            Some("10.0.0.1".parse().expect(SAMPLE)),
        )
        .in_vlan(20)
    };
    vec![
        Net {
            ipv6: Ipv6::Auto,
            ..Net::dhcp("eth0", "vmbr0")
        },
        fixed,
    ]
}

fn everything(least: CreateContainer) -> CreateContainer {
    CreateContainer {
        hostname: Some("web.lan".to_owned()),
        features: features(),
        cores: Some(2),
        nets: nets(),
        nameservers: vec![
            "1.1.1.1".parse().expect(SAMPLE),
            "fd00::53".parse().expect(SAMPLE),
        ],
        searchdomains: vec!["lan".to_owned(), "example.org".to_owned()],
        onboot: true,
        protection: true,
        pool: Some("apps".to_owned()),
        tags: vec!["proximity".to_owned(), "web_1".to_owned()],
        description: Some("An app\nwith \"everything\" = 100%".to_owned()),
        ostype: Some("alpine".to_owned()),
        timezone: Some("Europe/Vienna".to_owned()),
        ..least
    }
}

fn change() -> ConfigChange {
    ConfigChange {
        digest: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        hostname: Some("web".to_owned()),
        tags: Some(vec!["proximity".to_owned()]),
        description: Some("text".to_owned()),
        memory: Some(1024),
        swap: Some(0),
        cores: Some(4),
        onboot: Some(false),
        protection: Some(true),
        features: Some(Features::nesting()),
        nets: BTreeMap::from([(0, Net::dhcp("eth0", "vmbr0"))]),
        nameservers: Some(vec!["1.1.1.1".parse().expect(SAMPLE)]),
        searchdomains: Some(vec!["lan".to_owned()]),
        delete: vec!["timezone".to_owned(), "net1".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_endpoint_is_forgotten() {
        let shown = all();
        for endpoint in Endpoint::ALL {
            assert!(
                shown.iter().any(|request| request.endpoint() == *endpoint),
                "{endpoint:?}"
            );
        }
    }

    #[test]
    fn every_path_is_filled_and_encoded() {
        for request in all() {
            let path = request.path();
            assert!(!path.contains(['{', '}', ':', '@', '!', ' ']), "{path}");
            assert_eq!(
                path.split('/').count(),
                request.endpoint().path().split('/').count()
            );
        }
    }
}
