//! The REST face: what `pveproxy` answers on port 8006.
//!
//! ```text
//! TLS, HTTP/1.1 ─ request (body rules) ─ auth ─ route ─ schema ─ fault? ─ call ─ answer
//! ```
//! It knows HTTP and Proxmox's manners; what a call *does* is in [`crate::work`].

mod answer;
mod auth;
mod calls;
mod form;
pub(crate) mod routes;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::{BodyExt as _, Limited};
use hyper::header;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::faults::{Action, Fault};
use crate::hand::Stranger;
use crate::model::identity::Identity;
use crate::options::ErrorStyle;
use crate::params::Params;
use crate::schema;
use crate::work::Caller;
use answer::Answer;
use routes::{Call, Route};

/// Greatest body that the server reads.
const BODY_LIMIT: usize = 512 * 1024;

/// How long after its caller was told that it got no answer a late call is carried out.
const LATE: Duration = Duration::from_millis(200);

/// Parameters that only Proxmox VE 9 knows.
const NEW_PARAMETERS: &[&str] = &["entrypoint", "env", "ha-managed"];

/// Answers everything that is not `/sim/…`.
pub(crate) async fn handle(State(cluster): State<Cluster>, request: Request) -> Response {
    let style = cluster.error_style();
    match serve(&cluster, request).await {
        Ok(Served::Whole(answer)) => answer.into_response(),
        Ok(Served::Half(answer)) => answer.into_broken_response(),
        Err(failure) => {
            if failure.status == 401 {
                cluster.pace().take(Duration::from_secs(3)).await;
            }
            answer::refusal(&failure, style)
        }
    }
}

/// An answer, and whether the connection survives it.
enum Served {
    Whole(Answer),
    Half(Answer),
}

async fn serve(cluster: &Cluster, request: Request) -> Result<Served, Failure> {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Err(Failure::proxy(
            501,
            "chunked transfer encoding not supported",
        ));
    }
    let Some(path) = path.strip_prefix("/api2/json") else {
        return Err(Failure::proxy(404, format!("no such file '{path}'")));
    };
    let found = routes::find(&method, path);
    let open = found.as_ref().is_some_and(|(route, _)| route.open);
    let identity = if open {
        None
    } else {
        Some(auth::identify(&cluster.model(), &request)?)
    };
    let given = read(&method, request).await?;
    let (route, captures) = found.ok_or_else(|| {
        Failure::not_implemented(format!("Method '{method} {path}' not implemented"))
    })?;
    let params = check(cluster, route, captures, given)?;
    answer(cluster, route, identity, params).await
}

/// Reads and decodes a body, where there may be one, and the query.
async fn read(method: &str, request: Request) -> Result<BTreeMap<String, String>, Failure> {
    let (parts, body) = request.into_parts();
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let length: usize = header(header::CONTENT_LENGTH)
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut given = BTreeMap::new();
    if length > 0 {
        if !["POST", "PUT"].contains(&method) {
            let text = format!("Unexpected content for method '{method}'");
            return Err(Failure::proxy(501, text));
        }
        if length > BODY_LIMIT {
            return Err(Failure::proxy(501, "for data too large"));
        }
        let kind = form::Kind::of(header(header::CONTENT_TYPE))?;
        let bytes = Limited::new(body, BODY_LIMIT)
            .collect()
            .await
            .map_err(|_| Failure::proxy(400, "unable to read the request's content"))?
            .to_bytes();
        given = kind.decode(&bytes)?;
    }
    given.extend(form::decode(parts.uri.query().unwrap_or_default())?);
    Ok(given)
}

/// Joins what the path says with what was given, and checks it against the call's tables.
fn check(
    cluster: &Cluster,
    route: &Route,
    captures: BTreeMap<String, String>,
    mut given: BTreeMap<String, String>,
) -> Result<Params, Failure> {
    for (name, value) in captures {
        if given.get(&name).is_some_and(|other| *other != value) {
            return Err(Failure::parameter(
                &name,
                "duplicate parameter (already defined in URI) with conflicting values!",
            ));
        }
        given.insert(name, value);
    }
    if cluster.error_style() == ErrorStyle::ReasonOnly
        && let Some(name) = NEW_PARAMETERS
            .iter()
            .find(|name| given.contains_key(**name))
    {
        return Err(Failure::parameter(name, schema::UNKNOWN));
    }
    schema::check(route.tables, given)
}

