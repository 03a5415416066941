//! `stop`, `kill`, `rm`, `down`.

use std::time::Duration;

use super::{Refusal, Work};
use crate::unix::Call;

/// Stops one container, with its two lines.
async fn halt(work: &Work<'_>, call: &Call, name: &str, words: (&str, &str), time: Duration) {
    let up = work
        .docker
        .state()
        .container(name)
        .is_some_and(super::Container::is_up);
    call.err(format!(" Container {name}  {}\n", words.0)).await;
    if up {
        work.docker.guest.pace().take(time).await;
        let mut state = work.docker.state();
        if let Some(container) = state.container_mut(name) {
            container.stop(true);
        }
        state.changed();
    }
    call.err(format!(" Container {name}  {}\n", words.1)).await;
}

/// Names of the project's containers, dependents first.
fn names(work: &Work<'_>, services: &[String]) -> Vec<String> {
    let containers = work.containers(services);
    let place = |service: &str| {
        work.project
            .services
            .iter()
            .position(|other| other.name == service)
    };
    let mut sorted: Vec<_> = containers
        .iter()
        .map(|container| {
            (
                place(container.label(super::LABEL_SERVICE)),
                container.plan.name.clone(),
            )
        })
        .collect();
    sorted.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    sorted.into_iter().map(|(_, name)| name).collect()
}

pub(super) async fn stop(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    work.known(&work.arguments.rest)?;
    for name in names(work, &work.arguments.rest) {
        halt(
            work,
            call,
            &name,
            ("Stopping", "Stopped"),
            Duration::from_millis(800),
        )
        .await;
    }
    Ok(0)
}

pub(super) async fn kill(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    work.known(&work.arguments.rest)?;
    for name in names(work, &work.arguments.rest) {
        halt(
            work,
            call,
            &name,
            ("Killing", "Killed"),
            Duration::from_millis(100),
        )
        .await;
    }
    Ok(0)
}

/// Stops and removes one container.
pub(super) async fn take_down(work: &Work<'_>, call: &Call, name: &str) {
    halt(
        work,
        call,
        name,
        ("Stopping", "Stopped"),
        Duration::from_millis(800),
    )
    .await;
    call.err(format!(" Container {name}  Removing\n")).await;
    {
        let mut state = work.docker.state();
        state
            .containers
            .retain(|container| container.plan.name != name);
        state.changed();
    }
    call.err(format!(" Container {name}  Removed\n")).await;
}

pub(super) async fn remove(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    work.known(&work.arguments.rest)?;
    let mut removed = false;
    for name in names(work, &work.arguments.rest) {
        let up = work
            .docker
            .state()
            .container(&name)
            .is_some_and(super::Container::is_up);
        if up && !work.arguments.has("stop") {
            continue;
        }
        removed = true;
        take_down(work, call, &name).await;
    }
    if !removed {
        call.err("No stopped containers\n").await;
    }
    Ok(0)
}

pub(super) async fn down(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    for container in names(work, &[]) {
        take_down(work, call, &container).await;
    }
    if work.arguments.has("volumes") {
        for (name, external) in &work.project.volumes {
            let there = work.docker.state().volumes.contains(name);
            if !there || *external {
                continue;
            }
            call.err(format!(" Volume {name}  Removing\n")).await;
            work.docker.state().volumes.remove(name);
            call.err(format!(" Volume {name}  Removed\n")).await;
        }
    }
    if let Some(which) = work.arguments.value("rmi") {
        for service in &work.project.services {
            let image = service.image.clone().filter(|_| which == "all");
            if let Some(image) = image {
                let reference = work
                    .docker
                    .state()
                    .image(&image)
                    .map(|image| image.reference.clone());
                if let Some(reference) = reference {
                    call.err(format!(" Image {image}  Removing\n")).await;
                    work.docker.remove_image(&reference);
                    call.err(format!(" Image {image}  Removed\n")).await;
                }
            }
        }
    }
    for (name, external) in &work.project.networks {
        let ours = work.docker.state().networks.get(name) == Some(&work.project.name);
        if ours && !*external {
            call.err(format!(" Network {name}  Removing\n")).await;
            work.docker.state().networks.remove(name);
            call.err(format!(" Network {name}  Removed\n")).await;
        }
    }
    Ok(0)
}
