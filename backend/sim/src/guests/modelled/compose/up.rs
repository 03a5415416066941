//! `up`, `start`, `restart`: running containers, and waiting for them.

use std::time::Duration;

use super::create::create;
use super::prepare::{prepare, selected};
use super::service::{Condition, Service};
use super::{LABEL_NUMBER, LABEL_SERVICE, Refusal, Work};
use crate::faults::Action;
use crate::guests::modelled::docker::container::{Container, Status};
use crate::guests::modelled::docker::{LogQuery, Shown, follow};
use crate::unix::Call;

/// runc's words for a program that is not in the image.
const NO_PROGRAM: &str = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/usr/local/bin/docker-entrypoint.sh\": stat /usr/local/bin/docker-entrypoint.sh: no such file or directory: unknown";

pub(super) async fn up(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let chosen = selected(work)?;
    prepare(work, call, &chosen).await?;
    let containers = create(work, call, &chosen).await?;
    if work.arguments.has("no-start") {
        return Ok(0);
    }
    for service in &chosen {
        await_dependencies(work, call, service).await?;
        for name in containers.get(&service.name).into_iter().flatten() {
            start(work, call, name).await?;
        }
    }
    if work.arguments.has("wait") {
        for service in &chosen {
            for name in containers.get(&service.name).into_iter().flatten() {
                wait_for(
                    work,
                    call,
                    name,
                    if service.has_health_check {
                        Condition::Healthy
                    } else {
                        Condition::Started
                    },
                    "",
                )
                .await?;
            }
        }
    }
    if !work.arguments.has("detach") && !work.arguments.has("wait") {
        let shown = shown(work, &[]);
        let query = LogQuery {
            follow: true,
            ..LogQuery::default()
        };
        follow(work.docker, call, &shown, &query).await?;
    }
    Ok(0)
}

/// Starts one container; a fault may keep it from that, or let it die again and again.
async fn start(work: &Work<'_>, call: &Call, name: &str) -> Result<(), Refusal> {
    let up = work
        .docker
        .state()
        .container(name)
        .is_some_and(|container| container.status == Status::Running);
    if up {
        return Ok(());
    }
    call.err(format!(" Container {name}  Starting\n")).await;
    work.docker
        .guest
        .pace()
        .take(Duration::from_millis(900))
        .await;
    let fault = work
        .docker
        .guest
        .fault_of("up", &[Action::Fail, Action::CrashLoop]);
    if let Some(fault) = fault.as_ref().filter(|fault| fault.action == Action::Fail) {
        return Err(Refusal::general(format!(
            "Error response from daemon: {}",
            fault.text(NO_PROGRAM)
        )));
    }
    let crash =
        fault.map(|fault| fault.text("fatal error: cannot open database: permission denied"));
    {
        let mut state = work.docker.state();
        let id = state
            .container(name)
            .map(|container| container.id.clone())
            .unwrap_or_default();
        state.ports_free(&id).map_err(|message| {
            Refusal::general(format!("Error response from daemon: {message}"))
        })?;
        let realistic = work.docker.guest.pace().is_realistic();
        if let Some(container) = state.container_mut(name) {
            container.start(crash, realistic);
        }
        state.changed();
    }
    call.err(format!(" Container {name}  Started\n")).await;
    Ok(())
}

async fn await_dependencies(
    work: &Work<'_>,
    call: &Call,
    service: &Service,
) -> Result<(), Refusal> {
    for (dependency, condition) in &service.depends_on {
        if *condition == Condition::Started || work.arguments.has("no-deps") {
            continue;
        }
        for container in work.containers(std::slice::from_ref(dependency)) {
            wait_for(
                work,
                call,
                &container.plan.name,
                *condition,
                "dependency failed to start: ",
            )
            .await?;
        }
    }
    Ok(())
}

