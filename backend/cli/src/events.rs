//! Events followed for as long as it takes: a lost connection is opened again where it broke.

use std::time::Duration;

use api::{Event, Problem};
use reqwest::{Method, Response, header};

use crate::{client::Client, error::Error, sse};

/// How long the stream may be silent: the service sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_mins(1);
/// The pause before the first new attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What following comes upon.
pub(crate) enum Followed {
    /// The next event.
    Event(Box<Event>),
    /// The stream ended as it should.
    End,
    /// The connection was lost and is tried again; the text says why. Said once for each loss.
    Lost(String),
}

/// A stream of events. Dropping it ends it.
pub(crate) struct Follower<'a> {
    client: &'a Client,
    path: String,
    last: Option<String>,
    stream: Option<(Response, sse::Reader)>,
    ready: std::collections::VecDeque<Event>,
    pause: Duration,
    is_lost: bool,
}

impl<'a> Follower<'a> {
    /// Follows `path` from its beginning, or after the event `last`.
    pub(crate) fn new(client: &'a Client, path: String, last: Option<i64>) -> Self {
        Self {
            client,
            path,
            last: last.map(|last| last.to_string()),
            stream: None,
            ready: std::collections::VecDeque::new(),
            pause: FIRST_PAUSE,
            is_lost: false,
        }
    }

    /// What comes next. After `End` the next call opens the stream again, after the last event that was seen.
    /// Errors are those that another attempt would not heal.
    pub(crate) async fn next(&mut self) -> Result<Followed, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Followed::Event(Box::new(event)));
            }
            let piece = match self.piece().await {
                Ok(piece) => piece,
                Err(error) => match self.lose(error).await? {
                    Some(reason) => return Ok(Followed::Lost(reason)),
                    None => continue,
                },
            };
            let Some(messages) = piece else {
                self.stream = None;
                return Ok(Followed::End);
            };
            for message in messages {
                if let Err(error) = self.take(message)
                    && let Some(reason) = self.lose(error).await?
                {
                    return Ok(Followed::Lost(reason));
                }
            }
        }
    }

    /// Waits before a stream that ended too early is opened again.
    pub(crate) async fn rest(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The messages of the next piece; `None` at the end of the stream.
    async fn piece(&mut self) -> Result<Option<Vec<sse::Message>>, Error> {
        if self.stream.is_none() {
            self.stream = Some((self.open().await?, sse::Reader::default()));
        }
        let Some((response, reader)) = &mut self.stream else {
            return Ok(None);
        };
        let silent = |_| Error::Unreachable {
            url: self.client.url().to_owned(),
            reason: "it fell silent".to_owned(),
        };
        let piece = tokio::time::timeout(SILENCE, response.chunk())
            .await
            .map_err(silent)?;
        let Some(bytes) = piece.map_err(|error| self.client.lost(&error))? else {
            return Ok(None);
        };
        self.is_lost = false;
        let messages = reader.read(&bytes);
        messages.map(Some).map_err(|_| {
            self.client
                .strange("its stream is not one of events".to_owned())
        })
    }

    async fn open(&self) -> Result<Response, Error> {
        let mut request = self
            .client
            .request(Method::GET, &self.path)
            .header(header::ACCEPT, "text/event-stream");
        if let Some(last) = &self.last {
            request = request.header("Last-Event-ID", last);
        }
        let opening = tokio::time::timeout(SILENCE, self.client.send(request)).await;
        opening.unwrap_or_else(|_| {
            let url = self.client.url().to_owned();
            Err(Error::Unreachable {
                url,
                reason: "it takes too long".to_owned(),
            })
        })
    }

    fn take(&mut self, message: sse::Message) -> Result<(), Error> {
        if message.event == "problem" {
            let problem: Result<Problem, _> = serde_json::from_str(&message.data);
            return Err(match problem {
                Ok(problem) => Error::Refused(Box::new(problem)),
                Err(_) => self
                    .client
                    .strange("its stream broke without saying why".to_owned()),
            });
        }
        if let Some(id) = message.id.filter(|id| !id.is_empty()) {
            self.last = Some(id);
            self.pause = FIRST_PAUSE;
        }
        // A newer service may tell kinds of events that are not known here: they are passed over.
        self.ready
            .extend(serde_json::from_str::<Event>(&message.data));
        Ok(())
    }

    /// Gets over a lost connection, or fails with what cannot be got over.
    async fn lose(&mut self, error: Error) -> Result<Option<String>, Error> {
        let may_heal = match &error {
            Error::Unreachable { .. } => true,
            Error::Refused(problem) => problem.status >= 500 || problem.status == 429,
            _ => false,
        };
        if !may_heal {
            return Err(error);
        }
        self.stream = None;
        if !std::mem::replace(&mut self.is_lost, true) {
            return Ok(Some(error.to_string()));
        }
        self.rest().await;
        Ok(None)
    }
}
