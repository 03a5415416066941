//! Waiting for Docker after a boot.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;
use tokio::time::{Instant, sleep};

use crate::{containers::POLL, context::Context, failures, hosts::said, operations::State};

/// Waits until Docker, which OpenRC starts at boot, answers.
///
/// *Writes down* nothing, *recognises* nothing; there is nothing to take back.
pub(crate) struct AwaitDocker;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for AwaitDocker {
    fn name(&self) -> &'static str {
        "await_docker"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let vmid = cx.state.vmid()?;
        let deadline = Instant::now() + cx.context.settings.limit(Duration::from_secs(90));
        loop {
            let command = Command::new(["docker", "info", "--format", "{{.Driver}}"])
                .deadline(cx.context.settings.limit(Duration::from_secs(30)));
            let output = cx
                .context
                .hosts
                .exec(vmid, "waiting for Docker", command)
                .await?;
            if output.code == 0 {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let mut failure = Failure::new(
                    "docker_not_answering",
                    "Docker did not answer after the container's start.",
                )
                .hint("Look at /var/log/docker.log in the container.");
                failure.evidence = failures::last_lines(&said(&output), 6);
                return Err(failure.into());
            }
            sleep(cx.context.settings.pause(POLL)).await;
        }
    }
}
