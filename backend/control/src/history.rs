//! Operations and events, as people look at them and what they wish of them.

use std::sync::Arc;

use api::{
    Abandon, AppState, Event, Operation, OperationId, OperationKind, OperationStatus, Page,
    StepReport, StepStatus,
};
use chrono::{DateTime, Utc};
use futures::{Stream, stream};
use store::{AppChange, EventFilter, History, OperationFilter, PageRequest};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{Asked, Control, Error, failures::sentence, operations};

/// Which operations.
#[derive(Clone, Debug, Default)]
pub struct OperationQuery {
    /// Only those of this app: by its id, or by the name that it had when they were asked for. A name finds the
    /// operations of deleted apps that had it, too.
    pub app: Option<String>,
    /// Only those with one of these statuses; of any, when empty.
    pub statuses: Vec<OperationStatus>,
    /// Only those of this kind.
    pub kind: Option<OperationKind>,
    /// Only those that were asked for at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only those that were asked for before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only those that take their app: queued, under way or stuck.
    pub live: bool,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows of a page.
    pub limit: Option<u32>,
}

impl Control {
    /// A page of operations, newest first, without their steps.
    pub async fn operations(&self, query: OperationQuery) -> Result<Page<Operation>, Error> {
        let mut filter = OperationFilter {
            statuses: query.statuses,
            kind: query.kind,
            since: query.since,
            until: query.until,
            live: query.live,
            ..OperationFilter::default()
        };
        if let Some(app) = query.app {
            match app.parse() {
                Ok(id) => filter.app = Some(self.site.store.apps().get(id).await?.id),
                Err(_) => filter.app_name = Some(self.known_name(app).await?),
            }
        }
        let request = PageRequest {
            cursor: query.cursor,
            limit: query.limit.map(u64::from),
        };
        let page = self.site.store.operations().list(&filter, &request).await?;
        let waiting = self.waiting(&page.items).await?;
        let item = |row| {
            let sentence = self.sentence(&waiting, &row, None);
            shown(row, Vec::new(), sentence)
        };
        Ok(Page {
            items: page.items.into_iter().map(item).collect(),
            next: page.next,
        })
    }

    /// The name under which the operations of an app are found; so that a name that nobody ever had is a 404 and not an
    /// empty list.
    async fn known_name(&self, name: String) -> Result<String, Error> {
        let named = OperationFilter {
            app_name: Some(name.clone()),
            ..OperationFilter::default()
        };
        let operations = self.site.store.operations();
        if operations
            .list(&named, &PageRequest::first(1))
            .await?
            .items
            .is_empty()
        {
            // By its host name, or one whose operations are forgotten by now.
            return Ok(self.site.store.apps().find(&name).await?.name);
        }
        Ok(name)
    }

    /// One operation with its steps.
    pub async fn operation(&self, id: OperationId) -> Result<Operation, Error> {
        let row = self.site.store.operations().get(id).await?;
        self.with_steps(row).await
    }

    pub(crate) async fn with_steps(&self, row: store::Operation) -> Result<Operation, Error> {
        let history = self.site.store.events().history(row.id).await?;
        let steps = steps(row.kind, &history);
        let waiting = self.waiting(std::slice::from_ref(&row)).await?;
        let before = if self.waits(&row) {
            Some(self.site.store.leases().waiting_before(row.id).await?)
        } else {
            None
        };
        let sentence = self.sentence(&waiting, &row, before);
        Ok(shown(row, steps, sentence))
    }

    /// Wishes an operation to be cancelled.
    pub async fn cancel(&self, asked: &Asked, id: OperationId) -> Result<Operation, Error> {
        let audit = asked.audit("operation.cancel", &id.to_string());
        let wished = self
            .site
            .store
            .operations()
            .request_cancel(id, &asked.who.username, &audit)
            .await;
        self.with_steps(wished.map_err(|error| conflict(error, "not_cancellable"))?)
            .await
    }

    /// Has a stuck operation tried again where it is stuck.
    pub async fn retry(&self, asked: &Asked, id: OperationId) -> Result<Operation, Error> {
        let audit = asked.audit("operation.retry", &id.to_string());
        let retried = self
            .site
            .store
            .operations()
            .retry(id, &asked.who.username, &audit)
            .await;
        self.with_steps(retried.map_err(|error| conflict(error, "not_stuck"))?)
            .await
    }

