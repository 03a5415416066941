//! Server-sent events, as the HTML standard defines them.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use control::LogLine;
use futures::{Stream, StreamExt as _};
use serde::Serialize;

use crate::{error::Error, extract::Until, layer::RequestId, problem};

/// Asks proxies of nginx's kind not to collect an answer before they pass it on.
pub(crate) const UNBUFFERED: (HeaderName, &str) =
    (HeaderName::from_static("x-accel-buffering"), "no");
/// How often a comment is sent where nothing else is: proxies close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An answer of `events` as they come, until they end, one of them is an error, or the service stops.
pub(crate) fn answer(
    events: impl Stream<Item = Result<Event, control::Error>> + Send + 'static,
    until: Until,
    request_id: RequestId,
) -> Response {
    let events = events
        .map(move |event| event.unwrap_or_else(|error| failed(&error.into(), &request_id)))
        .map(Ok::<_, Infallible>)
        .take_until(until.over());
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    let (name, value) = UNBUFFERED;
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

/// A line of the journal.
pub(crate) fn event(event: &api::Event) -> Event {
    data(
        Event::default()
            .id(event.id.to_string())
            .event(event.kind.as_str()),
        event,
    )
}

/// A line of a service's log.
pub(crate) fn log_line(line: &LogLine) -> Event {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<&'a str>,
        line: &'a str,
    }
    data(
        Event::default().event("line"),
        &Line {
            service: line.service.as_deref(),
            line: &line.line,
        },
    )
}

/// The last event where the stream broke: a problem, since the status has been sent long ago. Not named
/// `error`, which is what browsers call a lost connection.
fn failed(error: &Error, request_id: &RequestId) -> Event {
    tracing::warn!(
        request_id = request_id.as_str(),
        code = error.code(),
        "a stream broke: {error}"
    );
    data(
        Event::default().event("problem"),
        &problem::body(error, request_id.as_str()),
    )
}

pub(crate) fn data(event: Event, data: &impl Serialize) -> Event {
    // JSON escapes line breaks, which would otherwise end the field.
    event
        .json_data(data)
        .expect("wire types have text as keys and write themselves without failing")
}
