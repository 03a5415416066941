//! What the page of an operation shows, made of the operation and its events.

use std::collections::BTreeMap;

use api::{
    App, Event, EventKind, ImageProgress, Operation, OperationError, OperationKind,
    OperationStatus, StepReport, StepStatus,
};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    picture,
    state::{self, Badge},
    steps,
};

/// The operation as a whole: what stands above its steps.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) id: String,
    title: String,
    app: String,
    app_link: String,
    picture: String,
    badge: Badge,
    by: String,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    /// How long it took, seconds, once it rests.
    seconds: Option<f64>,
    done: usize,
    steps: usize,
    /// Whether a cancel would still be heard.
    can_cancel: bool,
    is_cancelling: bool,
}

/// A step with what was printed in it.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) head: StepHead,
    lines: Vec<Line>,
}

/// A step without its lines.
#[derive(Serialize)]
pub(super) struct StepHead {
    pub(super) name: String,
    title: String,
    badge: Badge,
    /// `pending`, `running`, `done`, `failed` or `undone`.
    state: StepStatus,
    started_at: Option<DateTime<Utc>>,
    seconds: Option<f64>,
}

/// A line that a step printed.
#[derive(Clone, Serialize)]
pub(super) struct Line {
    /// The event's number; a link leads to it.
    id: i64,
    time: DateTime<Utc>,
    text: String,
    /// `plain`, `failed` or `undone`.
    tone: &'static str,
}

/// How far an image is.
#[derive(Serialize)]
pub(super) struct Image {
    name: String,
    done: u32,
    all: u32,
    complete: bool,
}

/// How an operation came to rest, and what to do next.
#[derive(Default, Serialize)]
pub(super) struct Outcome {
    /// `ok`, `quiet`, `warn` or `bad`; empty while it is under way.
    tone: &'static str,
    title: String,
    text: String,
    error: Option<Explained>,
    open: Vec<Open>,
    note: Option<String>,
    /// Where a person goes on: label and address.
    links: Vec<(String, String)>,
    can_retry: bool,
    id: String,
}

/// Why it failed, for people.
#[derive(Serialize)]
struct Explained {
    code: String,
    message: String,
    step: Option<String>,
    evidence: Vec<String>,
    hint: Option<String>,
}

#[derive(Serialize)]
struct Open {
    name: String,
    url: String,
    /// Whether a browser opens it.
    is_web: bool,
    primary: bool,
}

impl Summary {
    pub(super) fn of(operation: &Operation) -> Self {
        let done = |step: &&StepReport| step.status == StepStatus::Done;
        let begun = operation.started_at.unwrap_or(operation.created_at);
        let is_under_way = !operation.status.is_at_rest();
        Self {
            id: operation.id.to_string(),
            title: if is_under_way {
                state::doing(operation.kind).to_owned()
            } else {
                state::verb(operation.kind).to_owned()
            },
            app: operation.app.name.clone(),
            app_link: format!("/apps/{}", operation.app.id),
            picture: picture::address(&operation.app.catalog_id),
            badge: state::operation(operation.status),
            by: operation.requested_by.clone(),
            created_at: operation.created_at,
            started_at: operation.started_at,
            seconds: operation
                .finished_at
                .map(|finished| (finished - begun).as_seconds_f64()),
            done: operation.steps.iter().filter(done).count(),
            steps: operation.steps.len(),
            can_cancel: operation.cancellable && !operation.cancel_requested,
            is_cancelling: is_under_way && operation.cancel_requested,
        }
    }
}

impl StepHead {
    pub(super) fn of(step: &StepReport) -> Self {
        let took = step.started_at.zip(step.finished_at);
        Self {
            name: step.name.clone(),
            title: steps::title(&step.name),
            badge: state::step(step.status),
            state: step.status,
            started_at: step.started_at,
            seconds: took.map(|(started, finished)| (finished - started).as_seconds_f64()),
        }
    }
}

impl Line {
    /// The line that an event is, if it is one.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let tone = match event.kind {
            EventKind::StepLog => "plain",
            EventKind::StepFailed | EventKind::StepUndoFailed => "failed",
            _ => return None,
        };
        Some(Self {
            id: event.id,
            time: event.time,
            text: event.message.clone()?,
            tone,
        })
    }
}

