//! `docker compose`, version 2.26: reads the project from the guest's own files and drives its engine.
//!
//! ```text
//! files ─► interpolate (.env) ─► merge override ─► check ─► Project ─► pull · up · ps · logs · down …
//! ```

mod create;
mod dotenv;
mod down;
mod interpolate;
mod merge;
mod ports;
mod prepare;
mod project;
mod service;
mod show;
mod source;
mod up;

use super::docker::arguments::{Arguments, Flag, read};
use super::docker::container::Container;
use super::docker::{Docker, pull};
use crate::unix::{Call, Done};
use project::Project;

const VERSION: &str = "2.26.1";

/// Exit codes of compose by the kind of failure.
const NO_FILE: i32 = 14;
const BAD_FILE: i32 = 15;
const BAD_USAGE: i32 = 16;
const BUILD_FAILED: i32 = 17;
const PULL_FAILED: i32 = 18;

/// Why compose gives up: exit code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    code: i32,
    message: String,
}

impl Refusal {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn general(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    async fn say(&self, call: &Call) -> i32 {
        call.err(format!("{}\n", self.message)).await;
        self.code
    }
}

const GLOBAL: &[Flag] = &[
    Flag("file", Some('f'), true),
    Flag("project-name", Some('p'), true),
    Flag("project-directory", None, true),
    Flag("env-file", None, true),
    Flag("profile", None, true),
    Flag("progress", None, true),
    Flag("ansi", None, true),
    Flag("parallel", None, true),
    Flag("compatibility", None, false),
    Flag("dry-run", None, false),
    Flag("all-resources", None, false),
    Flag("version", Some('v'), false),
];

/// What every command works on.
struct Work<'a> {
    docker: Docker<'a>,
    project: Project,
    arguments: Arguments,
}

impl Work<'_> {
    /// Containers of the project, of the services named or of all.
    fn containers(&self, services: &[String]) -> Vec<Container> {
        let state = self.docker.state();
        state
            .containers
            .iter()
            .filter(|container| container.label(LABEL_PROJECT) == self.project.name)
            .filter(|container| {
                services.is_empty()
                    || services
                        .iter()
                        .any(|service| service == container.label(LABEL_SERVICE))
            })
            .cloned()
            .collect()
    }

    /// Refuses services that the project does not have.
    fn known(&self, services: &[String]) -> Result<(), Refusal> {
        for service in services {
            if self.project.service(service).is_none() {
                return Err(Refusal::general(format!("no such service: {service}")));
            }
        }
        Ok(())
    }
}

const LABEL_PROJECT: &str = "com.docker.compose.project";
const LABEL_SERVICE: &str = "com.docker.compose.service";
const LABEL_NUMBER: &str = "com.docker.compose.container-number";
const LABEL_HASH: &str = "com.docker.compose.config-hash";

pub(super) async fn main(docker: Docker<'_>, call: &mut Call) -> Done {
    let global = read(call, call.args(), GLOBAL, false, BAD_USAGE).await?;
    if global.has("version") {
        call.out(format!("Docker Compose version v{VERSION}\n"))
            .await?;
        return Ok(0);
    }
    let Some((command, words)) = global.rest.split_first() else {
        call.out("\nUsage:  docker compose [OPTIONS] COMMAND\n\nDefine and run multi-container applications with Docker\n").await?;
        return Ok(0);
    };
    if command == "version" {
        return version(call, words).await;
    }
    let Some(flags) = flags_of(command) else {
        call.err(format!("unknown docker command: \"compose {command}\"\n"))
            .await;
        return Err(BAD_USAGE);
    };
    // What follows a service's name is its own command line.
    let mixed = !matches!(command.as_str(), "exec" | "run");
    let arguments = read(call, words, flags, mixed, BAD_USAGE).await?;
    if command == "ls" {
        docker.check(call).await?;
        return show::ls(docker, call, &arguments).await;
    }
    let (project, warnings) = match project::load(call, &global) {
        Ok(loaded) => loaded,
        Err(refusal) => return Err(refusal.say(call).await),
    };
    for warning in warnings {
        let now = crate::unix::timestamp(std::time::SystemTime::now());
        call.err(format!(
            "time=\"{now}\" level=warning msg=\"{}\"\n",
            warning.replace('"', "\\\"")
        ))
        .await;
    }
    let work = Work {
        docker,
        project,
        arguments,
    };
    let done = run(&work, call, command).await;
    match done {
        Ok(code) => Ok(code),
        Err(refusal) if refusal.message.is_empty() => Err(refusal.code),
        Err(refusal) => Err(refusal.say(call).await),
    }
}

