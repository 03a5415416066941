//! `docker run`, `docker exec`.

use std::sync::Arc;
use std::time::Duration;

use super::arguments::{Arguments, Flag, read};
use super::container::{Plan, Port, Restart};
use super::exec::{Inside, run_inside};
use super::pull::Style;
use super::{Docker, LogQuery, Shown, follow, image};
use crate::faults::Action;
use crate::unix::{Call, Done};

const FLAGS: &[Flag] = &[
    Flag("rm", None, false),
    Flag("detach", Some('d'), false),
    Flag("interactive", Some('i'), false),
    Flag("tty", Some('t'), false),
    Flag("name", None, true),
    Flag("network", None, true),
    Flag("net", None, true),
    Flag("env", Some('e'), true),
    Flag("publish", Some('p'), true),
    Flag("volume", Some('v'), true),
    Flag("restart", None, true),
    Flag("entrypoint", None, true),
    Flag("pull", None, true),
    Flag("label", Some('l'), true),
    Flag("user", Some('u'), true),
    Flag("workdir", Some('w'), true),
    Flag("memory", Some('m'), true),
    Flag("init", None, false),
];

/// The words of runc where it cannot set up a container on a bridge network (before lxc-pve 6.0.5-2).
const SYSCTL: &str = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied: unknown";

async fn refused<T>(call: &Call, code: i32, message: &str) -> Result<T, i32> {
    call.err(format!(
        "docker: Error response from daemon: {message}.\nSee 'docker run --help'.\n"
    ))
    .await;
    Err(code)
}

pub(super) async fn run(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let arguments = read(call, words, FLAGS, false, 125).await?;
    let Some((name, command)) = arguments.rest.split_first() else {
        call.err("\"docker run\" requires at least 1 argument.\nSee 'docker run --help'.\n")
            .await;
        return Err(1);
    };
    docker.check(call).await.map_err(|_| 125)?;
    bring(docker, call, &arguments, name).await?;
    let network = arguments
        .value("network")
        .or(arguments.value("net"))
        .unwrap_or("bridge")
        .to_owned();
    join(docker, call, &network).await?;
    docker.guest.pace().take(Duration::from_millis(400)).await;
    let image = docker.state().image(name).cloned();
    let contents = image.as_ref().filter(|image| image.contents.is_some());
    let mut argv: Vec<String> = arguments
        .value("entrypoint")
        .map(str::to_owned)
        .into_iter()
        .collect();
    argv.extend(command.iter().cloned());
    if let Some(image) = contents {
        let inside = Arc::new(Inside::of_contents("smoke", image));
        if argv.is_empty() {
            return refused(call, 125, "no command specified").await;
        }
        return finished(
            call,
            run_inside(&inside, [], call, argv, arguments.has("interactive")).await,
        )
        .await;
    }
    let plan = match plan(&arguments, name, &argv, &network) {
        Ok(plan) => plan,
        Err(message) => {
            call.err(format!("docker: {message}.\n")).await;
            return Err(125);
        }
    };
    // A command in the foreground of an image from a registry runs in its machine, if it is one that ends.
    if !arguments.has("detach") && !argv.is_empty() {
        let inside = Arc::new(Inside::of_registry(&plan));
        let ran = run_inside(
            &inside,
            plan.environment.clone(),
            call,
            argv,
            arguments.has("interactive"),
        )
        .await;
        return finished(call, ran).await;
    }
    start(docker, call, &arguments, plan).await
}

/// Fetches the image where it is missing.
async fn bring(
    docker: Docker<'_>,
    call: &Call,
    arguments: &Arguments,
    name: &str,
) -> Result<(), i32> {
    if docker.state().image(name).is_some() {
        return Ok(());
    }
    let normal = image::normal(name);
    if arguments.value("pull") == Some("never") {
        return refused(call, 125, &format!("No such image: {normal}")).await;
    }
    call.err(format!("Unable to find image '{normal}' locally\n"))
        .await;
    match docker.pull(call, name, Style::Docker).await {
        Ok(_) => Ok(()),
        Err(message) => refused(call, 125, &message).await,
    }
}

/// Whether a container can be put on a network: that is where hosts with an old lxc-pve fail.
async fn join(docker: Docker<'_>, call: &Call, network: &str) -> Result<(), i32> {
    if network == "host" || network == "none" {
        return Ok(());
    }
    if network != "bridge" && !docker.state().networks.contains_key(network) {
        return refused(call, 125, &format!("network {network} not found")).await;
    }
    match docker.guest.fault_of("smoke_test", &[Action::Fail]) {
        Some(fault) => refused(call, 126, &fault.text(SYSCTL)).await,
        None => Ok(()),
    }
}

