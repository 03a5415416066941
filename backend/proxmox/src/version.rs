//! Which Proxmox VE answers.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::{Client, Result};

/// The version of the host that was asked; nodes of a cluster may differ while it is upgraded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Such as `9.1.4`, on old hosts `6.4-13`.
    pub version: String,
    /// Such as `9.1`.
    pub release: String,
    /// Abbreviated commit of the build.
    pub repoid: String,
}

impl Version {
    /// Major and minor number.
    pub fn numbers(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split(['.', '-']);
        let mut part = || parts.next()?.parse().ok();
        Some((part()?, part()?))
    }
}

impl Client {
    /// Which Proxmox VE answers. Any authenticated user may ask, so it is also the cheapest proof of a login.
    pub async fn version(&self) -> Result<Version> {
        let reply = self.get(Endpoint::Version).await?;
        let fields = reply.fields()?;
        let version = fields.required("version", fields.text("version")?)?;
        let release = fields.text("release")?.unwrap_or_else(|| version.clone());
        Ok(Version {
            version,
            release,
            repoid: fields.text("repoid")?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_versions_have_numbers() {
        let numbers = |text: &str| {
            Version {
                version: text.to_owned(),
                release: String::new(),
                repoid: String::new(),
            }
            .numbers()
        };
        assert_eq!(
            (numbers("9.1.4"), numbers("6.4-13"), numbers("8.4")),
            (Some((9, 1)), Some((6, 4)), Some((8, 4)))
        );
        assert_eq!((numbers("9"), numbers("x.1")), (None, None));
    }
}
