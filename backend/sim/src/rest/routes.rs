//! All calls that the simulated cluster answers; whatever is not here is 501.

use std::collections::BTreeMap;

use super::form;
use crate::schema::Parameter;
use crate::schema::calls as tables;
use crate::schema::container::{CHANGE, CREATION, OPTIONS};

/// Names of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Login,
    Permissions,
    Version,
    Resources,
    ClusterStatus,
    NextId,
    Pools,
    Nodes,
    NodeStatus,
    Networks,
    Machines,
    Storages,
    Content,
    TemplateIndex,
    DownloadTemplate,
    Containers,
    CreateContainer,
    DeleteContainer,
    StartContainer,
    StopContainer,
    ShutdownContainer,
    RebootContainer,
    ContainerConfig,
    SetContainerConfig,
    ContainerStatus,
    Interfaces,
    Tasks,
    TaskStatus,
    TaskLog,
    StopTask,
}

impl Call {
    /// Whether it leaves its work to a task.
    pub(crate) const fn forks(self) -> bool {
        matches!(
            self,
            Self::DownloadTemplate
                | Self::CreateContainer
                | Self::DeleteContainer
                | Self::StartContainer
                | Self::StopContainer
                | Self::ShutdownContainer
                | Self::RebootContainer
        )
    }
}

/// One call: where it is, what it takes, where its faults attach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    pub(crate) call: Call,
    pub(crate) tables: &'static [&'static [Parameter]],
    pub(crate) place: Option<&'static str>,
    /// Whether it asks for no login.
    pub(crate) open: bool,
}

const fn route(
    method: &'static str,
    path: &'static str,
    call: Call,
    tables: &'static [&'static [Parameter]],
    place: &'static str,
) -> Route {
    Route {
        method,
        path,
        call,
        tables,
        place: if place.is_empty() { None } else { Some(place) },
        open: matches!(call, Call::Login),
    }
}

#[rustfmt::skip] // one line a call: this is a table
const ROUTES: &[Route] = &[
    route("POST", "/access/ticket", Call::Login, &[tables::LOGIN], "login"),
    route("GET", "/access/permissions", Call::Permissions, &[tables::PERMISSIONS], ""),
    route("GET", "/version", Call::Version, &[tables::NOTHING], "version"),
    route("GET", "/pools", Call::Pools, &[tables::POOLS], ""),
    route("GET", "/cluster/resources", Call::Resources, &[tables::RESOURCES], "resources"),
    route("GET", "/cluster/status", Call::ClusterStatus, &[tables::NOTHING], "cluster_status"),
    route("GET", "/cluster/nextid", Call::NextId, &[tables::NEXT_ID], "next_id"),
    route("GET", "/nodes", Call::Nodes, &[tables::NOTHING], ""),
    route("GET", "/nodes/{node}/status", Call::NodeStatus, &[tables::ON_NODE], "node_status"),
    route("GET", "/nodes/{node}/version", Call::Version, &[tables::ON_NODE], "version"),
    route("GET", "/nodes/{node}/network", Call::Networks, &[tables::NETWORKS], "networks"),
    route("GET", "/nodes/{node}/qemu", Call::Machines, &[tables::MACHINES], ""),
    route("GET", "/nodes/{node}/storage", Call::Storages, &[tables::STORAGES], "storages"),
    route("GET", "/nodes/{node}/storage/{storage}/content", Call::Content, &[tables::CONTENT], "templates"),
    route("GET", "/nodes/{node}/aplinfo", Call::TemplateIndex, &[tables::ON_NODE], "template_index"),
    route("POST", "/nodes/{node}/aplinfo", Call::DownloadTemplate, &[tables::DOWNLOAD], "download_template"),
    route("GET", "/nodes/{node}/lxc", Call::Containers, &[tables::ON_NODE], ""),
    route("POST", "/nodes/{node}/lxc", Call::CreateContainer, &[CREATION, OPTIONS], "create_container"),
    route("DELETE", "/nodes/{node}/lxc/{vmid}", Call::DeleteContainer, &[tables::DELETE], "delete_container"),
    route("POST", "/nodes/{node}/lxc/{vmid}/status/start", Call::StartContainer, &[tables::START], "start_container"),
    route("POST", "/nodes/{node}/lxc/{vmid}/status/stop", Call::StopContainer, &[tables::STOP], "stop_container"),
    route("POST", "/nodes/{node}/lxc/{vmid}/status/shutdown", Call::ShutdownContainer, &[tables::SHUTDOWN], "shutdown_container"),
    route("POST", "/nodes/{node}/lxc/{vmid}/status/reboot", Call::RebootContainer, &[tables::REBOOT], ""),
    route("GET", "/nodes/{node}/lxc/{vmid}/status/current", Call::ContainerStatus, &[tables::ON_GUEST], "container_status"),
    route("GET", "/nodes/{node}/lxc/{vmid}/config", Call::ContainerConfig, &[tables::READ_CONFIG], "container_config"),
    route("PUT", "/nodes/{node}/lxc/{vmid}/config", Call::SetContainerConfig, &[CHANGE, OPTIONS], "set_container_config"),
    route("GET", "/nodes/{node}/lxc/{vmid}/interfaces", Call::Interfaces, &[tables::ON_GUEST], "interfaces"),
    route("GET", "/nodes/{node}/tasks", Call::Tasks, &[tables::TASKS], "tasks"),
    route("DELETE", "/nodes/{node}/tasks/{upid}", Call::StopTask, &[tables::ON_TASK], "stop_task"),
    route("GET", "/nodes/{node}/tasks/{upid}/status", Call::TaskStatus, &[tables::ON_TASK], "task_status"),
    route("GET", "/nodes/{node}/tasks/{upid}/log", Call::TaskLog, &[tables::TASK_LOG], "task_log"),
];

/// Method, path and tables of every call.
#[cfg(test)]
pub(crate) fn all()
-> impl Iterator<Item = (&'static str, &'static str, &'static [&'static [Parameter]])> {
    ROUTES
        .iter()
        .map(|route| (route.method, route.path, route.tables))
}

/// The call at a method and path, with what the path's variable parts hold.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Route, BTreeMap<String, String>)> {
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| Some((route, captures(route.path, path)?)))
}

fn captures(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut given = path.split('/');
    for wanted in pattern.split('/') {
        let part = given.next()?;
        match wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) => {
                let value = form::percent_bytes(part).ok().filter(|v| !v.is_empty())?;
                found.insert(name.to_owned(), value);
            }
            None if wanted == part => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_calls_and_decodes_their_path() {
        let (route, found) = find("GET", "/nodes/pve1/tasks/UPID%3Apve1%3Ax%40pam%3A/log").unwrap();
        assert_eq!(route.call, Call::TaskLog);
        assert_eq!(found["upid"], "UPID:pve1:x@pam:");
        assert!(find("GET", "/nodes/pve1/lxc/101").is_none());
        assert!(find("PATCH", "/nodes/pve1/lxc").is_none());
        assert!(find("GET", "/nodes//lxc").is_none());
    }

    #[test]
    fn every_rest_place_has_a_call() {
        let mut places: Vec<_> = ROUTES.iter().filter_map(|route| route.place).collect();
        places.sort_unstable();
        places.dedup();
        let mut known = crate::faults::REST_PLACES.to_vec();
        known.sort_unstable();
        assert_eq!(places, known);
    }
}
