//! The logs of an app's services.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use control::{Control, LogLine, LogQuery};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    error::Error,
    extract::{AppName, Caller, Query, Read, Segment, Until},
    layer::{RequestId, Streamed},
    sse,
};

const PLAIN: &str = "text/plain; charset=utf-8";

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this service.
    service: Option<String>,
    /// So many of the last ones of each service.
    tail: Option<u32>,
    /// Only those since then: an RFC 3339 time, or a length of time such as `10m`.
    since: Option<String>,
    /// Go on with each line as it comes.
    #[serde(default)]
    #[param(required = false)]
    follow: bool,
}

/// An app's logs.
///
/// The last lines as text. With `Accept: text/event-stream` they are followed as server-sent events named
/// `line`, whose `data` is `{"service", "line"}`; with `?follow=true` alone, as text that does not end.
#[utoipa::path(get, path = "/apps/{id}/logs", tag = "apps",
    params(("id" = String, Path, description = "Id or name."), Which),
    responses(
        (status = 200, description = "Lines as the services wrote them.", content(
            (String = "text/plain"), (String = "text/event-stream"))),
        (status = 404, description = "There is no such app, or it has no such service."),
        (status = 409, description = "The app is not running; its logs are in its container."),
        (status = 422, description = "`since` is not a time."),
        (status = 503, description = "The node or the container does not answer."),
    ))]
pub(crate) async fn read(
    State(control): State<Control>,
    _: Caller<Read>,
    Segment(AppName(app)): Segment<AppName>,
    Query(Which {
        service,
        tail,
        since,
        follow,
    }): Query<Which>,
    until: Until,
    request_id: RequestId,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let query = LogQuery {
        service,
        tail,
        since,
        timestamps: false,
    };
    let as_events = wants_events(&headers);
    if !follow && !as_events {
        return Ok((
            [(header::CONTENT_TYPE, PLAIN)],
            control.logs(&app, query).await?,
        )
            .into_response());
    }
    let lines = control.follow_logs(&app, query).await?;
    if as_events {
        return Ok(sse::answer(
            lines.map(|line| line.map(|line| sse::log_line(&line))),
            until,
            request_id,
        ));
    }
    Ok(text(lines, until))
}

/// Lines as text, each as it comes.
fn text(
    lines: impl Stream<Item = Result<LogLine, control::Error>> + Send + 'static,
    until: Until,
) -> Response {
    let lines = lines.map(|line| {
        line.map(|LogLine { service, line }| match service {
            Some(service) => Bytes::from(format!("{service} | {line}\n")),
            None => Bytes::from(line + "\n"),
        })
    });
    let body = Body::from_stream(lines.take_until(until.over()));
    let mut response = ([(header::CONTENT_TYPE, PLAIN), sse::UNBUFFERED], body).into_response();
    response.extensions_mut().insert(Streamed);
    response
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let essence = kind.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::stopping::Stopping;

    #[test]
    fn events_are_sent_to_those_who_ask_for_them() {
        let wants = |accept: &'static str| {
            wants_events(&HeaderMap::from_iter([(
                header::ACCEPT,
                HeaderValue::from_static(accept),
            )]))
        };
        assert!(wants("text/event-stream") && wants("text/plain, Text/Event-Stream;q=0.9"));
        assert!(!wants("*/*") && !wants("text/plain") && !wants_events(&HeaderMap::new()));
    }

    async fn body(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn lines() -> impl Stream<Item = Result<LogLine, control::Error>> + Send + 'static {
        let line = |service: Option<&str>, line: &str| LogLine {
            service: service.map(str::to_owned),
            line: line.to_owned(),
        };
        futures::stream::iter([
            line(Some("web-1"), "GET /\r"),
            line(None, "\u{1b}[32mup\u{1b}[0m"),
        ])
        .map(Ok)
    }

    #[tokio::test]
    async fn followed_lines_are_text_that_nothing_holds_back() {
        let response = text(lines(), Stopping::default().into());
        assert!(response.extensions().get::<Streamed>().is_some());
        assert_eq!(
            body(response).await,
            "web-1 | GET /\r\n\u{1b}[32mup\u{1b}[0m\n"
        );
    }

    #[tokio::test]
    async fn followed_lines_are_events_that_a_line_break_cannot_split() {
        let events = lines().map(|line| line.map(|line| sse::log_line(&line)));
        let broken = futures::stream::iter([Err(control::Error::NotFound { what: "app" })]);
        let id = RequestId::of(&HeaderMap::new());
        let response = sse::answer(events.chain(broken), Stopping::default().into(), id);
        let text = body(response).await;
        let first = "event: line\ndata: {\"service\":\"web-1\",\"line\":\"GET /\\r\"}\n\n";
        assert!(text.starts_with(first), "{text}");
        assert!(
            text.contains("\n\nevent: problem\ndata: {\"type\":"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn following_ends_when_the_service_stops() {
        let stopping = Stopping::default();
        let response = text(
            lines().chain(futures::stream::pending()),
            stopping.clone().into(),
        );
        stopping.0.cancel();
        assert!(body(response).await.len() < 100);
    }
}
