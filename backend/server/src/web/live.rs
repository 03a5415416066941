//! What keeps a page up to date: server-sent events that carry parts of the page, rendered as the page itself is.
//!
//! An event `patch` has a [`Patch`] as its data. Its id is the journal's, so that a browser that lost the connection
//! is sent what it missed (`Last-Event-ID`). `web/static/js/live.js` puts the parts in their places.

use axum::{
    http::HeaderMap,
    response::{Response, sse::Event},
};
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};

use crate::{api::last_event_id, error::Error, extract::Until, layer::RequestId, sse};

/// What changes on a page at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Patch {
    /// The parts, in order.
    pub(crate) parts: Vec<Part>,
    /// What favicon and title show from now on: `ok`, `working` or `attention`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tone: Option<&'static str>,
    /// The page's title from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// Whether nothing will come any more, so that nobody asks again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) over: bool,
}

/// A part of a page.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    /// Id of the element that it is about.
    target: String,
    /// What to do with it.
    place: Place,
    /// What the server rendered.
    html: String,
}

/// What to do with an element.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// Put the part there instead.
    Replace,
    /// Add the part at its end.
    Append,
}

/// From which event on; in the address, because a page names there what it was made with.
#[derive(Deserialize)]
pub(crate) struct After {
    after: Option<i64>,
}

impl After {
    /// The last event that the page knows: the browser's word goes before the address.
    pub(crate) fn event(&self, headers: &HeaderMap) -> Result<Option<i64>, Error> {
        Ok(last_event_id(headers)?.or(self.after))
    }
}

impl Patch {
    /// With this part in the place of the element.
    pub(crate) fn replace(mut self, target: impl Into<String>, html: String) -> Self {
        self.parts.push(Part {
            target: target.into(),
            place: Place::Replace,
            html,
        });
        self
    }

    /// With this part at the end of the element.
    pub(crate) fn append(mut self, target: impl Into<String>, html: String) -> Self {
        self.parts.push(Part {
            target: target.into(),
            place: Place::Append,
            html,
        });
        self
    }

    /// With this as the page's title.
    pub(crate) fn title(mut self, title: String) -> Self {
        self.title = Some(title);
        self
    }

    /// The last one.
    pub(crate) fn over(mut self) -> Self {
        self.over = true;
        self
    }

    /// With favicon and title showing this.
    pub(crate) fn tone(mut self, tone: &'static str) -> Self {
        self.tone = Some(tone);
        self
    }
}

/// The answer of these patches; each with the id of the last event that it knows of, or what else tells where to
/// go on.
pub(crate) fn answer<I: ToString>(
    patches: impl Stream<Item = Result<(Option<I>, Patch), Error>> + Send + 'static,
    until: Until,
    request_id: RequestId,
) -> Response {
    let events = patches.map(|patch| {
        let (id, patch) = patch.map_err(plain)?;
        let event = sse::data(Event::default().event("patch"), &patch);
        Ok(match id {
            Some(id) => event.id(id.to_string()),
            None => event,
        })
    });
    sse::answer(events, until, request_id)
}

fn plain(error: Error) -> control::Error {
    match error {
        Error::Control(error) => error,
        error => control::Error::Internal(Box::new(error)),
    }
}
