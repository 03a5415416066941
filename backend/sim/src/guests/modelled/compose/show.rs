//! `config`, `ps`, `logs`, `exec`, `images`, `ls`, `top`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::up::shown;
use super::{LABEL_PROJECT, LABEL_SERVICE, Refusal, Work};
use crate::faults::Action;
use crate::guests::modelled::docker::arguments::Arguments;
use crate::guests::modelled::docker::container::{Container, Status};
use crate::guests::modelled::docker::run::exec_in;
use crate::guests::modelled::docker::{Docker, LogQuery, follow};
use crate::guests::modelled::template::render;
use crate::unix::{Call, Done};

pub(super) async fn config(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let project = &work.project;
    let arguments = &work.arguments;
    if arguments.has("quiet") {
        return Ok(0);
    }
    let lines: Vec<String> = if arguments.has("services") {
        project
            .services
            .iter()
            .map(|service| service.name.clone())
            .collect()
    } else if arguments.has("images") {
        project
            .services
            .iter()
            .map(|service| {
                service
                    .image
                    .clone()
                    .unwrap_or_else(|| format!("{}-{}", project.name, service.name))
            })
            .collect()
    } else if arguments.has("volumes") {
        project
            .document
            .get("volumes")
            .and_then(serde_yaml::Value::as_mapping)
            .into_iter()
            .flat_map(serde_yaml::Mapping::keys)
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    } else {
        let mut document = project.document.clone();
        if let serde_yaml::Value::Mapping(map) = &mut document {
            map.insert("name".into(), project.name.as_str().into());
        }
        let text = if arguments.value("format") == Some("json") {
            serde_json::to_string_pretty(&document)
                .map_err(|error| Refusal::general(error.to_string()))?
        } else {
            serde_yaml::to_string(&document)
                .map_err(|error| Refusal::general(error.to_string()))?
                .trim_end()
                .to_owned()
        };
        vec![text]
    };
    call.out(
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .await?;
    Ok(0)
}

/// A container's health, where a fault may stand in.
fn health(work: &Work<'_>, container: &Container) -> &'static str {
    let health = container.health();
    if health == "healthy"
        && work
            .docker
            .guest
            .fault_of("health", &[Action::Unhealthy, Action::Refused])
            .is_some()
    {
        return "unhealthy";
    }
    health
}

fn row(work: &Work<'_>, container: &Container) -> Value {
    let health = health(work, container);
    let publishers: Vec<Value> = container
        .plan
        .ports
        .iter()
        .filter(|_| container.is_up())
        .map(|port| {
            let url = if port.published == 0 { "" } else { port.address.as_str() };
            json!({"URL": url, "TargetPort": port.target, "PublishedPort": port.published, "Protocol": port.protocol})
        })
        .collect();
    let up = matches!(container.status, Status::Running);
    json!({
        "Command": format!("\"{}\"", container.plan.command.join(" ")),
        "CreatedAt": crate::unix::timestamp(container.created),
        "ExitCode": if up { 0 } else { container.exit_code },
        "Health": health,
        "ID": container.id[..12],
        "Image": container.plan.image,
        "Labels": container.plan.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
        "LocalVolumes": "0",
        "Mounts": container.plan.mounts.join(","),
        "Name": container.plan.name,
        "Names": container.plan.name,
        "Networks": container.plan.networks.join(","),
        "Ports": container.ports_text(),
        "Project": container.label(LABEL_PROJECT),
        "Publishers": publishers,
        "Service": container.label(LABEL_SERVICE),
        "Size": "0B",
        "State": container.status.as_str(),
        "Status": container.status_text(health),
    })
}

pub(super) async fn ps(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let arguments = &work.arguments;
    work.known(&arguments.rest)?;
    let statuses: Vec<&str> = arguments.values("status").collect();
    let rows: Vec<Value> = work
        .containers(&arguments.rest)
        .iter()
        .filter(|container| arguments.has("all") || !statuses.is_empty() || container.is_up())
        .filter(|container| statuses.is_empty() || statuses.contains(&container.status.as_str()))
        .map(|container| row(work, container))
        .collect();
    let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let text: String = if arguments.has("quiet") {
        rows.iter()
            .map(|row| format!("{}\n", cell(row, "ID")))
            .collect()
    } else if arguments.has("services") {
        rows.iter()
            .map(|row| format!("{}\n", cell(row, "Service")))
            .collect()
    } else {
        match arguments.value("format") {
            Some("json") => rows.iter().map(|row| format!("{row}\n")).collect(),
            None | Some("table" | "pretty") => {
                let heading =
                    "NAME   IMAGE   COMMAND   SERVICE   CREATED   STATUS   PORTS\n".to_owned();
                let keys = [
                    "Name",
                    "Image",
                    "Command",
                    "Service",
                    "CreatedAt",
                    "Status",
                    "Ports",
                ];
                std::iter::once(heading)
                    .chain(rows.iter().map(|row| {
                        format!(
                            "{}\n",
                            keys.map(|key| cell(row, key)).join("   ").trim_end()
                        )
                    }))
                    .collect()
            }
            Some(template) => {
                let mut text = String::new();
                for row in &rows {
                    text.push_str(&render(template, row).map_err(Refusal::general)?);
                    text.push('\n');
                }
                text
            }
        }
    };
    call.out(text).await?;
    Ok(0)
}

pub(super) async fn logs(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let arguments = &work.arguments;
    work.known(&arguments.rest)?;
    let query = LogQuery {
        tail: LogQuery::tail_of(arguments.value("tail")),
        since: LogQuery::since_of(arguments.value("since"), SystemTime::now()),
        timestamps: arguments.has("timestamps"),
        follow: arguments.has("follow"),
    };
    follow(work.docker, call, &shown(work, &arguments.rest), &query).await?;
    Ok(0)
}

/// `exec [-T] [-e A=B] SERVICE COMMAND…`.
pub(super) async fn exec(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let [service, command @ ..] = work.arguments.rest.as_slice() else {
        return Err(Refusal::new(
            super::BAD_USAGE,
            "requires at least 2 arg(s), only received 1",
        ));
    };
    if command.is_empty() {
        return Err(Refusal::new(
            super::BAD_USAGE,
            "requires at least 2 arg(s), only received 1",
        ));
    }
    let containers = work.containers(std::slice::from_ref(service));
    let Some(container) = containers.iter().find(|container| container.is_up()) else {
        return Err(Refusal::general(format!(
            "service {service:?} is not running"
        )));
    };
    let terminal = work.arguments.has("tty") || !(work.arguments.has("no-TTY"));
    if terminal && !work.arguments.has("no-TTY") {
        // Nothing here is a terminal.
        return Err(Refusal::general("the input device is not a TTY"));
    }
    let done = exec_in(
        work.docker,
        call,
        container,
        command.to_vec(),
        &work.arguments,
        true,
    )
    .await;
    Ok(done.unwrap_or_else(|code| code))
}

pub(super) async fn images(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let rows: Vec<Value> = {
        let containers = work.containers(&work.arguments.rest);
        let state = work.docker.state();
        containers
            .iter()
            .filter_map(|container| {
                let image = state.image(&container.plan.image)?;
                let (repository, tag) = image.repository_and_tag();
                Some(json!({"ID": image.id, "ContainerName": container.plan.name, "Repository": repository, "Tag": tag, "Size": image.size()}))
            })
            .collect()
    };
    let text = match work.arguments.value("format") {
        Some("json") => format!("{}\n", Value::Array(rows)),
        _ => rows
            .iter()
            .map(|row| {
                format!(
                    "{}   {}   {}\n",
                    row["ContainerName"].as_str().unwrap_or_default(),
                    row["Repository"].as_str().unwrap_or_default(),
                    row["Tag"].as_str().unwrap_or_default()
                )
            })
            .collect(),
    };
    call.out(text).await?;
    Ok(0)
}

pub(super) async fn top(work: &Work<'_>, call: &Call) -> Result<i32, Refusal> {
    let mut text = String::new();
    for container in work
        .containers(&work.arguments.rest)
        .iter()
        .filter(|container| container.is_up())
    {
        text.push_str(&format!("{}\nUID    PID    PPID   C    STIME   TTY   TIME       CMD\nroot   1000   980    0    12:00   ?     00:00:00   {}\n\n", container.plan.name, container.plan.command.join(" ")));
    }
    call.out(text).await?;
    Ok(0)
}

/// `compose ls`: projects by their containers.
pub(super) async fn ls(docker: Docker<'_>, call: &Call, arguments: &Arguments) -> Done {
    let rows: Vec<Value> = {
        let state = docker.state();
        let mut names: Vec<&str> = state
            .containers
            .iter()
            .map(|container| container.label(LABEL_PROJECT))
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| {
                let running = state
                    .containers
                    .iter()
                    .filter(|container| container.label(LABEL_PROJECT) == name && container.is_up())
                    .count();
                let all = state
                    .containers
                    .iter()
                    .filter(|container| container.label(LABEL_PROJECT) == name)
                    .count();
                let status = if running > 0 {
                    format!("running({running})")
                } else {
                    format!("exited({all})")
                };
                (running > 0 || arguments.has("all"))
                    .then(|| json!({"Name": name, "Status": status, "ConfigFiles": ""}))
            })
            .collect()
    };
    let text = if arguments.value("format") == Some("json") {
        format!("{}\n", Value::Array(rows))
    } else {
        let lines = rows.iter().map(|row| {
            format!(
                "{}   {}\n",
                row["Name"].as_str().unwrap_or_default(),
                row["Status"].as_str().unwrap_or_default()
            )
        });
        std::iter::once("NAME   STATUS   CONFIG FILES\n".to_owned())
            .chain(lines)
            .collect()
    };
    call.out(text).await?;
    Ok(0)
}
