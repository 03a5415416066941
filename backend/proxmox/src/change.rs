//! A change of a container's configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::endpoint::Endpoint;
use crate::request::{Request, joined};
use crate::wrong::Wrong;
use crate::{Client, Features, Net, NodeName, Result, Vmid, validate};

/// What to change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigChange {
    /// The digest of the configuration that was read; when it has changed since, nothing is done.
    pub digest: Option<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// All tags.
    pub tags: Option<Vec<String>>,
    /// Description.
    pub description: Option<String>,
    /// Memory in MiB.
    pub memory: Option<u64>,
    /// Swap in MiB.
    pub swap: Option<u64>,
    /// Processors.
    pub cores: Option<u32>,
    /// Whether it is started with its node.
    pub onboot: Option<bool>,
    /// Whether it is protected from removal.
    pub protection: Option<bool>,
    /// What it may do; applied when it is started next.
    pub features: Option<Features>,
    /// Interfaces by number, each whole: an omitted MAC address means a new one.
    pub nets: BTreeMap<u32, Net>,
    /// Name servers.
    pub nameservers: Option<Vec<IpAddr>>,
    /// Search domains.
    pub searchdomains: Option<Vec<String>>,
    /// Keys to remove.
    pub delete: Vec<String>,
}

impl ConfigChange {
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Wrong::default();
        let digest = |digest: &str| {
            digest.len() <= 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        wrong.unless(
            "digest",
            self.digest.as_deref().is_none_or(digest),
            "not a digest",
        );
        wrong.hostname(self.hostname.as_deref());
        wrong.tags(self.tags.as_deref().unwrap_or_default());
        wrong.description(self.description.as_deref());
        wrong.memory(self.memory);
        wrong.cores(self.cores);
        for (number, net) in &self.nets {
            wrong.unless("net", *number < 32, "not net0 to net31");
            wrong.net(usize::try_from(*number).unwrap_or(usize::MAX), net);
        }
        wrong.domains(self.searchdomains.as_deref().unwrap_or_default());
        wrong.unless(
            "delete",
            self.delete.iter().all(|key| validate::is_config_key(key)),
            "not keys of a configuration",
        );
        wrong.into_result()
    }
}

pub(crate) fn set_container_config(
    node: &NodeName,
    vmid: Vmid,
    change: &ConfigChange,
) -> Result<Request> {
    change.check()?;
    // An empty list is said by removing the key.
    let mut delete = change.delete.clone();
    let mut list = |name: &str, given: bool, value: Option<String>| {
        if given && value.is_none() {
            delete.push(name.to_owned());
        }
        value
    };
    let tags = list(
        "tags",
        change.tags.is_some(),
        change.tags.as_deref().and_then(|tags| joined(tags, ";")),
    );
    let servers = list(
        "nameserver",
        change.nameservers.is_some(),
        change
            .nameservers
            .as_deref()
            .and_then(|list| joined(list, " ")),
    );
    let domains = list(
        "searchdomain",
        change.searchdomains.is_some(),
        change
            .searchdomains
            .as_deref()
            .and_then(|list| joined(list, " ")),
    );
    let features = change
        .features
        .as_ref()
        .filter(|features| !features.is_empty())
        .map(ToString::to_string);
    let features = list("features", change.features.is_some(), features);
    let mut request = Request::guest(Endpoint::SetContainerConfig, node, vmid)
        .with_some("digest", change.digest.as_ref())
        .with_some("hostname", change.hostname.as_ref())
        .with_some("tags", tags)
        .with_some("description", change.description.as_ref())
        .with_some("memory", change.memory)
        .with_some("swap", change.swap)
        .with_some("cores", change.cores)
        .with_some("onboot", change.onboot.map(u8::from))
        .with_some("protection", change.protection.map(u8::from))
        .with_some("features", features)
        .with_some("nameserver", servers)
        .with_some("searchdomain", domains);
    for (number, net) in &change.nets {
        request = request.with(format!("net{number}"), net);
    }
    Ok(request.with_some("delete", joined(&delete, ",")))
}

impl Client {
    /// Changes a container's configuration. What cannot be changed while it runs is pending until it is started next.
    pub async fn set_container_config(
        &self,
        node: &NodeName,
        vmid: Vmid,
        change: &ConfigChange,
    ) -> Result<()> {
        self.call(&set_container_config(node, vmid, change)?)
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_change_says_only_what_changes() {
        let (node, vmid) = ("pve".parse().unwrap(), Vmid::MIN);
        let empty = set_container_config(&node, vmid, &ConfigChange::default()).unwrap();
        assert!(empty.parameters().is_empty());
        let change = ConfigChange {
            tags: Some(Vec::new()),
            onboot: Some(false),
            delete: vec!["timezone".to_owned()],
            ..ConfigChange::default()
        };
        let request = set_container_config(&node, vmid, &change).unwrap();
        assert_eq!(
            request.parameters(),
            [
                ("onboot".to_owned(), "0".to_owned()),
                ("delete".to_owned(), "timezone,tags".to_owned())
            ]
        );
        let bad = ConfigChange {
            delete: vec!["a,b".to_owned()],
            digest: Some("x".to_owned()),
            ..ConfigChange::default()
        };
        assert!(matches!(bad.check(), Err(Error::Invalid { errors, .. }) if errors.len() == 2));
    }
}
