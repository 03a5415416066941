//! `up`, `create`, `start`, `restart`, `build`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::project::{Condition, Service};
use super::{
    BUILD_FAILED, LABEL_HASH, LABEL_NUMBER, LABEL_PROJECT, LABEL_SERVICE, Refusal, Work, down,
    fetch,
};
use crate::faults::Action;
use crate::guests::modelled::docker::container::{Plan, Status};
use crate::guests::modelled::docker::image::{Image, hash, normal};
use crate::guests::modelled::docker::{LogQuery, Shown, follow};
use crate::unix::{Call, Machine};

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

pub(super) async fn create_all(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let chosen = selected(work)?;
    prepare(work, call, &chosen).await?;
    create(work, call, &chosen).await?;
    Ok(0)
}

/// The services named and what they depend on; all when none is named.
fn selected(work: &Work<'_>) -> Result<Vec<Service>, Refusal> {
    let names = &work.arguments.rest;
    work.known(names)?;
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut at = 0;
    while at < wanted.len() && !work.arguments.has("no-deps") {
        if let Some(service) = work.project.service(wanted[at]) {
            for (name, _) in &service.depends_on {
                if !wanted.contains(&name.as_str()) {
                    wanted.push(name);
                }
            }
        }
        at += 1;
    }
    let chosen = work
        .project
        .services
        .iter()
        .filter(|service| names.is_empty() || wanted.contains(&service.name.as_str()));
    Ok(chosen.cloned().collect())
}

/// Images, networks and volumes.
async fn prepare(work: &Work<'_>, call: &Call, services: &[Service]) -> Result<(), Refusal> {
    let policy = work.arguments.value("pull").unwrap_or("missing");
    let mut wanted = Vec::new();
    for service in services {
        let image = image_of(work, service);
        let present = work.docker.state().image(&image).is_some();
        if service.build.is_some() {
            if !present && work.arguments.has("no-build") {
                return Err(Refusal::general(format!(
                    "Error response from daemon: No such image: {}",
                    normal(&image)
                )));
            }
            if !present || work.arguments.has("build") {
                build(work, call, service).await?;
            }
        } else if policy == "always" || (!present && policy != "never") {
            wanted.push((service.name.clone(), image));
        } else if !present {
            return Err(Refusal::general(format!(
                "Error response from daemon: No such image: {}",
                normal(&image)
            )));
        }
    }
    fetch(work, call, &wanted, false, work.arguments.has("quiet-pull")).await?;
    networks(work, call, services).await?;
    volumes(work, call, services).await
}

async fn networks(work: &Work<'_>, call: &Call, services: &[Service]) -> Result<(), Refusal> {
    for (name, external) in &work.project.networks {
        let used = services
            .iter()
            .any(|service| service.networks.contains(name));
        let there = work.docker.state().networks.contains_key(name);
        if !used || there {
            continue;
        }
        if *external {
            return Err(Refusal::general(format!(
                "network {name} declared as external, but could not be found"
            )));
        }
        call.err(format!(" Network {name}  Creating\n")).await;
        work.docker
            .guest
            .pace()
            .take(Duration::from_millis(150))
            .await;
        work.docker
            .state()
            .networks
            .insert(name.clone(), work.project.name.clone());
        call.err(format!(" Network {name}  Created\n")).await;
    }
    Ok(())
}

async fn volumes(work: &Work<'_>, call: &Call, services: &[Service]) -> Result<(), Refusal> {
    for (name, external) in &work.project.volumes {
        let there = work.docker.state().volumes.contains(name);
        if there || !services.iter().any(|service| service.mounts.contains(name)) {
            continue;
        }
        if *external {
            return Err(Refusal::general(format!(
                "external volume {name:?} not found"
            )));
        }
        call.err(format!(" Volume \"{name}\"  Creating\n")).await;
        work.docker.state().volumes.insert(name.clone());
        call.err(format!(" Volume \"{name}\"  Created\n")).await;
    }
    // What is mounted from the guest's own disk and is not there is made, as a folder.
    for path in services
        .iter()
        .flat_map(|service| &service.mounts)
        .filter(|mount| mount.starts_with('/'))
    {
        let mut files = work.docker.guest.base().files();
        if !files.exists(path) && files.mkdir_all(path, 0o755).is_err() {
            return Err(Refusal::general(format!(
                "Error response from daemon: error while creating mount source path '{path}': mkdir {path}: no space left on device"
            )));
        }
    }
    Ok(())
}

fn image_of(work: &Work<'_>, service: &Service) -> String {
    service
        .image
        .clone()
        .unwrap_or_else(|| format!("{}-{}", work.project.name, service.name))
}

pub(super) async fn build_all(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    for service in selected(work)?
        .iter()
        .filter(|service| service.build.is_some())
    {
        build(work, call, service).await?;
    }
    Ok(0)
}

/// A build succeeds when there is a Dockerfile that says what to start from.
async fn build(work: &Work<'_>, call: &Call, service: &Service) -> Result<(), Refusal> {
    let Some((folder, file)) = &service.build else {
        return Ok(());
    };
    let path = format!("{folder}/{file}");
    let text = work.docker.guest.base().files().text(&path);
    let Some(text) = text else {
        return Err(Refusal::new(
            BUILD_FAILED,
            format!(
                "failed to solve: failed to read dockerfile: open {file}: no such file or directory"
            ),
        ));
    };
    let steps: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if !steps
        .iter()
        .any(|line| line.to_uppercase().starts_with("FROM "))
    {
        return Err(Refusal::new(
            BUILD_FAILED,
            "failed to solve: dockerfile parse error: no build stage in current context",
        ));
    }
    for (number, step) in steps.iter().enumerate() {
        call.err(format!(
            "#{} [{} {}/{}] {step}\n",
            number + 4,
            service.name,
            number + 1,
            steps.len()
        ))
        .await;
        work.docker
            .guest
            .pace()
            .take(Duration::from_millis(700))
            .await;
        call.err(format!("#{} DONE 0.7s\n", number + 4)).await;
    }
    let mut image = Image::in_registry(&image_of(work, service));
    image.digest = None;
    let mut state = work.docker.state();
    state
        .images
        .retain(|other| other.reference != image.reference);
    state.images.push(image);
    Ok(())
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
async fn create(
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
    let label = |container: &crate::guests::modelled::docker::container::Container| {
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
