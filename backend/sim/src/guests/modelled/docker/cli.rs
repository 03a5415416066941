//! The commands of `docker`.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::arguments::{Flag, read};
use super::image::Image;
use super::inspect::{images, inspect, ps, table};
use super::logs::{LogQuery, Shown, follow};
use super::pull::Style;
use super::run::{exec, run};
use super::{Docker, image, info, print};
use crate::unix::{Call, Done, execute};

const PLUGIN: &str = "/usr/libexec/docker/cli-plugins/docker-compose";

pub(in crate::guests::modelled) async fn main(docker: Docker<'_>, call: &mut Call) -> Done {
    let words = call.args().to_vec();
    let Some((command, rest)) = words.split_first() else {
        call.out(
            "\nUsage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n",
        )
        .await?;
        return Ok(0);
    };
    let sub = rest.first().map_or("", String::as_str);
    let after = rest.get(1..).unwrap_or_default();
    match (command.as_str(), sub) {
        ("--version" | "-v", _) => {
            call.out(format!("Docker version {}, build a72d7cd\n", info::ENGINE))
                .await?;
            Ok(0)
        }
        ("compose", _) => compose(call, &words).await,
        ("info", _) => info::info(docker, call, rest).await,
        ("system", "info") => info::info(docker, call, after).await,
        ("version", _) => info::version(docker, call, rest).await,
        ("import", _) => import(docker, call, rest).await,
        ("image", "import") => import(docker, call, after).await,
        ("run", _) => run(docker, call, rest).await,
        ("container", "run") => run(docker, call, after).await,
        ("exec", _) => exec(docker, call, rest).await,
        ("ps", _) => ps(docker, call, rest).await,
        ("container", "ls" | "ps" | "list") => ps(docker, call, after).await,
        ("inspect", _) => inspect(docker, call, rest, None).await,
        ("container", "inspect") => inspect(docker, call, after, Some("container")).await,
        ("image", "inspect") => inspect(docker, call, after, Some("image")).await,
        ("images", _) => images(docker, call, rest).await,
        ("image", "ls" | "list") => images(docker, call, after).await,
        ("rmi", _) => remove_images(docker, call, rest).await,
        ("image", "rm" | "remove") => remove_images(docker, call, after).await,
        ("image" | "system", "prune") => prune(docker, call, after).await,
        ("pull", _) => pull(docker, call, rest).await,
        ("image", "pull") => pull(docker, call, after).await,
        ("tag", _) => tag(docker, call, rest).await,
        ("logs", _) => logs(docker, call, rest).await,
        ("container", "logs") => logs(docker, call, after).await,
        ("start" | "stop" | "restart" | "kill" | "rm", _) => {
            power(docker, call, command, rest).await
        }
        ("container", "start" | "stop" | "restart" | "kill" | "rm") => {
            power(docker, call, sub, after).await
        }
        ("network", _) => network(docker, call, sub, after).await,
        ("volume", _) => volume(docker, call, sub, after).await,
        ("system", "df") => disk(docker, call).await,
        (other, _) => {
            call.err(format!(
                "docker: '{other}' is not a docker command.\nSee 'docker --help'\n"
            ))
            .await;
            Err(1)
        }
    }
}

async fn compose(call: &Call, words: &[String]) -> Done {
    let mut argv = vec![PLUGIN.to_owned()];
    argv.extend(words.iter().cloned());
    if let Ok(code) = execute(call.with(argv)).await {
        return Ok(code);
    }
    call.err("docker: 'compose' is not a docker command.\nSee 'docker --help'\n")
        .await;
    Err(1)
}

