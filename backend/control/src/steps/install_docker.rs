//! Installing Docker.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::{Command, Stream};

use crate::{context::Context, failures, hosts::said, operations::State};

/// Sent whole on standard input: nothing of it passes a command line.
const SCRIPT: &str = include_str!("../guest/install_docker.sh");

/// Installs Docker in the container and proves that it can run a container.
///
/// *Writes down* nothing. *Recognises* what an earlier run installed, and waits for one that is still at work:
/// the script looks before each part and holds a lock. *Undo* has nothing to take back, for the container goes
/// as a whole.
pub(crate) struct InstallDocker;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for InstallDocker {
    fn name(&self) -> &'static str {
        "install_docker"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.timeouts.docker_install + Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let vmid = cx.state.vmid()?;
        let output = cx
            .log_while(|lines| {
                let command = Command::new(["sh", "-s"])
                    .stdin(SCRIPT.as_bytes())
                    .deadline(cx.context.settings.timeouts.docker_install)
                    .on_line(move |stream, line| {
                        if let (Stream::Stdout, Some(line)) = (stream, line.strip_prefix("== ")) {
                            lines.line(line);
                        }
                    });
                cx.context.hosts.exec(vmid, "installing Docker", command)
            })
            .await?;
        if output.code == 0 {
            return Ok(());
        }
        Err(failure(output.code, &said(&output)).into())
    }
}

/// The script's exit codes, explained.
fn failure(code: i32, output: &str) -> Failure {
    let otherwise = match code {
        10 => Failure::new("packages_unavailable", "Docker's packages could not be installed in the container.")
            .hint("Check that the container reaches its package mirror (see /etc/apk/repositories), then try again."),
        11 => Failure::new("docker_not_answering", "Docker was installed but does not answer.")
            .hint("Check that the node lets containers nest (features: nesting=1) and has memory to spare."),
        12 => Failure::new("docker_vfs", "Docker can only use the storage driver vfs here, which copies every layer whole and fills the disk.")
            .hint("Use another storage for the container: on ZFS, Docker needs OpenZFS 2.2 or later (Proxmox VE 8.1)."),
        13 => Failure::new("docker_smoke_test_failed", "Docker is there, but a container on a bridge network does not run.")
            .hint("Upgrade lxc-pve on the node and check that the container has nesting=1."),
        // Ended by `timeout` in the guest itself.
        124 | 137 | 143 => Failure::new("command_timeout", "Time ran out while installing Docker.")
            .hint("If the network or the storage is slow, raise TIMEOUT_DOCKER_INSTALL."),
        _ => Failure::new("docker_install_failed", format!("The installation of Docker ended with code {code}."))
            .hint("The last lines tell why."),
    };
    failures::explain(output, otherwise)
}
