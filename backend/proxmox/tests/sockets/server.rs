//! A TLS server that notes what it is asked and answers what a test wants, well-formed or not.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxmox::{Auth, Client, Config, Fingerprint, HostPort, Trust};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::authority::Identity;

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Below `/api2/json`, still encoded.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) protocol: String,
    /// How many came before on the same connection.
    pub(crate) before: usize,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter from query or body, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').chain(self.body.split('&'));
        let mut values = pairs
            .filter_map(|pair| pair.split_once('='))
            .filter(|(known, _)| *known == name);
        values.next().map(|(_, value)| decode(value))
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

/// Percent-decoding, without any kindness.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [
                bytes.next().expect("two digits"),
                bytes.next().expect("two digits"),
            ];
            out.push(
                u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16)
                    .expect("hexadecimal"),
            );
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).expect("UTF-8")
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// Answers: what follows `HTTP/1.1 ` in the status line, and the body.
    Answer(String, String),
    /// As `Answer`, promising more body than it sends, then closes.
    Short(String, String),
    /// Closes the connection without an answer.
    Cut,
    /// Keeps it open and says nothing.
    Hang,
}

pub(crate) fn data(data: &Value) -> Reply {
    Reply::Answer("200 OK".to_owned(), json!({ "data": data }).to_string())
}

pub(crate) fn error(status: &str, body: &Value) -> Reply {
    Reply::Answer(status.to_owned(), body.to_string())
}

/// A ticket with every character that real ones have.
pub(crate) const TICKET: &str = "PVE:root@pam:68F0AABB::aB3+/x9==";
pub(crate) const CSRF: &str = "68F0AABB:c+/f=";
pub(crate) const UPID: &str = "UPID:pve1:0010A3F2:03C1D2E3:68F0AABB:vzstart:101:root@pam:";

pub(crate) fn ticket(number: usize) -> Reply {
    data(
        &json!({"username": "root@pam", "ticket": format!("{TICKET}{number}"), "CSRFPreventionToken": format!("{CSRF}{number}")}),
    )
}

/// A running server.
pub(crate) struct Server {
    pub(crate) host: HostPort,
    pub(crate) fingerprint: Fingerprint,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers each request by `answer`, which is also given how many came before.
    pub(crate) async fn start(
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(&Identity::self_signed(), answer).await
    }

    /// Logs in whoever asks, and answers the rest by `answer`, which is given how many but logins came before.
    pub(crate) async fn logged_in(
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let others = Mutex::new(0);
        Self::start(move |seen, _| {
            if seen.path == "/access/ticket" {
                return ticket(1);
            }
            let mut others = others.lock().unwrap();
            *others += 1;
            answer(seen, *others - 1)
        })
        .await
    }

    pub(crate) async fn with(
        identity: &Identity,
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = HostPort {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(Arc::new(identity.server_config()));
        let (answer, noted): (Arc<Answerer>, _) = (Arc::new(answer), seen.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer, noted) = (acceptor.clone(), answer.clone(), noted.clone());
                connections.spawn(async move {
                    // A client that does not trust us, or has had enough, is no failure of ours.
                    let _ = serve(acceptor, stream, &*answer, &noted).await;
                });
            }
        });
        Self {
            host,
            fingerprint: identity.fingerprint(),
            seen,
            _tasks: tasks,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Those that were not logins.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path != "/access/ticket")
            .collect()
    }

    pub(crate) fn logins(&self) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path == "/access/ticket")
            .collect()
    }

    /// A client of this server, as root by password.
    pub(crate) fn client(&self) -> Client {
        client(&[self], password())
    }
}

pub(crate) fn password() -> Auth {
    Auth::Password {
        user: "root@pam".to_owned(),
        password: "pass word&=+%".into(),
    }
}

pub(crate) fn token() -> Auth {
    Auth::Token {
        id: "apps@pve!catalog".to_owned(),
        secret: "5ecre7-70ken".into(),
    }
}

/// A client of several servers, in this order.
pub(crate) fn client(servers: &[&Server], auth: Auth) -> Client {
    let hosts = servers.iter().map(|server| server.host.clone()).collect();
    let pins = servers.iter().map(|server| server.fingerprint).collect();
    connect(hosts, auth, Trust::Fingerprints(pins))
}

pub(crate) fn connect(hosts: Vec<HostPort>, auth: Auth, trust: Trust) -> Client {
    Client::new(Config {
        hosts,
        auth,
        trust,
        timeout: Duration::from_secs(3),
    })
    .unwrap()
}

/// A port on which nobody listens.
pub(crate) async fn nobody() -> HostPort {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    HostPort {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    }
}

type Answerer = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    answer: &Answerer,
    noted: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    for before in 0.. {
        let mut seen = read(&mut stream).await?;
        seen.before = before;
        let number = {
            let mut noted = noted.lock().unwrap();
            noted.push(seen.clone());
            noted.len() - 1
        };
        let (status, body, missing, close) = match answer(&seen, number) {
            Reply::Answer(status, body) => (status, body, 0, false),
            Reply::Short(status, body) => (status, body, 100, true),
            Reply::Cut => return Ok(()),
            Reply::Hang => return std::future::pending().await,
        };
        let length = body.len() + missing;
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
        if close {
            break;
        }
    }
    Ok(())
}

/// Reads one request; a body has a `Content-Length` or is none.
async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).expect("an ASCII head");
    let mut lines = head.trim_end().lines();
    let mut start = lines
        .next()
        .expect("a request line")
        .split(' ')
        .map(str::to_owned);
    let (method, target, protocol) = (
        start.next().unwrap(),
        start.next().unwrap(),
        start.next().unwrap(),
    );
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path
        .strip_prefix("/api2/json")
        .expect("the API's path")
        .to_owned();
    let mut seen = Seen {
        method,
        path,
        query: query.to_owned(),
        protocol,
        before: 0,
        headers,
        body: String::new(),
    };
    let length = seen
        .header("content-length")
        .map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    seen.body = String::from_utf8(body).expect("a form");
    Ok(seen)
}

/// A configuration with this certificate and key, whether they belong together or not.
pub(crate) fn server_config(resolver: Arc<dyn rustls::server::ResolvesServerCert>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver)
}