async fn answer(
    cluster: &Cluster,
    route: &Route,
    identity: Option<Identity>,
    params: Params,
) -> Result<Served, Failure> {
    reach(cluster, &params)?;
    let fault = route.place.and_then(|place| {
        let vmid = params.text("vmid").and_then(|vmid| vmid.parse().ok());
        cluster.faults().take(place, params.text("node"), vmid)
    });
    if let Some(fault) = &fault {
        before(cluster, route.call, fault, &params).await?;
    }
    let caller = Caller {
        // Open calls ask nobody's permission; whom they act as is never looked at.
        identity: identity.unwrap_or_else(Identity::nobody),
        fault: fault.clone(),
    };
    if fault
        .as_ref()
        .is_some_and(|fault| fault.action == Action::Late)
    {
        let (cluster, what) = (cluster.clone(), route.call);
        let tracker = cluster.tracker().clone();
        cluster.late().send_modify(|count| *count += 1);
        tracker.spawn(async move {
            tokio::time::sleep(LATE).await;
            // Whoever asked has gone; how it ends, nobody is told.
            let _ = call(&cluster, what, &caller, &params).await;
            cluster.late().send_modify(|count| *count -= 1);
        });
        return Err(Failure::proxy(596, "Connection timed out"));
    }
    let answer = call(cluster, route.call, &caller, &params).await?;
    match fault.map(|fault| fault.action) {
        Some(Action::AnswerLost) => Err(Failure::proxy(596, "Connection timed out")),
        Some(Action::Cut) => Ok(Served::Half(answer)),
        _ => Ok(Served::Whole(answer)),
    }
}

/// Any node takes calls for any other, if it can find and reach it.
fn reach(cluster: &Cluster, params: &Params) -> Result<(), Failure> {
    let Some(name) = params.text("node") else {
        return Ok(());
    };
    if cluster.model().node(name)?.online {
        Ok(())
    } else {
        Err(Failure::proxy(595, "No route to host"))
    }
}

/// What a fault does before the call is carried out.
async fn before(
    cluster: &Cluster,
    call: Call,
    fault: &Fault,
    params: &Params,
) -> Result<(), Failure> {
    let action = match fault.action {
        // A call without a task fails or hangs itself.
        Action::FailInTask if !call.forks() => Action::Refuse,
        Action::HangInTask if !call.forks() => Action::Hang,
        action => action,
    };
    match action {
        Action::Refuse => Err(Failure::died(
            fault.text("got no worker upid - start worker failed"),
        )),
        Action::Overtaken => {
            let stranger = Stranger {
                vmid: params.vmid(),
                node: params.node().to_owned(),
                config: BTreeMap::new(),
            };
            cluster.settle(&stranger).map_err(Failure::died)
        }
        Action::LostBefore => Err(Failure::proxy(596, fault.text("Connection timed out"))),
        Action::Unauthorized => Err(Failure::unauthenticated(
            fault.text("permission denied - invalid PVE ticket"),
        )),
        Action::Forbidden => Err(match &fault.message {
            Some(text) => Failure {
                text: text.clone(),
                ..Failure::forbidden("")
            },
            None => Failure::forbidden("/, Sys.Modify"),
        }),
        Action::Hang => {
            cluster.faults().lets_go(fault).await;
            Ok(())
        }
        Action::Offline => {
            if let Some(node) = params.text("node") {
                cluster.take_offline(node);
            }
            reach(cluster, params)
        }
        _ => Ok(()),
    }
}

async fn call(
    cluster: &Cluster,
    call: Call,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    use calls::{access, containers, nodes, overview, storages, tasks};
    match call {
        Call::Login => access::login(cluster, params),
        Call::Permissions => access::permissions(cluster, caller, params),
        Call::Version => Ok(overview::version(cluster)),
        Call::Resources => overview::resources(cluster, caller, params).await,
        Call::ClusterStatus => overview::status(cluster, caller),
        Call::NextId => overview::next_id(cluster, params),
        Call::Pools => overview::pools(cluster, caller, params),
        Call::Nodes => Ok(nodes::list(cluster, caller).await),
        Call::NodeStatus => nodes::status(cluster, caller, params).await,
        Call::Networks => Ok(nodes::networks(cluster, params)?),
        Call::Machines => nodes::machines(cluster, caller, params),
        Call::Storages => storages::list(cluster, caller, params).await,
        Call::Content => storages::content(cluster, caller, params),
        Call::TemplateIndex => Ok(storages::index(cluster)),
        Call::DownloadTemplate => cluster.download(caller, params).map(Answer::text),
        Call::Containers => containers::list(cluster, caller, params).await,
        Call::CreateContainer => cluster.create_container(caller, params).map(Answer::text),
        Call::DeleteContainer => containers::delete(cluster, caller, params).await,
        Call::StartContainer => containers::start(cluster, caller, params).await,
        Call::StopContainer => containers::stop(cluster, caller, params).await,
        Call::ShutdownContainer => containers::shutdown(cluster, caller, params).await,
        Call::RebootContainer => containers::reboot(cluster, caller, params).await,
        Call::ContainerConfig => containers::config(cluster, caller, params),
        Call::SetContainerConfig => containers::set_config(cluster, caller, params).await,
        Call::ContainerStatus => containers::status(cluster, caller, params).await,
        Call::Interfaces => containers::interfaces(cluster, caller, params).await,
        Call::Tasks => tasks::list(cluster, caller, params),
        Call::TaskStatus => tasks::status(cluster, caller, params),
        Call::TaskLog => tasks::log(cluster, caller, params),
        Call::StopTask => tasks::stop(cluster, caller, params),
    }
}