    /// Gives a stuck operation up: its app is free again, and what may be left is the person's to look after.
    pub async fn abandon(
        &self,
        asked: &Asked,
        id: OperationId,
        wish: Abandon,
    ) -> Result<Operation, Error> {
        let reason = wish.reason.trim();
        if reason.is_empty() || reason.chars().count() > 1000 {
            return Err(Error::field("/reason", "must be 1 to 1000 characters"));
        }
        let before = self.site.store.operations().get(id).await?;
        let change = match before.kind {
            // Its container may be there still: it is not ours any more, and a person knows.
            OperationKind::Deploy | OperationKind::Delete | OperationKind::Adopt => {
                AppChange::to(AppState::Deleted)
            }
            OperationKind::Start | OperationKind::Stop | OperationKind::Restart => {
                AppChange::none()
            }
        };
        let (who, audit) = (
            &asked.who.username,
            asked.audit_because("operation.abandon", &id.to_string(), reason),
        );
        let abandoned = self
            .site
            .store
            .operations()
            .abandon(id, who, reason, change, &audit)
            .await;
        self.with_steps(abandoned.map_err(|error| conflict(error, "not_stuck"))?)
            .await
    }

    /// The id of the newest event: a page that is made after asking can be kept up to date from there on.
    pub async fn newest_event(&self) -> Result<i64, Error> {
        Ok(self.site.store.events().newest().await?)
    }

    /// Up to `limit` events after `after`; the last ones, when absent.
    pub async fn events(
        &self,
        operation: Option<OperationId>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Event>, Error> {
        let filter = self.filter(operation).await?;
        let (events, limit) = (self.site.store.events(), u64::from(limit.clamp(1, 1000)));
        Ok(match after {
            Some(after) => events.after(after, filter, limit).await?,
            // A history is read from its beginning, the stream of everything from its end.
            None if operation.is_some() => events.after(0, filter, limit).await?,
            None => events.last(filter, limit).await?,
        })
    }

    /// Events after `after` and then each as it comes, some at once where they came at once. About one operation: from
    /// its beginning when `after` is absent, until the end that is named; about all: from now on, without end.
    pub async fn follow(
        &self,
        followed: Followed,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<Vec<Arc<Event>>, Error>> + Send + use<>, Error> {
        let filter = self.filter(followed.operation()).await?;
        let after = match (after, followed) {
            (Some(after), _) => after,
            (None, Followed::All) => self.site.store.events().newest().await?,
            (None, _) => 0,
        };
        let following = Following {
            follower: self.site.store.events().follow(after, filter),
            store: self.site.store.clone(),
            followed,
        };
        let (sender, receiver) = mpsc::channel(1);
        // Ended with the stream that holds it.
        let mut task = JoinSet::new();
        task.spawn(following.tell(sender));
        let told = async |(mut receiver, task): (mpsc::Receiver<_>, JoinSet<()>)| {
            let events = receiver.recv().await?;
            Some((events, (receiver, task)))
        };
        Ok(stream::unfold((receiver, task), told))
    }

    async fn filter(&self, operation: Option<OperationId>) -> Result<EventFilter, Error> {
        let Some(id) = operation else {
            return Ok(EventFilter::default());
        };
        // So that a stranger's id is a 404 and not an endless silence.
        self.site.store.operations().get(id).await?;
        Ok(EventFilter::operation(id))
    }
}

/// What is followed, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Everything that happens.
    All,
    /// One operation, until it rests: completed, unwound, or stuck.
    ToRest(OperationId),
    /// One operation, until nobody can make it go on any more: a stuck one may be retried or abandoned.
    ToTheEnd(OperationId),
}

impl Followed {
    fn operation(self) -> Option<OperationId> {
        match self {
            Self::All => None,
            Self::ToRest(id) | Self::ToTheEnd(id) => Some(id),
        }
    }

