//! `docker info`, `docker version`.

use serde_json::{Value, json};

use super::arguments::{Flag, read};
use super::{Docker, NO_DAEMON};
use crate::faults::Action;
use crate::guests::modelled::template::render;
use crate::unix::{Call, Done, Machine};

pub(super) const ENGINE: &str = "26.1.5";

const FORMAT: &[Flag] = &[Flag("format", Some('f'), true)];

fn facts(docker: Docker<'_>) -> Value {
    let driver = match docker.guest.fault_of("docker_info", &[Action::Vfs]) {
        Some(_) => "vfs",
        None => "overlay2",
    };
    // Asked before the state is locked: a guest's memory depends on what its engine runs.
    let memory = docker.guest.memory().0;
    let state = docker.state();
    let running = state
        .containers
        .iter()
        .filter(|container| container.is_up())
        .count();
    json!({
        "ID": "7f3a2c1e-6f0e-4e0b-9d53-2a4f5f0a8c11",
        "Containers": state.containers.len(),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": state.containers.len() - running,
        "Images": state.images.len(),
        "Driver": driver,
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": "2",
        "KernelVersion": "6.14.11-4-pve",
        "OperatingSystem": docker.guest.release.as_ref().map_or_else(String::new, |release| format!("Alpine Linux v{}", release.branch)),
        "OSType": "linux",
        "Architecture": "x86_64",
        "NCPU": docker.guest.processors(),
        "MemTotal": memory,
        "MemoryLimit": false,
        "DockerRootDir": "/var/lib/docker",
        "Name": docker.guest.base().hostname(),
        "ServerVersion": ENGINE,
        "Warnings": ["WARNING: No memory limit support", "WARNING: No swap limit support"],
    })
}

pub(super) async fn info(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let arguments = read(call, words, FORMAT, true, 125).await?;
    let ready = docker.state().is_ready();
    if let Some(format) = arguments.value("format") {
        if !ready {
            // The client prints what it knows of the server, which is nothing.
            call.out("\n").await?;
            call.err(format!("{NO_DAEMON}\n")).await;
            return Err(1);
        }
        return match render(format, &facts(docker)) {
            Ok(text) => {
                call.out(format!("{text}\n")).await?;
                Ok(0)
            }
            Err(message) => {
                call.err(format!("{message}\n")).await;
                Err(64)
            }
        };
    }
    call.out(format!(
        "Client:\n Version:    {ENGINE}\n Context:    default\n Debug Mode: false\n\nServer:\n"
    ))
    .await?;
    if !ready {
        call.err(format!("ERROR: {NO_DAEMON}\nerrors pretty printing info\n"))
            .await;
        return Err(1);
    }
    let facts = facts(docker);
    let shown = |key: &str| {
        facts[key]
            .as_str()
            .map_or_else(|| facts[key].to_string(), str::to_owned)
    };
    call.out(format!(
        " Containers: {}\n  Running: {}\n  Paused: 0\n  Stopped: {}\n Images: {}\n Server Version: {}\n Storage Driver: {}\n Logging Driver: json-file\n Cgroup Driver: cgroupfs\n Cgroup Version: 2\n Kernel Version: {}\n Operating System: {}\n OSType: linux\n Architecture: x86_64\n CPUs: {}\n Total Memory: {}B\n Name: {}\n Docker Root Dir: /var/lib/docker\n Debug Mode: false\n\n",
        shown("Containers"),
        shown("ContainersRunning"),
        shown("ContainersStopped"),
        shown("Images"),
        shown("ServerVersion"),
        shown("Driver"),
        shown("KernelVersion"),
        shown("OperatingSystem"),
        shown("NCPU"),
        shown("MemTotal"),
        shown("Name"),
    ))
    .await?;
    call.err("WARNING: No memory limit support\nWARNING: No swap limit support\n")
        .await;
    Ok(0)
}

pub(super) async fn version(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let arguments = read(call, words, FORMAT, true, 125).await?;
    let ready = docker.state().is_ready();
    let client = json!({"Version": ENGINE, "ApiVersion": "1.45", "Os": "linux", "Arch": "amd64"});
    if let Some(format) = arguments.value("format") {
        let mut facts = json!({"Client": client});
        if ready {
            facts["Server"] = client;
        }
        return match render(format, &facts) {
            Ok(text) => {
                call.out(format!("{text}\n")).await?;
                Ok(0)
            }
            Err(_) if !ready => {
                call.out("\n").await?;
                call.err(format!("{NO_DAEMON}\n")).await;
                Err(1)
            }
            Err(message) => {
                call.err(format!("{message}\n")).await;
                Err(64)
            }
        };
    }
    call.out(format!("Client:\n Version:           {ENGINE}\n API version:       1.45\n OS/Arch:           linux/amd64\n")).await?;
    if !ready {
        call.err(format!("{NO_DAEMON}\n")).await;
        return Err(1);
    }
    call.out(format!("\nServer:\n Engine:\n  Version:          {ENGINE}\n  API version:      1.45 (minimum version 1.24)\n  OS/Arch:          linux/amd64\n")).await?;
    Ok(0)
}