/// A client whose output nobody reads ends without a word.
impl From<i32> for Refusal {
    fn from(code: i32) -> Self {
        Self::new(code, String::new())
    }
}

async fn run(work: &Work<'_>, call: &Call, command: &str) -> Result<i32, Refusal> {
    if command == "config" || command == "convert" {
        return show::config(work, call).await;
    }
    work.docker.check(call).await?;
    match command {
        "pull" => pull_images(work, call).await,
        "up" => up::up(work, call).await,
        "create" => create::create_all(work, call).await,
        "build" => prepare::build_all(work, call).await,
        "ps" => show::ps(work, call).await,
        "images" => show::images(work, call).await,
        "logs" => show::logs(work, call).await,
        "exec" => show::exec(work, call).await,
        "top" => show::top(work, call).await,
        "start" => up::start_all(work, call).await,
        "stop" => down::stop(work, call).await,
        "kill" => down::kill(work, call).await,
        "restart" => up::restart(work, call).await,
        "rm" => down::remove(work, call).await,
        _ => down::down(work, call).await,
    }
}

#[rustfmt::skip] // one line a command: this is a table
fn flags_of(command: &str) -> Option<&'static [Flag]> {
    Some(match command {
        "config" | "convert" => &[Flag("quiet", Some('q'), false), Flag("services", None, false), Flag("images", None, false), Flag("volumes", None, false), Flag("profiles", None, false), Flag("format", None, true), Flag("no-interpolate", None, false), Flag("hash", None, true), Flag("environment", None, false)],
        "pull" => &[Flag("policy", None, true), Flag("quiet", Some('q'), false), Flag("ignore-pull-failures", None, false), Flag("include-deps", None, false), Flag("ignore-buildable", None, false)],
        "up" => &[Flag("detach", Some('d'), false), Flag("no-build", None, false), Flag("build", None, false), Flag("remove-orphans", None, false), Flag("wait", None, false), Flag("wait-timeout", None, true), Flag("pull", None, true), Flag("force-recreate", None, false), Flag("no-recreate", None, false), Flag("always-recreate-deps", None, false), Flag("no-deps", None, false), Flag("no-start", None, false), Flag("quiet-pull", None, false), Flag("timeout", Some('t'), true), Flag("renew-anon-volumes", Some('V'), false), Flag("no-color", None, false), Flag("no-log-prefix", None, false), Flag("scale", None, true)],
        "create" => &[Flag("build", None, false), Flag("no-build", None, false), Flag("pull", None, true), Flag("force-recreate", None, false), Flag("no-recreate", None, false), Flag("remove-orphans", None, false), Flag("scale", None, true)],
        "build" => &[Flag("no-cache", None, false), Flag("pull", None, false), Flag("quiet", Some('q'), false), Flag("build-arg", None, true)],
        "ps" => &[Flag("all", Some('a'), false), Flag("format", None, true), Flag("quiet", Some('q'), false), Flag("services", None, false), Flag("status", None, true), Flag("filter", None, true), Flag("no-trunc", None, false), Flag("orphans", None, false)],
        "images" => &[Flag("quiet", Some('q'), false), Flag("format", None, true)],
        "logs" => &[Flag("follow", Some('f'), false), Flag("no-color", None, false), Flag("no-log-prefix", None, false), Flag("timestamps", Some('t'), false), Flag("tail", Some('n'), true), Flag("since", None, true), Flag("until", None, true), Flag("index", None, true)],
        "exec" => &[Flag("no-TTY", Some('T'), false), Flag("interactive", Some('i'), false), Flag("tty", Some('t'), false), Flag("detach", Some('d'), false), Flag("env", Some('e'), true), Flag("user", Some('u'), true), Flag("workdir", Some('w'), true), Flag("index", None, true), Flag("privileged", None, false)],
        "start" => &[Flag("wait", None, false), Flag("wait-timeout", None, true)],
        "stop" | "restart" => &[Flag("timeout", Some('t'), true), Flag("no-deps", None, false)],
        "kill" => &[Flag("signal", Some('s'), true), Flag("remove-orphans", None, false)],
        "rm" => &[Flag("force", Some('f'), false), Flag("stop", Some('s'), false), Flag("volumes", Some('v'), false)],
        "down" => &[Flag("volumes", Some('v'), false), Flag("remove-orphans", None, false), Flag("rmi", None, true), Flag("timeout", Some('t'), true)],
        "top" => &[],
        "ls" => &[Flag("all", Some('a'), false), Flag("format", None, true), Flag("quiet", Some('q'), false), Flag("filter", None, true)],
        _ => return None,
    })
}

