//! The life of a container: start, stop, remove, grow.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::request::Request;
use crate::{Client, NodeName, Result, Upid, Vmid};

/// How thoroughly a container is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeleteOptions {
    /// Even while it runs. A locked one is not removed even so.
    pub force: bool,
    /// Also from backup jobs, replication and high availability.
    pub purge: bool,
    /// Also disks with its number that its configuration does not name.
    pub unreferenced_disks: bool,
}

pub(crate) fn start(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::StartContainer, node, vmid)
}

pub(crate) fn shutdown(
    node: &NodeName,
    vmid: Vmid,
    timeout: Duration,
    force_stop: bool,
) -> Request {
    Request::guest(Endpoint::ShutdownContainer, node, vmid)
        .with("timeout", timeout.as_secs())
        .with_flag("forceStop", force_stop)
}

pub(crate) fn stop(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::StopContainer, node, vmid)
}

pub(crate) fn reboot(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::RebootContainer, node, vmid)
}

pub(crate) fn delete(node: &NodeName, vmid: Vmid, options: DeleteOptions) -> Request {
    Request::guest(Endpoint::DeleteContainer, node, vmid)
        .with_flag("force", options.force)
        .with_flag("purge", options.purge)
        .with_flag("destroy-unreferenced-disks", options.unreferenced_disks)
}

pub(crate) fn grow_rootfs(node: &NodeName, vmid: Vmid, gib: u32) -> Request {
    Request::guest(Endpoint::ResizeDisk, node, vmid)
        .with("disk", "rootfs")
        .with("size", format!("+{gib}G"))
}

impl Client {
    /// Starts it. Of one that runs, [`Error::AlreadyRunning`](crate::Error::AlreadyRunning), at once or in the task.
    pub async fn start_container(&self, node: &NodeName, vmid: Vmid) -> Result<Upid> {
        self.start(&start(node, vmid)).await
    }

    /// Asks it to shut down and waits so long, in whole seconds; then it is stopped, or with `force_stop` off the task fails.
    pub async fn shutdown_container(
        &self,
        node: &NodeName,
        vmid: Vmid,
        timeout: Duration,
        force_stop: bool,
    ) -> Result<Upid> {
        self.start(&shutdown(node, vmid, timeout, force_stop)).await
    }

    /// Stops it at once, as by pulling the plug.
    pub async fn stop_container(&self, node: &NodeName, vmid: Vmid) -> Result<Upid> {
        self.start(&stop(node, vmid)).await
    }

    /// Shuts it down and starts it again, which applies pending changes.
    pub async fn reboot_container(&self, node: &NodeName, vmid: Vmid) -> Result<Upid> {
        self.start(&reboot(node, vmid)).await
    }

    /// Removes it with its disks. Numbers are reused at once: prove whose container it is before.
    pub async fn delete_container(
        &self,
        node: &NodeName,
        vmid: Vmid,
        options: DeleteOptions,
    ) -> Result<Upid> {
        self.start(&delete(node, vmid, options)).await
    }

    /// Makes its root disk larger by so many GiB. Disks never shrink.
    pub async fn grow_rootfs(&self, node: &NodeName, vmid: Vmid, gib: u32) -> Result<Upid> {
        self.start(&grow_rootfs(node, vmid, gib)).await
    }
}
