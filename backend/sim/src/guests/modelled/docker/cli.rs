//! The commands of `docker`.

use std::time::{Duration, SystemTime};

use super::arguments::{Flag, read};
use super::inspect::{images, inspect, ps};
use super::logs::{LogQuery, Shown, follow};
use super::resources::{disk, network, volume};
use super::run::{exec, run};
use super::store::{import, prune, pull, remove_images, tag};
use super::{Docker, info};
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
