//! Streams and the end of the service, over real sockets.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;

use crate::world::{Actor, World};

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A service on a port of its own.
struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinSet<std::io::Result<()>>,
}

impl Running {
    async fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown, mut task) = (
            listener.local_addr().unwrap(),
            CancellationToken::new(),
            JoinSet::new(),
        );
        task.spawn(server::serve(
            listener,
            world.router.clone(),
            shutdown.clone(),
        ));
        Self {
            address,
            shutdown,
            task,
        }
    }

    /// Sends a request and leaves its answer to be read.
    async fn open(&self, actor: &Actor, path: &str) -> Stream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{}\r\n", actor.lines());
        socket.write_all(request.as_bytes()).await.unwrap();
        Stream {
            socket,
            text: String::new(),
        }
    }

    /// Says stop and waits for the end.
    async fn stop(mut self) {
        self.shutdown.cancel();
        time::timeout(LONG, self.task.join_next())
            .await
            .expect("it stops")
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    /// Reads until `wanted` has come, `times` times.
    async fn until(&mut self, wanted: &str, times: usize) -> &str {
        let read = async {
            while self.text.matches(wanted).count() < times {
                let mut bytes = [0; 4096];
                let count = self.socket.read(&mut bytes).await.unwrap();
                assert!(count > 0, "ended before {wanted}: {}", self.text);
                self.text
                    .push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        time::timeout(LONG, read)
            .await
            .unwrap_or_else(|_| panic!("{wanted} did not come"));
        &self.text
    }

    /// Reads until the other side has ended its answer or the connection.
    async fn rest(&mut self) -> &str {
        let read = async {
            let mut bytes = [0; 4096];
            while !self.text.ends_with("0\r\n\r\n") {
                match self.socket.read(&mut bytes).await.unwrap() {
                    0 => break,
                    count => self
                        .text
                        .push_str(std::str::from_utf8(&bytes[..count]).unwrap()),
                }
            }
        };
        time::timeout(LONG, read).await.expect("the stream ends");
        &self.text
    }
}

async fn deploy(actor: &Actor, name: &str) -> Value {
    let answer = actor
        .post(
            "/api/v1/apps",
            &json!({"catalog_id": "memos", "name": name}),
        )
        .await;
    assert_eq!(answer.status, 202);
    answer.json()["operation"].clone()
}

fn events_of(operation: &Value) -> String {
    format!(
        "/api/v1/operations/{}/events",
        operation["id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn events_come_as_they_happen_and_are_replayed_after_the_last_one_seen() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    let operation = deploy(&script, "notes").await;
    let running = Running::start(&world).await;
    let mut stream = running.open(&script, &events_of(&operation)).await;
    let begin = stream.until("\n\n", 1).await.to_lowercase();
    assert!(
        begin.contains("content-type: text/event-stream")
            && begin.contains("x-accel-buffering: no"),
        "{begin}"
    );
    let seen = stream.text.clone();
    assert!(seen.contains("event: operation.queued\n"), "{seen}");
    let id: i64 = seen
        .split("\nid: ")
        .nth(1)
        .or_else(|| seen.split("id: ").nth(1))
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let data = seen.split("data: ").nth(1).unwrap().lines().next().unwrap();
    let event: api::Event = serde_json::from_str(data).unwrap();
    assert_eq!(
        (event.id, event.operation.to_string()),
        (id, operation["id"].as_str().unwrap().to_owned())
    );

    // What happens now comes without being asked for.
    script
        .post(
            &events_of(&operation).replace("events", "cancel"),
            &Value::Null,
        )
        .await;
    stream.until("event: operation.cancel_requested\n", 1).await;

    // Whoever comes back gets what they missed, and not what they had.
    let back = script.clone().with("last-event-id", id.to_string());
    let mut replayed = running
        .open(&back, &format!("{}?after=0", events_of(&operation)))
        .await;
    let text = replayed
        .until("event: operation.cancel_requested\n", 1)
        .await;
    assert!(!text.contains("operation.queued"), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn the_stream_of_an_operation_ends_with_it() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    let operation = deploy(&script, "notes").await;
    // Cancelled before anybody has taken it, so that its driver has nothing to do but to finish it.
    script
        .post(
            &events_of(&operation).replace("events", "cancel"),
            &Value::Null,
        )
        .await;
    let running = Running::start(&world).await;
    let mut stream = running.open(&script, &events_of(&operation)).await;
    stream.until("event: operation.cancel_requested\n", 1).await;
    let (control, halt) = (world.control.clone(), CancellationToken::new());
    let mut worker = JoinSet::new();
    let stop = halt.clone();
    worker.spawn(async move { control.work("test", stop).await });
    let text = stream.rest().await.to_owned();
    assert!(
        text.contains("event: operation.finished\n") && text.ends_with("0\r\n\r\n"),
        "{text}"
    );
    // And for those who come later it is told whole, and ends.
    let mut late = running.open(&script, &events_of(&operation)).await;
    assert!(late.rest().await.contains("event: operation.queued\n"));
    halt.cancel();
    time::timeout(LONG, worker.join_next()).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn events_are_also_a_list_with_pages() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    for name in ["a", "b", "c"] {
        deploy(&script, name).await;
    }
    let first = script
        .get("/api/v1/events?format=json&after=0&limit=2")
        .await
        .json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let second = script
        .get(&format!("/api/v1/events?format=json&limit=2&cursor={next}"))
        .await
        .json();
    assert_eq!(
        (
            second["items"].as_array().unwrap().len(),
            second.get("next")
        ),
        (1, None)
    );
    let last = script
        .get("/api/v1/events?format=json&limit=2")
        .await
        .json();
    assert_eq!(
        (&last["items"][1]["id"], last.get("next")),
        (&second["items"][0]["id"], None)
    );
}

#[tokio::test]
async fn the_service_stops_at_once_although_streams_are_open() {
    let world = World::new().await;
    let script = world.script(&["write"]).await;
    let operation = deploy(&script, "notes").await;
    let running = Running::start(&world).await;
    let mut all = running.open(&script, "/api/v1/events").await;
    all.until("\r\n\r\n", 1).await;
    let mut one = running.open(&script, &events_of(&operation)).await;
    one.until("event: operation.queued\n", 1).await;
    let address = running.address;
    let begun = time::Instant::now();
    running.stop().await;
    assert!(
        begun.elapsed() < server::GRACE / 2,
        "streams were waited for"
    );
    // Ended in good order, not cut.
    assert!(one.rest().await.ends_with("0\r\n\r\n") && all.rest().await.ends_with("0\r\n\r\n"));
    assert!(TcpStream::connect(address).await.is_err());
}
