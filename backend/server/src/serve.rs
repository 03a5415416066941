//! Connections: taken from a socket that the caller owns, until the caller says stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{metrics, stopping::Stopping};

/// How long requests that are under way may take when the service stops: the whole stop is over within ten seconds.
pub const GRACE: Duration = Duration::from_secs(6);
/// Open files that are left to databases and SSH sessions.
const OTHER_FILES: u64 = 224;
/// Most connections at the same time, however many files may be open: each costs memory.
const CONNECTIONS: u64 = 8000;
/// Longest time for the head of a request; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(30);
/// Pause after the system refused a connection, which is nearly always a lack of file descriptors.
const REFUSED: Duration = Duration::from_millis(100);
/// How often collected measures are put together.
const UPKEEP: Duration = Duration::from_secs(10);

/// Serves `router` on `listener` until `shutdown`. Then takes no further connection, ends streams at once,
/// lets other requests finish within [`GRACE`], and returns.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    serve_within(listener, router, shutdown, GRACE).await
}

/// [`serve()`] with another limit for requests that are under way at the end.
pub async fn serve_within(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    grace: Duration,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "Listening on {address}");
    let mut connections = JoinSet::new();
    accept(&listener, &router, &shutdown, &mut connections).await;
    drop(listener);
    let finished = time::timeout(grace, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if finished.is_err() {
        let left = connections.len();
        tracing::warn!(
            left,
            "{left} connections were cut: their requests were not finished in time"
        );
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    shutdown: &CancellationToken,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(most_connections()));
    let mut upkeep = time::interval(UPKEEP);
    let next = async || {
        let place = places
            .clone()
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        (place, listener.accept().await)
    };
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = upkeep.tick() => metrics::upkeep(),
            Some(_) = connections.join_next() => {}
            (place, accepted) = next() => match accepted {
                Ok((stream, peer)) => {
                    let (router, shutdown) = (router.clone(), shutdown.clone());
                    connections.spawn(async move {
                        connection(stream, peer, router, shutdown).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    time::sleep(REFUSED).await;
                }
            },
        }
    }
}

/// As many as the process may open files, and no more than it can bear.
fn most_connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = files.saturating_sub(OTHER_FILES).clamp(16, CONNECTIONS);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// One connection until either side ends it.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) {
    // An event is a small packet that nothing follows: it must not wait for one.
    let _ = stream.set_nodelay(true);
    let stopping = Stopping(shutdown.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(stopping.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // A client that goes away in the middle is none of our business.
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Serves a handler that begins, tells so, and goes on when it is told.
    async fn request_under_way(
        grace: Duration,
    ) -> (
        TcpStream,
        Arc<Notify>,
        CancellationToken,
        JoinSet<io::Result<()>>,
    ) {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, waits) = (begun.clone(), go_on.clone());
        let router = Router::new().route(
            "/",
            get(async move || {
                begins.notify_one();
                waits.notified().await;
                "done"
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (shutdown, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(serve_within(listener, router, shutdown.clone(), grace));
        socket
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        time::timeout(LONG, begun.notified()).await.unwrap();
        (socket, go_on, shutdown, task)
    }

    async fn answer(mut socket: TcpStream) -> String {
        let mut answer = String::new();
        time::timeout(LONG, socket.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        answer
    }

    #[tokio::test]
    async fn a_request_that_is_under_way_is_finished() {
        let (socket, go_on, shutdown, mut task) = request_under_way(LONG).await;
        shutdown.cancel();
        go_on.notify_one();
        assert!(answer(socket).await.ends_with("\r\n\r\ndone"));
        time::timeout(LONG, task.join_next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_cut() {
        let (socket, _go_on, shutdown, mut task) =
            request_under_way(Duration::from_millis(50)).await;
        shutdown.cancel();
        time::timeout(LONG, task.join_next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(answer(socket).await, "");
    }
}