/// `docker import FILE|- [NAME]`.
async fn import(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("change", Some('c'), true),
        Flag("message", Some('m'), true),
        Flag("platform", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let Some(source) = arguments.rest.first() else {
        call.err("\"docker import\" requires at least 1 argument.\n")
            .await;
        return Err(1);
    };
    let archive = match call.read(source).await {
        Ok(archive) => archive,
        Err(errno) => {
            call.err(format!(
                "open {source}: {}\n",
                errno.to_string().to_lowercase()
            ))
            .await;
            return Err(1);
        }
    };
    let name = arguments.rest.get(1).map_or("<none>", String::as_str);
    let image = match Image::imported(name, &archive) {
        Ok(image) => image,
        Err(reason) => return Docker::refuse(call, 1, &format!("archive/tar: {reason}")).await,
    };
    let stored = crate::unix::Machine::base(docker.guest)
        .files()
        .reserve(image.size());
    if stored.is_err() {
        return Docker::refuse(
            call,
            1,
            "write /var/lib/docker/tmp/import: no space left on device",
        )
        .await;
    }
    let id = image.id.clone();
    {
        let mut state = docker.state();
        for layer in &image.layers {
            state.layers.insert(layer.id.clone(), layer.size);
        }
        state
            .images
            .retain(|other| other.reference != image.reference);
        state.images.push(image);
    }
    call.out(format!("{id}\n")).await?;
    Ok(0)
}

async fn pull(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("quiet", Some('q'), false),
        Flag("platform", None, true),
        Flag("all-tags", Some('a'), false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let Some(name) = arguments.rest.first() else {
        call.err("\"docker pull\" requires exactly 1 argument.\n")
            .await;
        return Err(1);
    };
    if image::normal(name).ends_with(":latest") && !name.ends_with(":latest") {
        call.out("Using default tag: latest\n").await?;
    }
    let was_there = docker.state().image(name).is_some();
    match docker.pull(call, name, Style::Docker).await {
        Ok(image) => {
            let digest = image.digest.clone().unwrap_or_default();
            let what = if was_there {
                "Image is up to date"
            } else {
                "Downloaded newer image"
            };
            call.out(format!(
                "Digest: {digest}\nStatus: {what} for {}\n{}\n",
                image.reference, image.reference
            ))
            .await?;
            Ok(0)
        }
        Err(message) => Docker::refuse(call, 1, &message).await,
    }
}

async fn tag(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    docker.check(call).await?;
    let [from, to] = words else {
        call.err("\"docker tag\" requires exactly 2 arguments.\n")
            .await;
        return Err(1);
    };
    let found = docker.state().image(from).cloned();
    let Some(mut image) = found else {
        return Docker::refuse(call, 1, &format!("No such image: {}", image::normal(from))).await;
    };
    image.reference = image::normal(to);
    let mut state = docker.state();
    state
        .images
        .retain(|other| other.reference != image.reference);
    state.images.push(image);
    Ok(0)
}

async fn remove_images(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("force", Some('f'), false),
        Flag("no-prune", None, false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let mut code = 0;
    for name in &arguments.rest {
        let found = docker.state().image(name).cloned();
        let Some(image) = found else {
            call.err(format!(
                "Error response from daemon: No such image: {}\n",
                image::normal(name)
            ))
            .await;
            code = 1;
            continue;
        };
        let user = docker
            .state()
            .containers
            .iter()
            .find(|container| image.is_called(&container.plan.image))
            .map(|container| container.id[..12].to_owned());
        if let Some(user) = user.filter(|_| !arguments.has("force")) {
            call.err(format!("Error response from daemon: conflict: unable to remove repository reference \"{name}\" (must force) - container {user} is using its referenced image {}\n", &image.id["sha256:".len()..][..12])).await;
            code = 1;
            continue;
        }
        docker.remove_image(&image.reference);
        call.out(format!(
            "Untagged: {}\nDeleted: {}\n",
            image.reference, image.id
        ))
        .await?;
    }
    Ok(code)
}

async fn prune(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("all", Some('a'), false),
        Flag("force", Some('f'), false),
        Flag("volumes", None, false),
        Flag("filter", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let before = crate::unix::Machine::base(docker.guest).files().used();
    let unused: Vec<String> = {
        let state = docker.state();
        state
            .images
            .iter()
            .filter(|image| {
                arguments.has("all")
                    && !state
                        .containers
                        .iter()
                        .any(|container| image.is_called(&container.plan.image))
            })
            .map(|image| image.reference.clone())
            .collect()
    };
    for reference in unused {
        docker.remove_image(&reference);
    }
    let freed = before - crate::unix::Machine::base(docker.guest).files().used();
    call.out(format!("Total reclaimed space: {freed}B\n"))
        .await?;
    Ok(0)
}

async fn logs(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("follow", Some('f'), false),
        Flag("tail", Some('n'), true),
        Flag("since", None, true),
        Flag("timestamps", Some('t'), false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let name = arguments.rest.first().map_or("", String::as_str);
    let id = docker
        .state()
        .container(name)
        .map(|container| container.id.clone());
    let Some(id) = id else {
        return Docker::refuse(call, 1, &format!("No such container: {name}")).await;
    };
    let query = LogQuery {
        tail: LogQuery::tail_of(arguments.value("tail")),
        since: LogQuery::since_of(arguments.value("since"), SystemTime::now()),
        timestamps: arguments.has("timestamps"),
        follow: arguments.has("follow"),
    };
    follow(
        docker,
        call,
        &[Shown {
            id,
            prefix: String::new(),
        }],
        &query,
    )
    .await?;
    Ok(0)
}

/// `start`, `stop`, `restart`, `kill`, `rm` of containers.
async fn power(docker: Docker<'_>, call: &Call, command: &str, words: &[String]) -> Done {
    let flags = [
        Flag("time", Some('t'), true),
        Flag("signal", Some('s'), true),
        Flag("force", Some('f'), false),
        Flag("volumes", Some('v'), false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let realistic = docker.guest.pace().is_realistic();
    let mut code = 0;
    for name in &arguments.rest {
        docker.guest.pace().take(Duration::from_millis(500)).await;
        let refused = {
            let mut state = docker.state();
            let up = state
                .container(name)
                .map(super::container::Container::is_up);
            let id = state
                .container(name)
                .map(|container| container.id.clone())
                .unwrap_or_default();
            let ports = if matches!(command, "start" | "restart") {
                state.ports_free(&id)
            } else {
                Ok(())
            };
            let refused = match (up, state.container_mut(name)) {
                (Some(up), Some(container)) => match command {
                    _ if ports.is_err() => ports.err(),
                    "start" if up => None,
                    "start" | "restart" => {
                        container.start(None, realistic);
                        None
                    }
                    "stop" | "kill" => {
                        container.stop(true);
                        None
                    }
                    _ if up && !arguments.has("force") => Some(format!(
                        "cannot remove container \"/{name}\": container is running: stop the container before removing or force remove"
                    )),
                    _ => {
                        state.containers.retain(|container| container.id != id);
                        None
                    }
                },
                _ => Some(format!("No such container: {name}")),
            };
            state.changed();
            refused
        };
        match refused {
            None => call.out(format!("{name}\n")).await?,
            Some(message) => {
                call.err(format!("Error response from daemon: {message}\n"))
                    .await;
                code = 1;
            }
        }
    }
    Ok(code)
}

async fn network(docker: Docker<'_>, call: &Call, command: &str, words: &[String]) -> Done {
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

async fn volume(docker: Docker<'_>, call: &Call, command: &str, words: &[String]) -> Done {
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

async fn disk(docker: Docker<'_>, call: &Call) -> Done {
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
