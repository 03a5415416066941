//! `pct`, the node's own tool for containers: commands inside them, and what only root may set.

use std::time::Duration;

use crate::envelope::{Envelope, Rights};
use crate::verdict::container_problem;
use crate::{Command, Error, Host, Output, Pool};

/// `pct set` waits for the container's lock for ten seconds by itself.
const PCT_SET: Duration = Duration::from_secs(30);

impl Pool {
    /// Runs a command in a container, without a shell around its arguments, as root, with `PATH`, `HOME` and `LANG` set and
    /// nothing else of the node's environment. Any exit code is an `Ok`. The container has to run on this very node.
    ///
    /// What the command leaves running in the background goes on; a cut connection does not stop the command either,
    /// only its deadline does.
    pub async fn pct_exec(
        &self,
        host: &Host,
        vmid: u32,
        command: Command,
    ) -> Result<Output, Error> {
        let envelope =
            Envelope::in_container(vmid, self.rights(), &command.argv, command.deadline)?;
        self.carry(host, envelope, command).await
    }

    /// Sets a container's features, as in `nesting=1,keyctl=1`: what the API lets nobody but `root@pam` do. They
    /// take effect with the container's next start.
    pub async fn pct_set_features(
        &self,
        host: &Host,
        vmid: u32,
        features: &str,
    ) -> Result<(), Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"=,;_-".contains(&byte);
        if features.is_empty() || !features.bytes().all(allowed) {
            return Err(Error::Invalid {
                reason: "features are written as in nesting=1,keyctl=1".into(),
            });
        }
        let sudo: &[&str] = match self.rights() {
            Rights::Root => &[],
            Rights::Sudo => &["sudo", "-n"],
        };
        let vmid_text = vmid.to_string();
        let words = ["pct", "set", &vmid_text, "--features", features];
        let command = Command::new(sudo.iter().chain(&words).copied()).deadline(PCT_SET);
        let output = self.run(host, command).await?;
        if output.code != 0
            && let Some(problem) = container_problem(host, vmid, &output.stderr_text())
        {
            return Err(problem);
        }
        output.ok().map(drop)
    }
}
