//! What services need before there can be containers: images, networks, volumes, builds.

use std::time::Duration;

use super::service::Service;
use super::{BUILD_FAILED, Refusal, Work, fetch};
use crate::guests::modelled::docker::image::{Image, normal};
use crate::unix::{Call, Machine};

/// The services named and what they depend on; all when none is named.
pub(super) fn selected(work: &Work<'_>) -> Result<Vec<Service>, Refusal> {
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
pub(super) async fn prepare(
    work: &Work<'_>,
    call: &Call,
    services: &[Service],
) -> Result<(), Refusal> {
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

pub(super) fn image_of(work: &Work<'_>, service: &Service) -> String {
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
