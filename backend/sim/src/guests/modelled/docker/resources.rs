//! Commands on networks, volumes and disk space.

use serde_json::json;

use super::arguments::{Flag, read};
use super::inspect::table;
use super::{Docker, image, print};
use crate::unix::{Call, Done};

pub(super) async fn network(
    docker: Docker<'_>,
    call: &Call,
    command: &str,
    words: &[String],
) -> Done {
    let flags = [
        Flag("quiet", Some('q'), false),
        Flag("format", None, true),
        Flag("filter", Some('f'), true),
        Flag("driver", Some('d'), true),
        Flag("internal", None, false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    match command {
        "ls" | "list" => {
            let mut names: Vec<String> = ["bridge", "host", "none"].map(str::to_owned).to_vec();
            names.extend(docker.state().networks.keys().cloned());
            if arguments.has("quiet") {
                return print(
                    call,
                    names.iter().map(|name| image::hash(name)[..12].to_owned()),
                )
                .await;
            }
            let rows: Vec<_> = names
                .iter()
                .map(|name| json!({"ID": image::hash(name)[..12], "Name": name, "Driver": if name == "host" { "host" } else { "bridge" }, "Scope": "local"}))
                .collect();
            table(
                call,
                &rows,
                arguments.value("format"),
                &[
                    ("NETWORK ID", "ID"),
                    ("NAME", "Name"),
                    ("DRIVER", "Driver"),
                    ("SCOPE", "Scope"),
                ],
            )
            .await
        }
        "create" => {
            let Some(name) = arguments.rest.first() else {
                call.err("\"docker network create\" requires exactly 1 argument.\n")
                    .await;
                return Err(1);
            };
            let there = docker.state().networks.contains_key(name);
            if there {
                return Docker::refuse(
                    call,
                    1,
                    &format!("network with name {name} already exists"),
                )
                .await;
            }
            docker.state().networks.insert(name.clone(), String::new());
            print(call, [image::hash(name)]).await
        }
        "rm" | "remove" => {
            let mut code = 0;
            for name in &arguments.rest {
                let removed = docker.state().networks.remove(name).is_some();
                if removed {
                    call.out(format!("{name}\n")).await?;
                } else {
                    call.err(format!(
                        "Error response from daemon: network {name} not found\n"
                    ))
                    .await;
                    code = 1;
                }
            }
            Ok(code)
        }
        "inspect" => {
            let name = arguments.rest.first().map_or("", String::as_str);
            let there = matches!(name, "bridge" | "host" | "none")
                || docker.state().networks.contains_key(name);
            if !there {
                return Docker::refuse(call, 1, &format!("network {name} not found")).await;
            }
            print(
                call,
                [format!(
                    "{:#}",
                    json!([{"Name": name, "Id": image::hash(name), "Driver": "bridge"}])
                )],
            )
            .await
        }
        other => unknown(call, "network", other).await,
    }
}

pub(super) async fn volume(
    docker: Docker<'_>,
    call: &Call,
    command: &str,
    words: &[String],
) -> Done {
    let flags = [
        Flag("quiet", Some('q'), false),
        Flag("format", None, true),
        Flag("force", Some('f'), false),
        Flag("filter", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    match command {
        "ls" | "list" => {
            let names: Vec<String> = docker.state().volumes.iter().cloned().collect();
            if arguments.has("quiet") {
                return print(call, names).await;
            }
            let rows: Vec<_> = names
                .iter()
                .map(|name| json!({"Driver": "local", "Name": name}))
                .collect();
            table(
                call,
                &rows,
                arguments.value("format"),
                &[("DRIVER", "Driver"), ("VOLUME NAME", "Name")],
            )
            .await
        }
        "create" => {
            let name = arguments
                .rest
                .first()
                .cloned()
                .unwrap_or_else(|| hex::encode(rand::random::<[u8; 32]>()));
            docker.state().volumes.insert(name.clone());
            print(call, [name]).await
        }
        "rm" | "remove" => {
            let mut code = 0;
            for name in &arguments.rest {
                let used = docker
                    .state()
                    .containers
                    .iter()
                    .find(|container| container.plan.mounts.contains(name))
                    .map(|container| container.id.clone());
                let message = match used {
                    Some(id) => format!("remove {name}: volume is in use - [{id}]"),
                    None if docker.state().volumes.remove(name) => {
                        call.out(format!("{name}\n")).await?;
                        continue;
                    }
                    None => format!("get {name}: no such volume"),
                };
                call.err(format!("Error response from daemon: {message}\n"))
                    .await;
                code = 1;
            }
            Ok(code)
        }
        "inspect" => {
            let name = arguments.rest.first().map_or("", String::as_str);
            let there = docker.state().volumes.contains(name);
            if !there {
                return Docker::refuse(call, 1, &format!("get {name}: no such volume")).await;
            }
            print(call, [format!("{:#}", json!([{"Name": name, "Driver": "local", "Mountpoint": format!("/var/lib/docker/volumes/{name}/_data")}]))]).await
        }
        other => unknown(call, "volume", other).await,
    }
}

async fn unknown(call: &Call, group: &str, command: &str) -> Done {
    call.err(format!(
        "docker: 'docker {group} {command}' is not a docker command.\nSee 'docker {group} --help'\n"
    ))
    .await;
    Err(1)
}

pub(super) async fn disk(docker: Docker<'_>, call: &Call) -> Done {
    docker.check(call).await?;
    let rows = {
        let state = docker.state();
        let size: u64 = state.layers.values().sum();
        let active = state
            .containers
            .iter()
            .filter(|container| container.is_up())
            .count();
        [
            json!({"Type": "Images", "Total": state.images.len(), "Active": active, "Size": format!("{}MB", size / 1_000_000)}),
            json!({"Type": "Containers", "Total": state.containers.len(), "Active": active, "Size": "0B"}),
            json!({"Type": "Local Volumes", "Total": state.volumes.len(), "Active": state.volumes.len(), "Size": "0B"}),
            json!({"Type": "Build Cache", "Total": 0, "Active": 0, "Size": "0B"}),
        ]
    };
    table(
        call,
        &rows,
        None,
        &[
            ("TYPE", "Type"),
            ("TOTAL", "Total"),
            ("ACTIVE", "Active"),
            ("SIZE", "Size"),
        ],
    )
    .await
}
