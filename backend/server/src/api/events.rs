//! Events: followed as server-sent events, or read as a list.

use api::{Event, OperationId, Page};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use control::{Control, Followed};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    error::Error,
    extract::{Caller, Query, Read, Segment, Until},
    layer::RequestId,
    sse,
};

/// Rows of a list when nobody says how many.
const USUAL: u32 = 200;
/// Most rows of a list.
const MOST: u32 = 1000;

/// Which events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only events after this one. `Last-Event-ID` goes before it.
    after: Option<i64>,
    /// The same by the name that lists use: `next` of the list before.
    cursor: Option<i64>,
    /// Most rows of a list, 1 to 1000.
    limit: Option<u32>,
    /// `json` for a list, `sse` for a stream.
    #[serde(default)]
    #[param(required = false, inline)]
    format: Format,
}

/// How events are told.
#[derive(Clone, Copy, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A stream.
    #[default]
    Sse,
    /// A list.
    Json,
}

/// What happens to an operation.
///
/// As server-sent events from its beginning (or after `Last-Event-ID`) until it is over: `id` is the event's
/// id, `event` its kind, `data` the event as JSON.
#[utoipa::path(get, path = "/operations/{id}/events", tag = "events",
    params(("id" = OperationId, Path), Which, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, description = "A stream, or with `?format=json` a list.", content(
            (String = "text/event-stream"), (Page<Event> = "application/json"))),
        (status = 404, description = "There is no such operation."),
    ))]
pub(crate) async fn of_operation(
    State(control): State<Control>,
    _: Caller<Read>,
    Segment(id): Segment<OperationId>,
    Query(which): Query<Which>,
    until: Until,
    request_id: RequestId,
    headers: HeaderMap,
) -> Result<Response, Error> {
    tell(control, Some(id), &which, &headers, until, request_id).await
}

/// What happens to all operations.
///
/// As server-sent events from now on, or after `Last-Event-ID`, without end. With `?format=json` the last ones,
/// or those after `?after=`, oldest first.
#[utoipa::path(get, path = "/events", tag = "events",
    params(Which, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, description = "A stream, or with `?format=json` a list.", content(
            (String = "text/event-stream"), (Page<Event> = "application/json"))),
    ))]
pub(crate) async fn of_all(
    State(control): State<Control>,
    _: Caller<Read>,
    Query(which): Query<Which>,
    until: Until,
    request_id: RequestId,
    headers: HeaderMap,
) -> Result<Response, Error> {
    tell(control, None, &which, &headers, until, request_id).await
}

async fn tell(
    control: Control,
    operation: Option<OperationId>,
    which: &Which,
    headers: &HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    // A browser that reconnects repeats the address it began with, and names in the header how far it came.
    let after = last_event_id(headers)?.or(which.after).or(which.cursor);
    if which.format == Format::Json {
        return Ok(Json(list(&control, operation, after, which.limit).await?).into_response());
    }
    let followed = operation.map_or(Followed::All, Followed::ToRest);
    let events = control.follow(followed, after).await?;
    let events = events
        .map_ok(|events| stream::iter(events).map(|event| Ok(sse::event(&event))))
        .try_flatten();
    Ok(sse::answer(events, until, request_id))
}

async fn list(
    control: &Control,
    operation: Option<OperationId>,
    after: Option<i64>,
    limit: Option<u32>,
) -> Result<Page<Event>, Error> {
    let limit = limit.unwrap_or(USUAL).clamp(1, MOST);
    let items = control.events(operation, after, limit).await?;
    // Without a place to begin at, the list of all events is their end: nothing follows.
    let may_go_on = operation.is_some() || after.is_some();
    let is_full = u32::try_from(items.len()).is_ok_and(|rows| rows == limit);
    let next = items
        .last()
        .filter(|_| may_go_on && is_full)
        .map(|event| event.id.to_string());
    Ok(Page { items, next })
}

/// The last event that a client saw before it lost the connection.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Error> {
    const HEADER: &str = "Last-Event-ID";
    let Some(value) = headers.get(HEADER).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or(Error::MalformedHeader {
        header: HEADER,
        reason: "must be the id of an event",
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_last_event_is_a_number_or_not_told() {
        let told = |value: &'static str| {
            let header = (
                HeaderName::from_static("last-event-id"),
                HeaderValue::from_static(value),
            );
            last_event_id(&HeaderMap::from_iter([header]))
        };
        assert_eq!(told("41").unwrap(), Some(41));
        assert_eq!(told("").unwrap(), None);
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert!(matches!(told("4x"), Err(Error::MalformedHeader { .. })));
    }
}