/// Waits until a container is as it should be.
async fn wait_for(
    work: &Work<'_>,
    call: &Call,
    name: &str,
    wanted: Condition,
    prefix: &str,
) -> Result<(), Refusal> {
    call.err(format!(" Container {name}  Waiting\n")).await;
    let mut changes = work.docker.state().watch();
    loop {
        let seen = work
            .docker
            .state()
            .container(name)
            .map(|container| (container.status, container.exit_code, container.health()));
        let health = work
            .docker
            .guest
            .fault_of("health", &[Action::Unhealthy, Action::Refused]);
        let verdict = match (seen, wanted) {
            (None, _) => Some(Err(format!("no container found for {name}"))),
            (Some((Status::Exited, 0, _)), Condition::Completed) => Some(Ok("Exited")),
            (Some((Status::Exited | Status::Restarting, code, _)), Condition::Completed) => {
                Some(Err(format!(
                    "service \"{name}\" didn't complete successfully: exit {code}"
                )))
            }
            (Some((Status::Exited | Status::Restarting, code, _)), _) => {
                Some(Err(format!("container {name} exited ({code})")))
            }
            (Some((Status::Running, _, health_now)), Condition::Healthy) => match health_now {
                "healthy" if health.is_some() => {
                    Some(Err(format!("container {name} is unhealthy")))
                }
                "healthy" => Some(Ok("Healthy")),
                "" => Some(Err(format!(
                    "container {name} has no healthcheck configured"
                ))),
                _ => None,
            },
            (Some((Status::Running, ..)), Condition::Started) => Some(Ok("Healthy")),
            _ => None,
        };
        match verdict {
            Some(Ok(word)) => {
                call.err(format!(" Container {name}  {word}\n")).await;
                return Ok(());
            }
            Some(Err(message)) => {
                call.err(format!(" Container {name}  Error\n")).await;
                return Err(Refusal::general(format!("{prefix}{message}")));
            }
            None => {}
        }
        tokio::select! {
            // Compose looks twice a second.
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            // The sender lives as long as the guest.
            _ = changes.changed() => {}
        }
    }
}

pub(super) async fn start_all(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let names = &work.arguments.rest;
    work.known(names)?;
    let containers = work.containers(names);
    if containers.is_empty() {
        let service = work
            .project
            .services
            .first()
            .map_or("", |service| service.name.as_str());
        return Err(Refusal::general(format!(
            "service {service:?} has no container to start"
        )));
    }
    for service in &work.project.services {
        for container in containers
            .iter()
            .filter(|container| container.label(LABEL_SERVICE) == service.name)
        {
            await_dependencies(work, call, service).await?;
            start(work, call, &container.plan.name).await?;
        }
    }
    Ok(0)
}

pub(super) async fn restart(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let names = &work.arguments.rest;
    work.known(names)?;
    for container in work.containers(names) {
        let name = container.plan.name;
        call.err(format!(" Container {name}  Restarting\n")).await;
        work.docker
            .guest
            .pace()
            .take(Duration::from_millis(1_200))
            .await;
        {
            let mut state = work.docker.state();
            let realistic = work.docker.guest.pace().is_realistic();
            if let Some(container) = state.container_mut(&name) {
                container.stop(false);
                container.start(None, realistic);
            }
            state.changed();
        }
        call.err(format!(" Container {name}  Started\n")).await;
    }
    Ok(0)
}

/// Containers whose logs are shown, with what stands in front of their lines.
pub(super) fn shown(work: &Work<'_>, services: &[String]) -> Vec<Shown> {
    let containers = work.containers(services);
    let label = |container: &Container| {
        format!(
            "{}-{}",
            container.label(LABEL_SERVICE),
            container.label(LABEL_NUMBER)
        )
    };
    let width = containers
        .iter()
        .map(|container| label(container).len())
        .max()
        .unwrap_or(0);
    let plain = work.arguments.has("no-log-prefix");
    containers
        .iter()
        .map(|container| Shown {
            id: container.id.clone(),
            prefix: if plain {
                String::new()
            } else {
                format!("{:<width$}  | ", label(container))
            },
        })
        .collect()
}
