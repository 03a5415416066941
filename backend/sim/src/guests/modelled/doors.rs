//! Real sockets behind the published ports of guests whose addresses are this machine's own: a browser that opens
//! what an app publishes is answered while its container runs, and refused when it does not.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, USER_AGENT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Modelled;
use super::docker::Visitor;
use super::page::{self, Page};

/// How often is looked at what is published: leases and containers come up by the clock.
const LOOK: Duration = Duration::from_millis(100);

/// A published port of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Door {
    pub(super) vmid: u32,
    pub(super) address: SocketAddr,
}

/// Opens what is published and closes what is not any more, until `shutdown`.
pub(super) async fn keep(guests: Arc<Modelled>, tracker: TaskTracker, shutdown: CancellationToken) {
    let mut open: BTreeMap<Door, CancellationToken> = BTreeMap::new();
    let mut refused: BTreeSet<Door> = BTreeSet::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = look.tick() => {}
        }
        let wanted = guests.doors();
        open.retain(|door, closed| {
            let stays = wanted.contains(door);
            if !stays {
                closed.cancel();
            }
            stays
        });
        refused.retain(|door| wanted.contains(door));
        for door in wanted {
            if open.contains_key(&door) || refused.contains(&door) {
                continue;
            }
            match TcpListener::bind(door.address).await {
                Ok(listener) => {
                    let closed = shutdown.child_token();
                    let listening = listen(
                        Arc::clone(&guests),
                        door,
                        listener,
                        tracker.clone(),
                        closed.clone(),
                    );
                    tracker.spawn(listening);
                    open.insert(door, closed);
                }
                Err(error) => {
                    tracing::warn!(
                        vmid = door.vmid,
                        "the simulated app at http://{} cannot be opened in a browser: {error}",
                        door.address
                    );
                    refused.insert(door);
                }
            }
        }
    }
}

async fn listen(
    guests: Arc<Modelled>,
    door: Door,
    listener: TcpListener,
    tracker: TaskTracker,
    closed: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = closed.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors or a peer that is gone already: neither ends the listener.
            tokio::task::yield_now().await;
            continue;
        };
        let (guests, closed) = (Arc::clone(&guests), closed.clone());
        tracker.spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                outcome = serve(guests, door, stream) => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "a visitor's connection ended");
                    }
                }
            }
        });
    }
}

async fn serve(guests: Arc<Modelled>, door: Door, stream: TcpStream) -> hyper::Result<()> {
    let answering = service_fn(move |request: Request<Incoming>| {
        let guests = Arc::clone(&guests);
        async move { Ok::<_, Infallible>(answer(&guests, door, &request)) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

fn answer<B>(guests: &Modelled, door: Door, request: &Request<B>) -> Response<Full<Bytes>> {
    let agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let visitor = Visitor {
        port: door.address.port(),
        method: request.method().as_str(),
        path: request.uri().path(),
        agent: agent.unwrap_or("-"),
    };
    let page = guests
        .find(door.vmid)
        .and_then(|guest| page::of(&guest, door.address, &visitor));
    // The container has stopped a moment ago; the door closes at the next look.
    let page = page.unwrap_or_else(|| Page::plain(503, "the container is not running\n"));
    let mut response = Response::new(Full::new(Bytes::from(page.body)));
    *response.status_mut() =
        StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in [
        (CONTENT_TYPE, page.kind),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::POLICY),
    ] {
        let value = hyper::header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
