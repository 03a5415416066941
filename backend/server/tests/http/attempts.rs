//! Failed logins, over real sockets: whoever guesses has to wait, and nobody else.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;

use crate::world::{PASSWORD, World};

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_mins(1);
/// What a name may fail at one address.
const FAILURES: usize = 5;

/// A service on a port of its own, until it is dropped.
struct Running {
    address: SocketAddr,
    _task: JoinSet<std::io::Result<()>>,
}

/// An answer as it came.
struct Heard(String);

impl Running {
    async fn start(world: &World, options: server::Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = server::router(world.control.clone(), options);
        let mut task = JoinSet::new();
        task.spawn(server::serve(listener, router, CancellationToken::new()));
        Self {
            address,
            _task: task,
        }
    }

    /// Logs in over the API from this address of the machine's own.
    async fn login(&self, from: &str, headers: &str, username: &str, password: &str) -> Heard {
        let body = serde_json::json!({"username": username, "password": password}).to_string();
        let head = format!(
            "POST /api/v1/sessions HTTP/1.1\r\ncontent-type: application/json\r\n{headers}"
        );
        self.send(from, &head, &body).await
    }

    async fn send(&self, from: &str, head: &str, body: &str) -> Heard {
        let exchange = async {
            let socket = TcpSocket::new_v4().unwrap();
            socket
                .bind(SocketAddr::new(from.parse().unwrap(), 0))
                .unwrap();
            let mut stream = socket.connect(self.address).await.unwrap();
            let length = body.len();
            let request = format!(
                "{head}host: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            Heard(String::from_utf8_lossy(&heard).into_owned())
        };
        time::timeout(LONG, exchange).await.expect("an answer")
    }
}

impl Heard {
    fn status(&self) -> u16 {
        self.0[9..12].parse().unwrap()
    }

    fn retry_after(&self) -> u64 {
        let line = self
            .0
            .lines()
            .find(|line| line.starts_with("retry-after: "));
        line.unwrap()["retry-after: ".len()..].parse().unwrap()
    }
}

#[tokio::test]
async fn whoever_guesses_has_to_wait_and_nobody_else() {
    let world = World::new().await;
    let service = Running::start(&world, server::Options::default()).await;
    for _ in 0..FAILURES {
        let wrong = service.login("127.0.0.1", "", "admin", "guess").await;
        assert_eq!(wrong.status(), 401, "{}", wrong.0);
    }
    // Not even with the right password: else the wait would tell nothing to who guesses on.
    let refused = service.login("127.0.0.1", "", "admin", PASSWORD).await;
    assert_eq!(refused.status(), 429, "{}", refused.0);
    assert!((1..=60).contains(&refused.retry_after()), "{}", refused.0);
    assert!(refused.0.contains("\"code\":\"too_many_attempts\""));
    // What a stranger says of where they come from changes nothing.
    let forged = "x-forwarded-for: 10.9.8.7\r\n";
    let refused = service.login("127.0.0.1", forged, "admin", PASSWORD).await;
    assert_eq!(refused.status(), 429);
    // Another name from there, and the same one from elsewhere.
    let other = service.login("127.0.0.1", "", "ann", "guess").await;
    assert_eq!(other.status(), 401);
    let elsewhere = service.login("127.0.0.2", "", "admin", PASSWORD).await;
    assert_eq!(elsewhere.status(), 201, "{}", elsewhere.0);

    let form = format!("username=admin&password={}", PASSWORD.replace(' ', "+"));
    let head = "POST /login HTTP/1.1\r\naccept: text/html\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let page = service.send("127.0.0.1", head, &form).await;
    assert_eq!(page.status(), 429, "{}", page.0);
    assert!(page.retry_after() >= 1);
    assert!(
        page.0.contains("Too many attempts; try again in"),
        "{}",
        page.0
    );
    assert!(page.0.contains("id=\"login\"") && !page.0.contains(PASSWORD));
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_of_its_clients_counts_alone() {
    let world = World::new().await;
    let options = server::Options {
        proxies: "127.0.0.1".parse().unwrap(),
        ..server::Options::default()
    };
    let service = Running::start(&world, options).await;
    let client = |last: u8| format!("x-forwarded-for: 1.1.1.1, 10.0.0.{last}\r\n");
    for _ in 0..FAILURES {
        let wrong = service
            .login("127.0.0.1", &client(1), "admin", "guess")
            .await;
        assert_eq!(wrong.status(), 401);
    }
    let refused = service
        .login("127.0.0.1", &client(1), "admin", "guess")
        .await;
    assert_eq!(refused.status(), 429);
    let other = service
        .login("127.0.0.1", &client(2), "admin", PASSWORD)
        .await;
    assert_eq!(other.status(), 201, "{}", other.0);
}
