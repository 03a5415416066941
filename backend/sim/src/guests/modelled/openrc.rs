//! OpenRC: services, runlevels, and what happens at a start.

use std::time::Duration;

use super::guest::Guest;
use crate::faults::Action;
use crate::unix::{Call, Done, Machine};

/// The services of the default runlevel and of those before it.
pub(super) fn boot(guest: &Guest) {
    for level in ["boot", "default"] {
        let names = guest
            .base()
            .files()
            .list(&format!("/etc/runlevels/{level}"))
            .unwrap_or_default();
        for name in names {
            if guest.base().files().exists(&format!("/etc/init.d/{name}")) {
                start(guest, &name);
            }
        }
    }
}

fn exists(guest: &Guest, service: &str) -> bool {
    !service.contains('/')
        && guest
            .base()
            .files()
            .exists(&format!("/etc/init.d/{service}"))
}

fn is_started(guest: &Guest, service: &str) -> bool {
    guest.session().started.contains(service)
}

fn start(guest: &Guest, service: &str) {
    guest.session().started.insert(service.to_owned());
    if service == "docker" && guest.base().files().exists("/usr/bin/dockerd") {
        let fault = guest.fault_of("docker_start", &[Action::Fail]);
        let ready = guest.after(Duration::from_millis(1_800));
        let trouble = match fault {
            Some(fault) => Some(fault.text("failed to start daemon: Devices cgroup isn't mounted")),
            None if !guest.spec().nesting => Some(
                "failed to start daemon: error initializing graphdriver: failed to mount overlay: permission denied".to_owned(),
            ),
            None => None,
        };
        let line = match &trouble {
            None => "level=info msg=\"API listen on /var/run/docker.sock\"".to_owned(),
            Some(trouble) => trouble.clone(),
        };
        let stamp = crate::unix::timestamp(std::time::SystemTime::now());
        let mut files = guest.base().files();
        let before = files.text("/var/log/docker.log").unwrap_or_default();
        // A disk that is full keeps the log from growing, nothing else.
        let _ = files.put(
            "/var/log/docker.log",
            format!(
                "{before}time=\"{stamp}\" level=info msg=\"Starting up\"\ntime=\"{stamp}\" {line}\n"
            ),
            0o644,
        );
        drop(files);
        guest.docker().daemon_started(ready, trouble.is_none());
    }
}

fn stop(guest: &Guest, service: &str) {
    guest.session().started.remove(service);
    if service == "docker" {
        guest.docker().daemon_stopped();
    }
}

/// `rc-service SERVICE start|stop|restart|status`; `service` is the same.
pub(super) async fn rc_service(guest: &Guest, call: &mut Call) -> Done {
    let words: Vec<String> = call
        .args()
        .iter()
        .filter(|word| !word.starts_with('-'))
        .cloned()
        .collect();
    let listing = call
        .args()
        .iter()
        .any(|word| word == "--list" || word == "-l");
    if listing {
        let names = guest.base().files().list("/etc/init.d").unwrap_or_default();
        call.out(
            names
                .iter()
                .map(|name| format!("{name}\n"))
                .collect::<String>(),
        )
        .await?;
        return Ok(0);
    }
    let [service, command, ..] = words.as_slice() else {
        call.err("Usage: rc-service [options] [-i] <service> <cmd>...\n")
            .await;
        return Err(1);
    };
    if !exists(guest, service) {
        call.err(format!(
            " * rc-service: service `{service}' does not exist\n"
        ))
        .await;
        return Err(1);
    }
    match command.as_str() {
        "status" => {
            if is_started(guest, service) {
                call.out(" * status: started\n").await?;
                Ok(0)
            } else {
                call.out(" * status: stopped\n").await?;
                Ok(3)
            }
        }
        "start" => starting(guest, call, service).await,
        "stop" => stopping(guest, call, service).await,
        "restart" => {
            if is_started(guest, service) {
                stopping(guest, call, service).await?;
            }
            starting(guest, call, service).await
        }
        other => {
            call.err(format!(" * {service}: unknown function `{other}'\n"))
                .await;
            Err(1)
        }
    }
}

/// How a service calls itself.
fn title(service: &str) -> String {
    if service == "docker" {
        "Docker Daemon".to_owned()
    } else {
        service.to_owned()
    }
}

