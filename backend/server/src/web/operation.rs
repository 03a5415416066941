//! The page of one operation: its steps as they go, what they print, how it ended and what to do next.

use std::sync::Arc;

use api::{Abandon, App, Event, EventKind, Operation, OperationId, OperationStatus};
use axum::{extract::State, http::HeaderMap, response::Response};
use control::{Control, Followed};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::Mutex;

use super::{
    commands::{self, Offer},
    live::{self, After, Patch},
    page::Head,
    posted::{Posted, on_to},
    progress::{Image, Images, Line, Outcome, Step, StepHead, Summary, steps},
    state,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{Query, Read, Segment, Until, Write},
    layer::RequestId,
    site::Site,
};

/// Events that are read at once.
const BATCH: u32 = 1000;
/// Most events of a page: more than any operation has had; the rest is in the API.
const MOST: usize = 20_000;

#[derive(Serialize)]
struct View {
    summary: Summary,
    steps: Vec<Step>,
    images: Vec<Image>,
    outcome: Outcome,
    commands: Vec<Offer>,
}

/// The argument of a component.
#[derive(Serialize)]
struct Part<T> {
    of: T,
}

/// `GET /operations/{id}`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(id): Segment<OperationId>,
) -> Result<Response, Error> {
    let control = &site.control;
    // The events first: what happens meanwhile is told by the stream, after the last one of these.
    let events = all_events(control, id).await?;
    let operation = control.operation(id).await?;
    let mut images = Images::default();
    for event in &events {
        images.see(event);
    }
    let last = events.last().map_or(0, |event| event.id);
    let view = View {
        outcome: outcome(control, &operation).await?,
        steps: steps(&operation, &events),
        images: images.shown(),
        summary: Summary::of(&operation),
        commands: commands::of_operation(&operation),
    };
    let head = Head::new(title(&operation))
        .under("operations")
        .live(format!("/live/operations/{id}?after={last}"))
        .tone(tone(&operation));
    viewer.show("operation.html", head, &view)
}

/// `GET /live/operations/{id}`.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(id): Segment<OperationId>,
    Query(after): Query<After>,
    headers: HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    let control = site.control;
    let after = after.event(&headers)?.unwrap_or(0);
    let events = control.follow(Followed::ToTheEnd(id), Some(after)).await?;
    let watcher = Arc::new(Watcher {
        control,
        viewer,
        id,
        images: Mutex::new(None),
    });
    let ending = watcher.clone();
    let patches = events
        .then(move |events| {
            let watcher = watcher.clone();
            // On the heap while it is made: a stream that waits, and most do, holds no room for it.
            Box::pin(async move { watcher.patch(events).await })
        })
        .chain(stream::once(async move { Box::pin(ending.end()).await }));
    Ok(live::answer(patches, until, request_id))
}