    fn ends_with(self, row: &store::Operation) -> bool {
        match self {
            Self::All => false,
            Self::ToRest(_) => row.status.is_at_rest(),
            Self::ToTheEnd(_) => row.status.is_over() || row.abandoned.is_some(),
        }
    }
}

/// A follower on its way through the events, in a task of its own: whoever is told may be slow, or busy with what was
/// told before, and must not hold a connection to the database meanwhile. A few who did would have them all.
struct Following {
    follower: store::Follower,
    store: store::Store,
    followed: Followed,
}

impl Following {
    /// Tells until the end, or until nobody listens.
    async fn tell(mut self, listener: mpsc::Sender<Result<Vec<Arc<Event>>, Error>>) {
        let mut may_be_over = true;
        while !(may_be_over && Box::pin(self.is_over()).await) {
            let events = self.follower.next().await;
            // Only what is said of the operation as a whole can have ended it.
            let is_of_the_whole = |event: &Arc<Event>| event.step.is_none();
            may_be_over = events
                .as_ref()
                .is_ok_and(|events| events.iter().any(is_of_the_whole));
            let is_broken = events.is_err();
            if listener.send(events.map_err(Error::from)).await.is_err() || is_broken {
                return;
            }
        }
    }

    /// Whether nothing will come any more: the operation is at its end, and its last event has been handed over.
    async fn is_over(&mut self) -> bool {
        let Some(id) = self.followed.operation() else {
            return false;
        };
        // The row first: an operation that rests has written all its events before.
        let row = self.store.operations().get(id).await;
        let after = self.follower.position();
        row.is_ok_and(|row| self.followed.ends_with(&row)) && { self.store.events() }
            .after(after, EventFilter::operation(id), 1)
            .await
            .is_ok_and(|events| events.is_empty())
    }
}

pub(crate) fn conflict(error: store::Error, code: &'static str) -> Error {
    match error {
        store::Error::Conflict(message) => Error::Conflict {
            code,
            message: sentence(&message),
        },
        error => error.into(),
    }
}

fn shown(row: store::Operation, steps: Vec<StepReport>, waiting: Option<String>) -> Operation {
    Operation {
        id: row.id,
        kind: row.kind,
        status: row.status,
        waiting,
        app: row.app,
        requested_by: row.requested_by,
        cancellable: row.cancellable,
        cancel_requested: row.cancel_requested,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        steps,
        error: row.failure,
        abandoned: row.abandoned.map(|abandoned| api::Abandoned {
            by: abandoned.by,
            at: abandoned.at,
            reason: abandoned.reason,
        }),
    }
}

/// Every step of the plan with what the journal says of it.
fn steps(kind: OperationKind, history: &[History]) -> Vec<StepReport> {
    let mut reports: Vec<StepReport> = operations::plan(kind)
        .names
        .iter()
        .map(|name| StepReport {
            name: (*name).to_owned(),
            status: StepStatus::Pending,
            started_at: None,
            finished_at: None,
        })
        .collect();
    for line in history {
        let Some(report) = reports
            .iter_mut()
            .find(|report| report.name == line.event.step())
        else {
            continue;
        };
        let (status, started, finished) = match line.event {
            saga::Event::Started { .. } => (StepStatus::Running, Some(line.time), None),
            saga::Event::Finished { .. } => (StepStatus::Done, report.started_at, Some(line.time)),
            saga::Event::Failed { .. } | saga::Event::UndoFailed { .. } => {
                (StepStatus::Failed, report.started_at, Some(line.time))
            }
            saga::Event::Undone { .. } => (StepStatus::Undone, report.started_at, Some(line.time)),
            saga::Event::Checkpoint { .. } | saga::Event::Retried { .. } => continue,
        };
        (report.status, report.started_at, report.finished_at) = (status, started, finished);
    }
    reports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_shows_what_happened_to_it_last() {
        let at = |second| chrono::DateTime::from_timestamp(second, 0).unwrap();
        let line = |second, event| History {
            time: at(second),
            event,
        };
        let step = || "stop_container".to_owned();
        let history = [
            line(
                1,
                saga::Event::Started {
                    step: "observe_container".to_owned(),
                },
            ),
            line(
                2,
                saga::Event::Finished {
                    step: "observe_container".to_owned(),
                },
            ),
            line(3, saga::Event::Started { step: step() }),
            line(4, saga::Event::Checkpoint { step: step() }),
        ];
        let reports = steps(OperationKind::Stop, &history);
        assert_eq!(reports[0].status, StepStatus::Done);
        assert_eq!(
            (reports[0].started_at, reports[0].finished_at),
            (Some(at(1)), Some(at(2)))
        );
        assert_eq!(
            (reports[1].status, reports[1].finished_at),
            (StepStatus::Running, None)
        );
    }
}
