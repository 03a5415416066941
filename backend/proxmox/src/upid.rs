//! The name of a task, which says where it runs, what it does, to what and for whom.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{InvalidName, NodeName, Vmid};

/// A task: `UPID:node:pid:pstart:starttime:type:id:user:`, parsed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Upid(Arc<Parts>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    text: String,
    node: NodeName,
    started: u64,
    kind: String,
    id: String,
    user: String,
}

impl Upid {
    /// The whole, as Proxmox wrote it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The node that runs the task; its state is asked there.
    pub fn node(&self) -> &NodeName {
        &self.0.node
    }

    /// The task's type: `vzcreate`, `vzstart`, `download`, …
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// What it works on: mostly a VMID, for storage tasks something like `100@local`, or empty.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The guest, when the id is one.
    pub fn vmid(&self) -> Option<Vmid> {
        self.0.id.parse().ok()
    }

    /// Who started it: `user@realm` or `user@realm!token`.
    pub fn user(&self) -> &str {
        &self.0.user
    }

    /// When it started, in seconds since 1970 by the node's clock.
    pub fn started(&self) -> u64 {
        self.0.started
    }
}

impl FromStr for Upid {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        parse(text).ok_or_else(|| InvalidName::new("task identifier", text))
    }
}

fn parse(text: &str) -> Option<Upid> {
    let part = |part: &str| {
        (part.len() <= 255 && part.chars().all(|c| c.is_ascii_graphic())).then(|| part.to_owned())
    };
    let hex = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        (lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| u64::from_str_radix(part, 16).ok())
            .flatten()
    };
    let parts: Vec<&str> = text.split(':').collect();
    let [
        "UPID",
        node,
        pid,
        process_start,
        started,
        kind,
        id,
        user,
        "",
    ] = parts[..]
    else {
        return None;
    };
    hex(pid, 8..=8)?;
    hex(process_start, 8..=9)?;
    if kind.is_empty() || user.is_empty() {
        return None;
    }
    Some(Upid(Arc::new(Parts {
        text: text.to_owned(),
        node: node.parse().ok()?,
        started: hex(started, 8..=8)?,
        kind: part(kind)?,
        id: part(id)?,
        user: part(user)?,
    })))
}

impl TryFrom<String> for Upid {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Upid> for String {
    fn from(upid: Upid) -> Self {
        upid.0.text.clone()
    }
}

impl fmt::Debug for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_create_task_tells_all_it_knows() {
        let upid: Upid = "UPID:pve1:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:svc@pve!catalog:"
            .parse()
            .unwrap();
        assert_eq!(
            (
                upid.node().as_str(),
                upid.kind(),
                upid.vmid().map(Vmid::get),
                upid.user(),
                upid.started()
            ),
            (
                "pve1",
                "vzcreate",
                Some(101),
                "svc@pve!catalog",
                0x68F0_AABB
            )
        );
    }

    #[test]
    fn long_uptimes_and_storage_ids_are_accepted() {
        let upid: Upid = "UPID:pve:0010A3F2:103C1D2E3:68F0AABB:imgdel:100@local:root@pam:"
            .parse()
            .unwrap();
        assert_eq!((upid.id(), upid.vmid()), ("100@local", None));
        assert_eq!(
            "UPID:pve:0010A3F2:03C1D2E3:68F0AABB:aptupdate::root@pam:"
                .parse::<Upid>()
                .unwrap()
                .id(),
            ""
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "UPID:pve:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:root@pam",
            "UPID:p/e:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:root@pam:",
            "UPID:pve:0010A3FX:03C1D2E3:68F0AABB:vzcreate:101:root@pam:",
            "UPID:pve:0010A3F2:03C1D2E3:68F0AABB:vz create:101:root@pam:",
            "UPID:pve:0010A3F2:03C1D2E3:68F0AABB::101:root@pam:",
            "UPID:pve:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:root@pam:\n",
        ] {
            assert!(text.parse::<Upid>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_parses_prints_the_same(text in "UPID:[a-z0-9:@!-]{0,60}|\\PC{0,80}") {
            if let Ok(upid) = text.parse::<Upid>() {
                prop_assert_eq!(upid.to_string(), text);
            }
        }
    }
}
