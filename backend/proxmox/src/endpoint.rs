//! The table of everything that this client can ask.

use reqwest::Method;

macro_rules! endpoints {
    ($($name:ident = $method:ident $path:literal;)*) => {
        /// One method on one path. No request exists without one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Endpoint { $($name),* }

        impl Endpoint {
            /// Every endpoint, so that a test can prove that none is forgotten.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            pub(crate) fn method(self) -> Method {
                match self { $(Self::$name => Method::$method),* }
            }

            /// Below `/api2/json`, with its variables in braces.
            pub(crate) fn path(self) -> &'static str {
                match self { $(Self::$name => $path),* }
            }
        }
    };
}

endpoints! {
    CreateTicket       = POST   "/access/ticket";
    Permissions        = GET    "/access/permissions";
    Version            = GET    "/version";
    ClusterResources   = GET    "/cluster/resources";
    ClusterStatus      = GET    "/cluster/status";
    NextVmid           = GET    "/cluster/nextid";
    NodeStatus         = GET    "/nodes/{node}/status";
    Storages           = GET    "/nodes/{node}/storage";
    StorageContent     = GET    "/nodes/{node}/storage/{storage}/content";
    Networks           = GET    "/nodes/{node}/network";
    TemplateIndex      = GET    "/nodes/{node}/aplinfo";
    DownloadTemplate   = POST   "/nodes/{node}/aplinfo";
    CreateContainer    = POST   "/nodes/{node}/lxc";
    DeleteContainer    = DELETE "/nodes/{node}/lxc/{vmid}";
    ContainerConfig    = GET    "/nodes/{node}/lxc/{vmid}/config";
    SetContainerConfig = PUT    "/nodes/{node}/lxc/{vmid}/config";
    ContainerStatus    = GET    "/nodes/{node}/lxc/{vmid}/status/current";
    StartContainer     = POST   "/nodes/{node}/lxc/{vmid}/status/start";
    ShutdownContainer  = POST   "/nodes/{node}/lxc/{vmid}/status/shutdown";
    StopContainer      = POST   "/nodes/{node}/lxc/{vmid}/status/stop";
    RebootContainer    = POST   "/nodes/{node}/lxc/{vmid}/status/reboot";
    Interfaces         = GET    "/nodes/{node}/lxc/{vmid}/interfaces";
    ResizeDisk         = PUT    "/nodes/{node}/lxc/{vmid}/resize";
    Snapshots          = GET    "/nodes/{node}/lxc/{vmid}/snapshot";
    CreateSnapshot     = POST   "/nodes/{node}/lxc/{vmid}/snapshot";
    DeleteSnapshot     = DELETE "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}";
    RollBackSnapshot   = POST   "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback";
    Tasks              = GET    "/nodes/{node}/tasks";
    TaskStatus         = GET    "/nodes/{node}/tasks/{upid}/status";
    TaskLog            = GET    "/nodes/{node}/tasks/{upid}/log";
    StopTask           = DELETE "/nodes/{node}/tasks/{upid}";
}

impl Endpoint {
    /// Whether it may be sent again, and to another host, when nobody knows if it arrived. A login is a POST without effect.
    pub(crate) fn is_repeatable(self) -> bool {
        self.method() == Method::GET || self == Self::CreateTicket
    }

    /// Whether its path has this variable.
    pub(crate) fn names(self, variable: &str) -> bool {
        self.path().split('/').any(|part| {
            part.strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
                == Some(variable)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_is_repeatable() {
        let repeatable: Vec<_> = Endpoint::ALL
            .iter()
            .filter(|endpoint| endpoint.is_repeatable())
            .collect();
        assert!(repeatable.iter().all(
            |endpoint| endpoint.method() == Method::GET || **endpoint == Endpoint::CreateTicket
        ));
        assert!(
            !Endpoint::StartContainer.is_repeatable() && !Endpoint::DeleteContainer.is_repeatable()
        );
    }

    #[test]
    fn variables_are_found_whole() {
        assert!(Endpoint::StorageContent.names("storage") && Endpoint::TaskLog.names("upid"));
        assert!(!Endpoint::Storages.names("storage") && !Endpoint::TaskLog.names("up"));
    }
}
