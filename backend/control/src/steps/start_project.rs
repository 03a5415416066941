//! Starting the services.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;

use crate::{context::Context, failures, hosts::said, operations::State};

/// Brings the compose project up.
///
/// *Writes down* nothing. *Recognises* services that run: compose starts only what is missing or changed.
/// *Undo* has nothing to take back: a new container goes as a whole, an old one is put back by
/// [`ObserveContainer`](super::ObserveContainer).
pub(crate) struct StartProject;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for StartProject {
    fn name(&self) -> &'static str {
        "start_project"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.timeouts.service_start + Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let vmid = cx.state.vmid()?;
        let argv = cx
            .state
            .compose()
            .command(["up", "--detach", "--no-build", "--remove-orphans"]);
        let command = Command::new(argv).deadline(cx.context.settings.timeouts.service_start);
        let output = cx
            .log_while(|lines| {
                let command = command.on_line(move |_, line| {
                    let line = line.trim();
                    if !line.is_empty() {
                        lines.line(line);
                    }
                });
                cx.context
                    .hosts
                    .exec(vmid, "starting the services", command)
            })
            .await?;
        if output.code == 0 {
            return Ok(());
        }
        let otherwise = Failure::new(
            "services_not_started",
            "Docker Compose could not start the services.",
        )
        .hint("The last lines tell which service and why.");
        Err(failures::explain(&said(&output), otherwise).into())
    }
}
