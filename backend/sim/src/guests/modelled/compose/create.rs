//! Making containers, and those anew that are no longer right.

use std::collections::BTreeMap;
use std::time::Duration;

use super::prepare::{image_of, prepare, selected};
use super::service::Service;
use super::{LABEL_HASH, LABEL_NUMBER, LABEL_PROJECT, LABEL_SERVICE, Refusal, Work, down};
use crate::guests::modelled::docker::container::{Plan, Status};
use crate::guests::modelled::docker::image::hash;
use crate::unix::Call;

pub(super) async fn create_all(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let chosen = selected(work)?;
    prepare(work, call, &chosen).await?;
    create(work, call, &chosen).await?;
    Ok(0)
}

fn container_name(work: &Work<'_>, service: &Service, number: u32) -> String {
    match &service.container_name {
        Some(name) => name.clone(),
        None => format!("{}-{}-{number}", work.project.name, service.name),
    }
}

fn plan(work: &Work<'_>, service: &Service, number: u32) -> Plan {
    let mut labels: BTreeMap<String, String> = service.labels.clone();
    for (name, value) in [
        (LABEL_PROJECT, work.project.name.clone()),
        (LABEL_SERVICE, service.name.clone()),
        (LABEL_NUMBER, number.to_string()),
        (
            LABEL_HASH,
            hash(&format!("{}{}", service.hash, image_id(work, service))),
        ),
    ] {
        labels.insert(name.to_owned(), value);
    }
    Plan {
        name: container_name(work, service, number),
        image: image_of(work, service),
        command: service.command.clone(),
        environment: service.environment.clone(),
        labels,
        ports: service.ports.clone(),
        host_network: service.host_network,
        networks: service.networks.clone(),
        mounts: service.mounts.clone(),
        restart: service.restart,
        has_health_check: service.has_health_check,
    }
}

/// A container whose image has changed is made anew, too.
fn image_id(work: &Work<'_>, service: &Service) -> String {
    let state = work.docker.state();
    state
        .image(&image_of(work, service))
        .map_or_else(String::new, |image| image.id.clone())
}

/// Makes the containers that are missing or no longer right; names by service.
pub(super) async fn create(
    work: &Work<'_>,
    call: &Call,
    services: &[Service],
) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    orphans(work, call).await;
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for service in services {
        for number in 1..=service.replicas {
            let plan = plan(work, service, number);
            let name = plan.name.clone();
            let existing = work.docker.state().container(&name).cloned();
            let ours = existing
                .as_ref()
                .filter(|container| container.label(LABEL_PROJECT) == work.project.name);
            let right = ours
                .is_some_and(|container| container.label(LABEL_HASH) == plan.labels[LABEL_HASH]);
            let recreate = (!right || work.arguments.has("force-recreate"))
                && !work.arguments.has("no-recreate");
            names
                .entry(service.name.clone())
                .or_default()
                .push(name.clone());
            let (doing, done) = match ours {
                Some(container) if !recreate => {
                    if container.status == Status::Running {
                        call.err(format!(" Container {name}  Running\n")).await;
                    }
                    continue;
                }
                Some(_) => ("Recreate", "Recreated"),
                None => ("Creating", "Created"),
            };
            call.err(format!(" Container {name}  {doing}\n")).await;
            work.docker
                .guest
                .pace()
                .take(Duration::from_millis(350))
                .await;
            let made = {
                let mut state = work.docker.state();
                if ours.is_some() {
                    state
                        .containers
                        .retain(|container| container.plan.name != name);
                }
                state.create(plan)
            };
            made.map_err(|message| {
                Refusal::general(format!("Error response from daemon: {message}"))
            })?;
            call.err(format!(" Container {name}  {done}\n")).await;
        }
    }
    Ok(names)
}

/// Containers of services that the project no longer has.
async fn orphans(work: &Work<'_>, call: &Call) {
    let orphans: Vec<String> = work
        .containers(&[])
        .into_iter()
        .filter(|container| {
            !work
                .project
                .all
                .iter()
                .any(|name| name == container.label(LABEL_SERVICE))
        })
        .map(|container| container.plan.name)
        .collect();
    if orphans.is_empty() {
        return;
    }
    if work.arguments.has("remove-orphans") {
        for name in orphans {
            down::take_down(work, call, &name).await;
        }
    } else {
        let now = crate::unix::timestamp(std::time::SystemTime::now());
        call.err(format!("time=\"{now}\" level=warning msg=\"Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.\"\n", orphans.join(" "))).await;
    }
}