async fn starting(guest: &Guest, call: &Call, service: &str) -> Done {
    if is_started(guest, service) {
        call.out(format!(" * WARNING: {service} has already been started\n"))
            .await?;
        return Ok(0);
    }
    if service == "docker" {
        call.out(" * Caching service dependencies ... [ ok ]\n")
            .await?;
        call.err(" * docker: unable to apply RC_ULIMIT settings\n")
            .await;
    }
    guest.pace().take(Duration::from_millis(200)).await;
    start(guest, service);
    call.out(format!(" * Starting {} ... [ ok ]\n", title(service)))
        .await?;
    Ok(0)
}

async fn stopping(guest: &Guest, call: &Call, service: &str) -> Done {
    if !is_started(guest, service) {
        call.out(format!(" * WARNING: {service} is already stopped\n"))
            .await?;
        return Ok(0);
    }
    guest.pace().take(Duration::from_secs(1)).await;
    stop(guest, service);
    call.out(format!(" * Stopping {} ... [ ok ]\n", title(service)))
        .await?;
    Ok(0)
}

/// `rc-update add|del SERVICE [RUNLEVEL]`, `rc-update show`.
pub(super) async fn rc_update(guest: &Guest, call: &mut Call) -> Done {
    let words: Vec<String> = call.args().to_vec();
    let command = words.first().map_or("show", String::as_str);
    if matches!(command, "show" | "-v") {
        let mut text = String::new();
        for level in ["boot", "default"] {
            for name in guest
                .base()
                .files()
                .list(&format!("/etc/runlevels/{level}"))
                .unwrap_or_default()
            {
                text.push_str(&format!("{name:>20} | {level}\n"));
            }
        }
        call.out(text).await?;
        return Ok(0);
    }
    let Some(service) = words.get(1).cloned() else {
        call.err(" * rc-update: no service specified\n").await;
        return Err(1);
    };
    let level = words.get(2).map_or("default", String::as_str).to_owned();
    let folder = format!("/etc/runlevels/{level}");
    let link = format!("{folder}/{service}");
    if !guest.base().files().exists(&folder) {
        call.err(format!(" * rc-update: runlevel `{level}' does not exist\n"))
            .await;
        return Err(1);
    }
    let present = guest.base().files().stat_link(&link).is_ok();
    match command {
        "add" if !exists(guest, &service) => {
            call.err(format!(
                " * rc-update: service `{service}' does not exist\n"
            ))
            .await;
            Err(1)
        }
        "add" if present => {
            call.out(format!(
                " * rc-update: {service} already installed in runlevel `{level}'; skipping\n"
            ))
            .await?;
            Ok(0)
        }
        "add" => {
            let added = guest
                .base()
                .files()
                .symlink(&format!("/etc/init.d/{service}"), &link);
            if let Err(errno) = added {
                call.err(format!(" * rc-update: failed to add service `{service}' to runlevel `{level}': {errno}\n")).await;
                return Err(1);
            }
            call.out(format!(" * service {service} added to runlevel {level}\n"))
                .await?;
            Ok(0)
        }
        "del" | "delete" if !present => {
            call.err(format!(
                " * rc-update: service `{service}' is not in the runlevel `{level}'\n"
            ))
            .await;
            Err(1)
        }
        "del" | "delete" => {
            // It was there a moment ago.
            let _ = guest.base().files().remove(&link);
            call.out(format!(
                " * service {service} removed from runlevel {level}\n"
            ))
            .await?;
            Ok(0)
        }
        other => {
            call.err(format!(" * rc-update: invalid command `{other}'\n"))
                .await;
            Err(1)
        }
    }
}

pub(super) async fn rc_status(guest: &Guest, call: &mut Call) -> Done {
    let started = guest.session().started.clone();
    let mut text = "Runlevel: default\n".to_owned();
    for name in guest
        .base()
        .files()
        .list("/etc/runlevels/default")
        .unwrap_or_default()
    {
        let state = if started.contains(&name) {
            "started"
        } else {
            "stopped"
        };
        text.push_str(&format!(" {name:<60} [  {state}  ]\n"));
    }
    call.out(text).await?;
    Ok(0)
}
