//! Proving that the app works.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;
use tokio::time::{Instant, sleep};

use crate::{
    compose::{ServiceState, parse_ps},
    context::Context,
    failures,
    health::Check,
    hosts::said,
    operations::State,
    project,
};

/// How often the services and the app's own check are looked at.
const POLL: Duration = Duration::from_millis(500);

/// How long services must stay well where nothing but their states speaks for them: one that crashes at once is
/// `running` for a moment after each restart, and Docker waits 100 ms, 200 ms, 400 ms … between them.
const STEADY: Duration = Duration::from_secs(4);

/// Waits until every service is well and the app's own health check passes.
///
/// *Writes down* nothing, *recognises* nothing: health is a fact of now. *Undo* has nothing to take back.
pub(crate) struct CheckHealth;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for CheckHealth {
    fn name(&self) -> &'static str {
        "check_health"
    }

    fn timeout(&self, context: &Context) -> Duration {
        // The verdict, with its evidence, is this step's own; the engine's limit only backs it up.
        context.settings.timeouts.service_start + Duration::from_mins(1)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let check = project::load(cx.context, cx.state).await?.check();
        let limit = check.within.min(cx.context.settings.timeouts.service_start);
        let deadline = Instant::now() + limit;
        cx.log(format!("waiting until {}", check.describe()));
        let steady = if check.asks_the_app() {
            Duration::ZERO
        } else {
            cx.context.settings.limit(STEADY)
        };
        let mut well_since = None;
        let mut told = String::new();
        loop {
            let why = match look(cx, &check).await? {
                Verdict::Well
                    if well_since.get_or_insert_with(Instant::now).elapsed() >= steady =>
                {
                    return Ok(());
                }
                Verdict::Well => "the services run; waiting whether they stay up".to_owned(),
                Verdict::NotYet(why) => {
                    well_since = None;
                    why
                }
            };
            if Instant::now() >= deadline {
                return Err(unhealthy(cx, &why, limit).await.into());
            }
            if why != told {
                cx.log(&why);
                told = why;
            }
            sleep(cx.context.settings.pause(POLL)).await;
        }
    }
}

enum Verdict {
    Well,
    NotYet(String),
}

async fn look<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    check: &Check,
) -> Result<Verdict, StepError> {
    let services = services(cx).await?;
    let sick: Vec<String> = services
        .iter()
        .filter(|service| !service.is_well())
        .map(ServiceState::describe)
        .collect();
    if services.is_empty() {
        return Ok(Verdict::NotYet(
            "no service has been started yet".to_owned(),
        ));
    }
    if !sick.is_empty() {
        return Ok(Verdict::NotYet(sick.join(", ")));
    }
    for probe in &check.probes {
        let Some(command) = probe.command(&cx.state.compose()) else {
            continue;
        };
        let deadline = cx.context.settings.limit(command.deadline);
        let command = command.deadline(deadline);
        let output = cx
            .context
            .hosts
            .exec(cx.state.vmid()?, "checking the app's health", command)
            .await?;
        if let Err(why) = probe.judge(output.code, &said(&output)) {
            return Ok(Verdict::NotYet(why));
        }
    }
    Ok(Verdict::Well)
}

async fn services<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
) -> Result<Vec<ServiceState>, StepError> {
    let argv = cx
        .state
        .compose()
        .command(["ps", "--all", "--format", "json"]);
    let command = Command::new(argv).deadline(cx.context.settings.limit(Duration::from_secs(30)));
    let output = cx
        .context
        .hosts
        .exec(cx.state.vmid()?, "looking at the services", command)
        .await?;
    let unreadable = |reason: String| {
        let failure = Failure::new(
            "services_unknown",
            format!("Docker Compose does not tell the state of the services: {reason}."),
        );
        StepError::from(failures::explain(&said(&output), failure))
    };
    if output.code != 0 {
        return Err(unreadable(format!("it ended with code {}", output.code)));
    }
    parse_ps(&output.stdout_text()).map_err(|error| unreadable(error.to_string()))
}

/// The verdict, with the services' own last words.
async fn unhealthy<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    why: &str,
    limit: Duration,
) -> Failure {
    let services = services(cx).await.unwrap_or_default();
    let crashed = services
        .iter()
        .any(|service| !service.is_well() && service.state != "running");
    let mut failure = if crashed {
        Failure::new("service_crashing", format!("A service does not stay up: {why}."))
            .hint("Its last lines usually tell what it misses: a parameter, memory, a service that it needs.")
    } else {
        let seconds = limit.as_secs();
        Failure::new(
            "health_check_failed",
            format!("The app did not become healthy within {seconds} seconds: {why}."),
        )
        .hint("If it is only slow, raise TIMEOUT_SERVICE_START or give it more memory and cores.")
    };
    failure.evidence = services.iter().map(ServiceState::describe).collect();
    let mut arguments = vec!["logs", "--no-color", "--tail", "12"];
    arguments.extend(
        services
            .iter()
            .filter(|service| !service.is_well())
            .map(|service| service.service.as_str()),
    );
    let command = Command::new(cx.state.compose().command(arguments))
        .deadline(cx.context.settings.limit(Duration::from_secs(20)));
    if let Ok(vmid) = cx.state.vmid()
        && let Ok(output) = cx
            .context
            .hosts
            .exec(vmid, "reading the services' logs", command)
            .await
    {
        failure
            .evidence
            .extend(failures::last_lines(&said(&output), 15));
    }
    failure
}
