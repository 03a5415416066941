//! `docker inspect`, `docker ps`, `docker images`, and the other tables.

use serde_json::{Value, json};

use super::arguments::{Flag, read};
use super::container::Container;
use super::image::Image;
use super::logs::precise;
use super::{Docker, print};
use crate::guests::modelled::template::render;
use crate::unix::{Call, Done};

pub(super) fn container_json(container: &Container) -> Value {
    let plan = &container.plan;
    let health = container.health();
    let mut state = json!({
        "Status": container.status.as_str(),
        "Running": container.is_up(),
        "ExitCode": container.exit_code,
        "StartedAt": container.started.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), precise),
    });
    if !health.is_empty() {
        state["Health"] = json!({"Status": health});
    }
    json!({
        "Id": container.id,
        "Created": precise(container.created),
        "Name": format!("/{}", plan.name),
        "State": state,
        "Image": plan.image,
        "RestartCount": 0,
        "Config": {
            "Image": plan.image,
            "Env": plan.environment.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
            "Labels": plan.labels,
            "Cmd": plan.command,
        },
        "HostConfig": {"NetworkMode": if plan.host_network { "host" } else { "bridge" }},
        "NetworkSettings": {"Networks": plan.networks.iter().map(|name| (name.clone(), json!({}))).collect::<serde_json::Map<_, _>>()},
    })
}

fn image_json(image: &Image) -> Value {
    let digests: Vec<String> = image
        .digest
        .iter()
        .map(|digest| format!("{}@{digest}", image.repository_and_tag().0))
        .collect();
    json!({
        "Id": image.id,
        "RepoTags": [image.reference],
        "RepoDigests": digests,
        "Created": precise(image.created),
        "Architecture": "amd64",
        "Os": "linux",
        "Size": image.size(),
    })
}

