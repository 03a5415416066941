//! A small service with recorded answers, and a person at a terminal.

use std::{
    io::{self, Cursor, Write},
    sync::{Arc, Mutex, Once},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use chrono::DateTime;
use clap::Parser;
use cli::{ClientCommand, Console, Environment, Exit, Output};
use futures::StreamExt as _;
use serde::Serialize;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// A request as the service saw it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// A service that plays the API. Dropping it ends it.
pub(crate) struct Service {
    pub(crate) url: String,
    seen: Log,
    _tasks: JoinSet<()>,
}

impl Service {
    /// Plays these routes, below `/api/v1`.
    pub(crate) async fn play(routes: Router) -> Self {
        let seen = Log::default();
        let app = Router::new()
            .nest("/api/v1", routes)
            .layer(middleware::from_fn_with_state(seen.clone(), record));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }
}

async fn record(State(seen): State<Log>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    seen.lock().unwrap().push(Seen {
        method: parts.method.clone(),
        target: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: body.to_vec(),
    });
    next.run(Request::from_parts(parts, body.into())).await
}

/// A handler that always answers this.
pub(crate) fn always(
    status: u16,
    body: impl Serialize,
) -> impl Fn() -> std::future::Ready<Response> + Clone + Send + Sync + 'static {
    let status = StatusCode::from_u16(status).unwrap();
    let body = serde_json::to_value(body).unwrap();
    move || std::future::ready((status, Json(body.clone())).into_response())
}

/// A handler that answers with these pieces and then, where `breaks`, loses the connection.
pub(crate) fn stream(pieces: Vec<String>, breaks: bool) -> Response {
    let mut items: Vec<io::Result<Bytes>> =
        pieces.into_iter().map(|piece| Ok(piece.into())).collect();
    if breaks {
        items.push(Err(io::Error::other("the cable is cut")));
    }
    // The server sends what it has when a body has no more to give for now; what is given together with an
    // error is lost with it.
    let items = futures::stream::iter(items).then(|item| async {
        tokio::task::yield_now().await;
        item
    });
    let body = axum::body::Body::from_stream(items);
    ([("content-type", "text/event-stream")], body).into_response()
}

/// The command line as the program has it.
#[derive(Parser)]
#[command(name = "proximity")]
struct Arguments {
    #[arg(long, global = true, value_enum, default_value = "table")]
    output: Output,
    #[command(subcommand)]
    command: ClientCommand,
}

/// Whether the command line can be typed.
pub(crate) fn parses(line: &str) -> Result<(), String> {
    let words = std::iter::once("proximity").chain(line.split_whitespace());
    Arguments::try_parse_from(words)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command left behind.
pub(crate) struct Left {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Left {
    /// All of it, for a snapshot; addresses differ from run to run.
    pub(crate) fn told(&self, service: &Service) -> String {
        let told = format!(
            "exit: {:?}\n--- stdout\n{}--- stderr\n{}",
            self.exit, self.out, self.err
        );
        told.replace(&service.url, "http://service")
    }
}

/// A person at a terminal.
pub(crate) struct Person {
    pub(crate) environment: Environment,
    pub(crate) width: Option<u16>,
    pub(crate) is_live: bool,
    pub(crate) input: Vec<u8>,
}

impl Person {
    /// One with a token for this service.
    pub(crate) fn at(service: &Service) -> Self {
        let mut person = Self::nobody();
        person.environment.url = Some(service.url.clone());
        person.environment.token = Some("prx_token".to_owned());
        person
    }

    /// One without.
    pub(crate) fn nobody() -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let environment = Environment {
            url: None,
            token: None,
            folder: None,
            hostname: "desk".to_owned(),
        };
        Self {
            environment,
            width: None,
            is_live: false,
            input: Vec::new(),
        }
    }

    /// Types a line, words divided by spaces.
    pub(crate) async fn types(&self, line: &str) -> Left {
        let words: Vec<_> = line.split_whitespace().collect();
        self.says(&words).await
    }

    /// Types words that may have spaces in them.
    pub(crate) async fn says(&self, words: &[&str]) -> Left {
        let (out, err) = (Paper::default(), Paper::default());
        let exit = self
            .writes(words, Box::new(out.clone()), Box::new(err.clone()))
            .await;
        let text = |paper: Paper| String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        Left {
            exit,
            out: text(out),
            err: text(err),
        }
    }

    /// Types words and reads the answers elsewhere.
    pub(crate) async fn writes(
        &self,
        words: &[&str],
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Exit {
        let words = std::iter::once("proximity").chain(words.iter().copied());
        let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let input = Box::new(Cursor::new(self.input.clone()));
        let mut console = Console::new(input, out, err, arguments.output);
        console.width = self.width;
        console.is_live = self.is_live;
        // Two hours after everything in the fixtures.
        console.now = || DateTime::from_timestamp(1_769_860_800 + 7_200, 0).unwrap();
        cli::run_in(arguments.command, &self.environment, &mut console).await
    }
}