/// Every step with its lines.
pub(super) fn steps(operation: &Operation, events: &[Event]) -> Vec<Step> {
    let mut lines: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    for event in events {
        if let (Some(step), Some(line)) = (event.step.as_deref(), Line::of(event)) {
            lines.entry(step).or_default().push(line);
        }
    }
    let step = |report: &StepReport| Step {
        head: StepHead::of(report),
        lines: lines.remove(report.name.as_str()).unwrap_or_default(),
    };
    operation.steps.iter().map(step).collect()
}

/// How far each image of a pull is, in the order in which they were first seen.
#[derive(Clone, Default)]
pub(super) struct Images(Vec<ImageProgress>);

impl Images {
    /// Whether an event tells something of images.
    pub(super) fn is_told_by(event: &Event) -> bool {
        event.kind == EventKind::ImageProgress || is_new_pull(event)
    }

    /// Takes what an event tells.
    pub(super) fn see(&mut self, event: &Event) {
        if is_new_pull(event) {
            // From the beginning, after a crash.
            self.0.clear();
        }
        if event.kind != EventKind::ImageProgress {
            return;
        }
        let data = event.data.clone().unwrap_or_default();
        let Ok(told) = serde_json::from_value::<ImageProgress>(data) else {
            return;
        };
        match self.0.iter_mut().find(|image| image.image == told.image) {
            Some(image) => *image = told,
            None => self.0.push(told),
        }
    }

    pub(super) fn shown(&self) -> Vec<Image> {
        let image = |progress: &ImageProgress| Image {
            name: progress.image.clone(),
            done: progress.layers_done,
            all: progress.layers_total.max(progress.layers_done),
            complete: progress.complete,
        };
        self.0.iter().map(image).collect()
    }
}

fn is_new_pull(event: &Event) -> bool {
    event.kind == EventKind::StepStarted && event.step.as_deref() == Some("pull_images")
}

impl Outcome {
    /// How it came to rest; nothing to show before. `app` is the app as it is now, `note` what the catalog entry says
    /// about its first run.
    pub(super) fn of(operation: &Operation, app: Option<&App>, note: Option<String>) -> Self {
        let begun = Self {
            id: operation.id.to_string(),
            error: operation.error.as_ref().map(Explained::of),
            ..Self::default()
        };
        match operation.status {
            OperationStatus::Completed => begun.completed(operation, app, note),
            OperationStatus::Unwound => begun.unwound(operation),
            OperationStatus::Stuck => begun.stuck(operation),
            // Why it is being undone is told at once.
            OperationStatus::Unwinding => Self {
                tone: "warn",
                title: "Undoing what was done".to_owned(),
                text: "Nothing stays behind. This goes on by itself.".to_owned(),
                ..begun
            },
            OperationStatus::Queued | OperationStatus::Running => Self::default(),
        }
    }

    fn completed(self, operation: &Operation, app: Option<&App>, note: Option<String>) -> Self {
        let name = &operation.app.name;
        let app_link = || {
            let link = format!("/apps/{}", operation.app.id);
            ("To the app".to_owned(), link)
        };
        let (title, text) = match operation.kind {
            OperationKind::Deploy | OperationKind::Start | OperationKind::Restart => (
                format!("{name} is up"),
                "Every service runs, and its own health check passed.",
            ),
            OperationKind::Stop => (
                format!("{name} is stopped"),
                "Its container is off; its data stays.",
            ),
            OperationKind::Adopt => (
                format!("{name} is back"),
                "It is as its container tells it, which was left as it was found.",
            ),
            OperationKind::Delete => (
                format!("{name} is gone"),
                "Its container and its data are destroyed. This history stays.",
            ),
        };
        let is_gone = operation.kind == OperationKind::Delete;
        Self {
            tone: "ok",
            title,
            text: text.to_owned(),
            open: app.map(open).unwrap_or_default(),
            note: note.filter(|_| operation.kind == OperationKind::Deploy),
            links: if is_gone {
                vec![("To the apps".to_owned(), "/".to_owned())]
            } else {
                vec![app_link()]
            },
            error: None,
            ..self
        }
    }