/// Makes and starts a container; in the foreground its log is shown until it ends.
async fn start(docker: Docker<'_>, call: &Call, arguments: &Arguments, plan: Plan) -> Done {
    let created = {
        let mut state = docker.state();
        state.create(plan).and_then(|id| {
            state.ports_free(&id)?;
            Ok(id)
        })
    };
    let id = match created {
        Ok(id) => id,
        Err(message) => return refused(call, 125, &message).await,
    };
    let code = {
        let mut state = docker.state();
        let realistic = docker.guest.pace().is_realistic();
        let code = state.container_mut(&id).map(|container| {
            container.start(None, realistic);
            container.exit_code
        });
        state.changed();
        code.unwrap_or(0)
    };
    if arguments.has("detach") {
        call.out(format!("{id}\n")).await?;
        return Ok(0);
    }
    let shown = [Shown {
        id: id.clone(),
        prefix: String::new(),
    }];
    let query = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    follow(docker, call, &shown, &query).await?;
    if arguments.has("rm") {
        docker
            .state()
            .containers
            .retain(|container| container.id != id);
    }
    Ok(code)
}

fn plan(
    arguments: &Arguments,
    image: &str,
    command: &[String],
    network: &str,
) -> Result<Plan, String> {
    let pairs = |name: &str| -> std::collections::BTreeMap<String, String> {
        arguments
            .values(name)
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let mut ports = Vec::new();
    for text in arguments.values("publish") {
        let (mapping, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let mut parts = mapping.rsplit(':');
        let target = parts.next().and_then(|part| part.parse().ok());
        let published = parts.next().map_or(Ok(0), str::parse);
        let (Some(target), Ok(published)) = (target, published) else {
            return Err(format!("invalid publish specification: {text}"));
        };
        ports.push(Port {
            address: parts.next().unwrap_or("0.0.0.0").to_owned(),
            published,
            target,
            protocol: protocol.to_owned(),
        });
    }
    let restart = arguments.value("restart").unwrap_or("no");
    Ok(Plan {
        name: arguments.value("name").map_or_else(
            || format!("quiet_{:08x}", rand::random::<u32>()),
            str::to_owned,
        ),
        image: image.to_owned(),
        command: command.to_vec(),
        environment: pairs("env"),
        labels: pairs("label"),
        ports,
        host_network: network == "host",
        networks: vec![network.to_owned()],
        mounts: arguments.values("volume").map(str::to_owned).collect(),
        restart: Restart::of(restart).ok_or(format!("invalid restart policy: {restart}"))?,
        has_health_check: false,
    })
}

/// What the client makes of the end of a command in a new container.
async fn finished(call: &Call, ran: Result<i32, (i32, String)>) -> Done {
    match ran {
        Ok(code) => Ok(code),
        Err((1, message)) => {
            call.err(format!("{message}\n")).await;
            Err(1)
        }
        Err((code, message)) => {
            refused(
                call,
                code,
                &format!("failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: {message}: unknown"),
            )
            .await
        }
    }
}

/// `docker exec [-i] [-e A=B] CONTAINER COMMAND…`.
pub(super) async fn exec(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let arguments = read(call, words, FLAGS, false, 125).await?;
    let [name, command @ ..] = arguments.rest.as_slice() else {
        call.err("\"docker exec\" requires at least 2 arguments.\n")
            .await;
        return Err(1);
    };
    docker.check(call).await?;
    let found = docker.state().container(name).cloned();
    let Some(container) = found else {
        return Docker::refuse(call, 1, &format!("No such container: {name}")).await;
    };
    if !container.is_up() {
        return Docker::refuse(
            call,
            1,
            &format!("container {} is not running", container.id),
        )
        .await;
    }
    exec_in(
        docker,
        call,
        &container,
        command.to_vec(),
        &arguments,
        arguments.has("interactive"),
    )
    .await
}

/// Runs a command in a running container, for `docker exec` and `docker compose exec`.
pub(in crate::guests::modelled) async fn exec_in(
    docker: Docker<'_>,
    call: &Call,
    container: &super::container::Container,
    command: Vec<String>,
    arguments: &Arguments,
    interactive: bool,
) -> Done {
    docker.guest.pace().take(Duration::from_millis(150)).await;
    let mut environment = container.plan.environment.clone();
    environment.extend(
        arguments
            .values("env")
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    match run_inside(&container.inside, environment, call, command, interactive).await {
        Ok(code) => Ok(code),
        Err((code, message)) => {
            call.err(format!("OCI runtime exec failed: exec failed: unable to start container process: {message}: unknown\n")).await;
            Err(code)
        }
    }
}