/// `inspect NAME…`: containers, then images; `kind` narrows it to one of them.
pub(super) async fn inspect(
    docker: Docker<'_>,
    call: &Call,
    words: &[String],
    kind: Option<&str>,
) -> Done {
    let flags = [
        Flag("format", Some('f'), true),
        Flag("type", None, true),
        Flag("size", Some('s'), false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let kind = kind.or(arguments.value("type"));
    let mut found = Vec::new();
    let mut missing = Vec::new();
    {
        let state = docker.state();
        for name in &arguments.rest {
            let container = state
                .container(name)
                .filter(|_| kind != Some("image"))
                .map(container_json);
            let image = state
                .image(name)
                .filter(|_| kind != Some("container"))
                .map(image_json);
            match container.or(image) {
                Some(value) => found.push(value),
                None => missing.push(name.clone()),
            }
        }
    }
    match arguments.value("format") {
        None => call.out(format!("{:#}\n", Value::Array(found))).await?,
        Some(format) => {
            for value in &found {
                match render(format, value) {
                    Ok(text) => call.out(format!("{text}\n")).await?,
                    Err(message) => {
                        call.err(format!("{message}\n")).await;
                        return Err(1);
                    }
                }
            }
        }
    }
    for name in &missing {
        let text = match kind {
            Some("image") => format!(
                "Error response from daemon: No such image: {}",
                super::image::normal(name)
            ),
            Some("container") => format!("Error response from daemon: No such container: {name}"),
            _ => format!("Error: No such object: {name}"),
        };
        call.err(format!("{text}\n")).await;
    }
    Ok(i32::from(!missing.is_empty()))
}

pub(super) async fn ps(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("all", Some('a'), false),
        Flag("quiet", Some('q'), false),
        Flag("no-trunc", None, false),
        Flag("format", None, true),
        Flag("filter", Some('f'), true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let fits = |container: &Container| {
        arguments
            .values("filter")
            .all(|filter| match filter.split_once('=') {
                Some(("name", name)) => container
                    .plan
                    .name
                    .contains(name.trim_start_matches('^').trim_end_matches('$')),
                Some(("status", status)) => container.status.as_str() == status,
                Some(("label", label)) => match label.split_once('=') {
                    Some((name, value)) => container.label(name) == value,
                    None => container.plan.labels.contains_key(label),
                },
                _ => false,
            })
    };
    let rows: Vec<Value> = docker
        .state()
        .containers
        .iter()
        .filter(|container| (arguments.has("all") || container.is_up()) && fits(container))
        .map(row)
        .collect();
    if arguments.has("quiet") {
        return print(
            call,
            rows.iter()
                .map(|row| row["ID"].as_str().unwrap_or_default().to_owned()),
        )
        .await;
    }
    table(
        call,
        &rows,
        arguments.value("format"),
        &[
            ("CONTAINER ID", "ID"),
            ("IMAGE", "Image"),
            ("COMMAND", "Command"),
            ("STATUS", "Status"),
            ("PORTS", "Ports"),
            ("NAMES", "Names"),
        ],
    )
    .await
}

fn row(container: &Container) -> Value {
    json!({
        "ID": container.id[..12],
        "Image": container.plan.image,
        "Command": format!("\"{}\"", container.plan.command.join(" ")),
        "CreatedAt": precise(container.created),
        "Status": container.status_text(container.health()),
        "State": container.status.as_str(),
        "Ports": container.ports_text(),
        "Names": container.plan.name,
        "Labels": container.plan.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
    })
}

/// Rows as a table, as JSON (an object a line), or by a template.
pub(super) async fn table(
    call: &Call,
    rows: &[Value],
    format: Option<&str>,
    columns: &[(&str, &str)],
) -> Done {
    if let Some(format) = format.filter(|format| *format != "table") {
        for row in rows {
            match render(format.trim_start_matches("table "), row) {
                Ok(text) => call.out(format!("{text}\n")).await?,
                Err(message) => {
                    call.err(format!("{message}\n")).await;
                    return Err(64);
                }
            }
        }
        return Ok(0);
    }
    let cell = |row: &Value, key: &str| {
        row[key]
            .as_str()
            .map_or_else(|| row[key].to_string(), str::to_owned)
    };
    let widths: Vec<usize> = columns
        .iter()
        .map(|(title, key)| {
            rows.iter()
                .map(|row| cell(row, key).len())
                .chain([title.len()])
                .max()
                .unwrap_or(0)
                + 3
        })
        .collect();
    let line = |cells: Vec<String>| {
        let text: String = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.trim_end().to_owned()
    };
    let heading = line(
        columns
            .iter()
            .map(|(title, _)| (*title).to_owned())
            .collect(),
    );
    let body = rows
        .iter()
        .map(|row| line(columns.iter().map(|(_, key)| cell(row, key)).collect()));
    print(call, std::iter::once(heading).chain(body)).await
}

pub(super) async fn images(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("all", Some('a'), false),
        Flag("quiet", Some('q'), false),
        Flag("no-trunc", None, false),
        Flag("digests", None, false),
        Flag("format", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let rows: Vec<Value> = docker
        .state()
        .images
        .iter()
        .filter(|image| {
            arguments
                .rest
                .first()
                .is_none_or(|name| image.is_called(name) || image.repository_and_tag().0 == name)
        })
        .map(|image| {
            let (repository, tag) = image.repository_and_tag();
            json!({
                "Repository": repository,
                "Tag": tag,
                "ID": image.id["sha256:".len()..][..12],
                "Digest": image.digest.as_deref().unwrap_or("<none>"),
                "Size": format!("{}MB", image.size().div_ceil(1_000_000)),
            })
        })
        .collect();
    if arguments.has("quiet") {
        return print(
            call,
            rows.iter()
                .map(|row| row["ID"].as_str().unwrap_or_default().to_owned()),
        )
        .await;
    }
    table(
        call,
        &rows,
        arguments.value("format"),
        &[
            ("REPOSITORY", "Repository"),
            ("TAG", "Tag"),
            ("IMAGE ID", "ID"),
            ("SIZE", "Size"),
        ],
    )
    .await
}