    fn unwound(self, operation: &Operation) -> Self {
        let was_cancelled = operation.cancel_requested;
        let is_deploy = operation.kind == OperationKind::Deploy;
        let catalog = format!("/catalog/{}", operation.app.catalog_id);
        let app = format!("/apps/{}", operation.app.id);
        Self {
            tone: if was_cancelled { "quiet" } else { "bad" },
            title: if was_cancelled {
                "Cancelled".to_owned()
            } else {
                format!(
                    "{} failed",
                    operation
                        .error
                        .as_ref()
                        .and_then(|error| error.step.as_deref())
                        .map_or_else(
                            || state::verb(operation.kind).to_owned(),
                            |step| format!("“{}”", steps::title(step))
                        )
                )
            },
            text: if is_deploy {
                "Everything that was begun is undone: nothing is left on the cluster.".to_owned()
            } else if operation.kind == OperationKind::Adopt {
                "The app is not here; its container is as it was before.".to_owned()
            } else {
                "Everything that was begun is undone: the app is as it was before.".to_owned()
            },
            links: if is_deploy {
                vec![("Deploy again".to_owned(), catalog)]
            } else {
                vec![("To the app".to_owned(), app)]
            },
            error: self.error.filter(|_| !was_cancelled),
            ..self
        }
    }

    fn stuck(self, operation: &Operation) -> Self {
        if let Some(abandoned) = &operation.abandoned {
            return Self {
                tone: "quiet",
                title: "Given up".to_owned(),
                text: format!("By {}: {}", abandoned.by, abandoned.reason),
                ..self
            };
        }
        Self {
            tone: "bad",
            title: "Stuck: a person must decide".to_owned(),
            text: "Put right what is wrong, then retry: it goes on where it is.".to_owned(),
            can_retry: true,
            ..self
        }
    }
}

impl Explained {
    fn of(error: &OperationError) -> Self {
        Self {
            code: error.code.clone(),
            message: error.message.clone(),
            step: error.step.as_deref().map(steps::title),
            evidence: error.evidence.clone(),
            hint: error.hint.clone(),
        }
    }
}

fn open(app: &App) -> Vec<Open> {
    let open = |endpoint: &api::Endpoint| Open {
        name: endpoint.name.clone(),
        is_web: endpoint.scheme.starts_with("http"),
        url: endpoint.url.clone(),
        primary: endpoint.primary,
    };
    app.endpoints.iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(id: i64, kind: EventKind, step: &str, data: serde_json::Value) -> Event {
        let nil = uuid::Uuid::nil();
        Event {
            id,
            time: DateTime::UNIX_EPOCH,
            kind,
            operation: api::OperationId::from_uuid(nil),
            app: api::AppId::from_uuid(nil),
            step: Some(step.to_owned()),
            message: Some(format!("line {id}")),
            data: Some(data),
        }
    }

    #[test]
    fn an_image_is_shown_once_as_it_was_told_last() {
        let mut images = Images::default();
        let told = |image: &str, done: u32| json!({"image": image, "layers_done": done, "layers_total": 4, "complete": done == 4});
        for (id, image, done) in [(1, "a", 1), (2, "b", 0), (3, "a", 4)] {
            let event = event(
                id,
                EventKind::ImageProgress,
                "pull_images",
                told(image, done),
            );
            assert!(Images::is_told_by(&event));
            images.see(&event);
        }
        let line = event(4, EventKind::StepLog, "pull_images", json!(null));
        assert!(!Images::is_told_by(&line));
        let shown = images.shown();
        assert_eq!(shown.len(), 2);
        assert!(shown[0].complete && shown[0].done == 4 && !shown[1].complete);
        images.see(&event(
            5,
            EventKind::StepStarted,
            "pull_images",
            json!(null),
        ));
        assert!(images.shown().is_empty());
    }

    #[test]
    fn only_lines_and_failures_are_lines() {
        let line = |kind| Line::of(&event(7, kind, "x", json!(null))).map(|line| line.tone);
        assert_eq!(line(EventKind::StepLog), Some("plain"));
        assert_eq!(line(EventKind::StepFailed), Some("failed"));
        assert_eq!(line(EventKind::StepFinished), None);
    }
}