/// `POST /operations/{id}/cancel`.
pub(crate) async fn cancel(
    State(site): State<Site>,
    Segment(id): Segment<OperationId>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    match site.control.cancel(&posted.viewer.asked, id).await {
        // Too late: the page says how it ended.
        Ok(_) | Err(control::Error::Conflict { .. }) => Ok(on_to(&format!("/operations/{id}"))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /operations/{id}/retry`.
pub(crate) async fn retry(
    State(site): State<Site>,
    Segment(id): Segment<OperationId>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    match site.control.retry(&posted.viewer.asked, id).await {
        // Somebody else was quicker.
        Ok(_) | Err(control::Error::Conflict { .. }) => Ok(on_to(&format!("/operations/{id}"))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /operations/{id}/abandon`.
pub(crate) async fn abandon(
    State(site): State<Site>,
    Segment(id): Segment<OperationId>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    let reason = posted.fields.text("reason").unwrap_or_default().to_owned();
    let asked = &posted.viewer.asked;
    match site.control.abandon(asked, id, Abandon { reason }).await {
        Ok(_) | Err(control::Error::Conflict { .. }) => Ok(on_to(&format!("/operations/{id}"))),
        Err(error) => Err(error.into()),
    }
}

/// Whoever has the page open.
struct Watcher {
    control: Control,
    viewer: Viewer<Read>,
    id: OperationId,
    /// As far as they were pulled by the last event; asked for when the first is heard of.
    images: Mutex<Option<Images>>,
}

impl Watcher {
    async fn patch(
        &self,
        events: Result<Vec<Arc<Event>>, control::Error>,
    ) -> Result<(Option<i64>, Patch), Error> {
        let events = events?;
        let mut patch = Patch::default();
        if events.iter().any(|event| Images::is_told_by(event)) {
            let shown = self.images(&events).await?;
            patch = patch.replace("images", self.render("operation.images", shown)?);
        }
        if events.iter().any(|event| is_a_move(event)) {
            patch = self.moved(patch, &events).await?;
        }
        for event in &events {
            if let (Some(step), Some(line)) = (&event.step, Line::of(event)) {
                let html = self.render("operation.line", line)?;
                patch = patch.append(format!("lines-{step}"), html);
            }
        }
        Ok((events.last().map(|event| event.id), patch))
    }

    /// The images after these events.
    async fn images(&self, events: &[Arc<Event>]) -> Result<Vec<Image>, Error> {
        let mut known = self.images.lock().await;
        if known.is_none() {
            let first = events.first().map_or(0, |event| event.id);
            let mut before = Images::default();
            for event in all_events(&self.control, self.id).await? {
                if event.id < first {
                    before.see(&event);
                }
            }
            *known = Some(before);
        }
        let images = known.get_or_insert_default();
        for event in events {
            images.see(event);
        }
        Ok(images.shown())
    }

    /// What stands above the steps, and the heads of the steps that moved.
    async fn moved(&self, patch: Patch, events: &[Arc<Event>]) -> Result<Patch, Error> {
        let operation = self.control.operation(self.id).await?;
        let mut patch = self.around(patch, &operation).await?;
        for step in &operation.steps {
            let is_meant =
                |event: &Arc<Event>| is_a_move(event) && event.step.as_deref() == Some(&step.name);
            if events.iter().any(is_meant) {
                let html = self.render("operation.step_head", StepHead::of(step))?;
                patch = patch.replace(format!("head-{}", step.name), html);
            }
        }
        Ok(patch)
    }

    async fn around(&self, patch: Patch, operation: &Operation) -> Result<Patch, Error> {
        let outcome = outcome(&self.control, operation).await?;
        Ok(patch
            .replace(
                "summary",
                self.render("operation.summary", Summary::of(operation))?,
            )
            .replace("outcome", self.render("operation.outcome", outcome)?)
            .replace(
                "commands",
                self.render("operation.commands", commands::of_operation(operation))?,
            )
            .tone(tone(operation))
            .title(title(operation)))
    }

    /// The last patch: everything as it rests, and that nothing more comes.
    async fn end(&self) -> Result<(Option<i64>, Patch), Error> {
        let operation = self.control.operation(self.id).await?;
        let mut patch = self.around(Patch::default(), &operation).await?;
        for step in &operation.steps {
            let html = self.render("operation.step_head", StepHead::of(step))?;
            patch = patch.replace(format!("head-{}", step.name), html);
        }
        Ok((None, patch.over()))
    }

    fn render<T: Serialize>(&self, component: &str, of: T) -> Result<String, Error> {
        let part = Part { of };
        self.viewer
            .fragment_at(self.control.now(), component, &part)
    }
}

/// Whether an event changes where the operation or a step is; the others only print.
fn is_a_move(event: &Event) -> bool {
    !matches!(event.kind, EventKind::StepLog | EventKind::ImageProgress)
}

async fn all_events(control: &Control, id: OperationId) -> Result<Vec<Event>, Error> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.id);
        let more = control.events(Some(id), Some(after), BATCH).await?;
        let is_last = more.len() < BATCH as usize;
        events.extend(more);
        if is_last || events.len() >= MOST {
            return Ok(events);
        }
    }
}

async fn outcome(control: &Control, operation: &Operation) -> Result<Outcome, Error> {
    if operation.status != OperationStatus::Completed {
        return Ok(Outcome::of(operation, None, None));
    }
    let app: Option<App> = control.app(&operation.app.id.to_string()).await.ok();
    let entry = control.catalog_app(&operation.app.catalog_id).ok();
    let note = entry
        .and_then(|entry| entry.first_run)
        .and_then(|first| first.note);
    Ok(Outcome::of(operation, app.as_ref(), note))
}

fn title(operation: &Operation) -> String {
    let what = if operation.status.is_at_rest() {
        state::verb(operation.kind)
    } else {
        state::doing(operation.kind)
    };
    let word = state::operation(operation.status).word;
    match operation.status {
        OperationStatus::Queued | OperationStatus::Running => {
            format!("{what} {}", operation.app.name)
        }
        _ => format!("{word}: {what} {}", operation.app.name),
    }
}

/// What favicon and title show of this operation.
fn tone(operation: &Operation) -> &'static str {
    match operation.status {
        OperationStatus::Completed => "ok",
        OperationStatus::Queued | OperationStatus::Running | OperationStatus::Unwinding => {
            "working"
        }
        OperationStatus::Unwound | OperationStatus::Stuck => "attention",
    }
}