async fn version(call: &Call, words: &[String]) -> Done {
    let flags = [Flag("short", None, false), Flag("format", Some('f'), true)];
    let arguments = read(call, words, &flags, true, BAD_USAGE).await?;
    let text = if arguments.has("short") {
        format!("{VERSION}\n")
    } else if arguments.value("format") == Some("json") {
        format!("{{\"version\":\"v{VERSION}\"}}\n")
    } else {
        format!("Docker Compose version v{VERSION}\n")
    };
    call.out(text).await?;
    Ok(0)
}

/// `compose pull [--policy always|missing] [SERVICE…]`.
async fn pull_images(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let services = &work.arguments.rest;
    work.known(services)?;
    let policy = work.arguments.value("policy").unwrap_or("always");
    if !matches!(policy, "always" | "missing") {
        return Err(Refusal::general(format!(
            "--policy: invalid value {policy:?}"
        )));
    }
    let chosen: Vec<(String, String)> = work
        .project
        .services
        .iter()
        .filter(|service| services.is_empty() || services.contains(&service.name))
        .filter_map(|service| Some((service.name.clone(), service.image.clone()?)))
        .collect();
    fetch(
        work,
        call,
        &chosen,
        policy == "missing",
        work.arguments.has("quiet"),
    )
    .await
}

/// Fetches the images of services; each once.
async fn fetch(
    work: &Work<'_>,
    call: &Call,
    wanted: &[(String, String)],
    only_missing: bool,
    quiet: bool,
) -> Result<i32, Refusal> {
    let said = if quiet {
        quiet_call(call)
    } else {
        call.clone()
    };
    let mut done: Vec<(&str, &str)> = Vec::new();
    for (service, image) in wanted {
        if let Some((other, _)) = done.iter().find(|(_, fetched)| fetched == image) {
            said.err(format!(
                " {service} Skipped - Image is already being pulled by {other} \n"
            ))
            .await;
            continue;
        }
        if only_missing && work.docker.state().image(image).is_some() {
            said.err(format!(
                " {service} Skipped - Image is already present locally \n"
            ))
            .await;
            continue;
        }
        said.err(format!(" {service} Pulling \n")).await;
        match work.docker.pull(&said, image, pull::Style::Compose).await {
            Ok(_) => said.err(format!(" {service} Pulled \n")).await,
            Err(message) => {
                let message = if message.starts_with("invalid reference") {
                    message
                } else {
                    format!("Error response from daemon: {message}")
                };
                said.err(format!(" {service} Error {message}\n")).await;
                if !work.arguments.has("ignore-pull-failures") {
                    return Err(Refusal::new(PULL_FAILED, message));
                }
            }
        }
        done.push((service, image));
    }
    Ok(0)
}

/// The same call with nobody listening to its progress.
fn quiet_call(call: &Call) -> Call {
    let mut quiet = call.clone();
    quiet.fds.set(2, crate::unix::Fd::Null);
    quiet
}
