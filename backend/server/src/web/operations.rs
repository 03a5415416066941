//! All operations, newest first, with filters.

use std::sync::Arc;

use api::{Operation, OperationKind, OperationStatus};
use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, NaiveDate, Utc};
use control::{Control, Followed, OperationQuery};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::{
    filters::{self, Choice, Given},
    live::{self, After, Patch},
    page::Head,
    picture,
    state::{self, Badge},
    viewer::{Viewer, tone},
};
use crate::{
    error::Error,
    extract::{Query, Read, Until},
    layer::RequestId,
    site::Site,
};

/// Operations of a page.
const ROWS: u32 = 50;

/// What the form of filters says.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Which {
    app: Option<String>,
    kind: Option<OperationKind>,
    status: Option<OperationStatus>,
    /// The first day, as UTC has it.
    since: Option<NaiveDate>,
    /// The last day.
    until: Option<NaiveDate>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct View {
    filter: Filter,
    list: List,
}

/// The filters as they are chosen, and what may be chosen.
#[derive(Serialize)]
struct Filter {
    app: String,
    kind: &'static str,
    status: &'static str,
    since: String,
    until: String,
    kinds: Vec<Choice>,
    statuses: Vec<Choice>,
    is_set: bool,
}

#[derive(Serialize)]
struct List {
    rows: Vec<Row>,
    /// Where the page of older ones is.
    older: Option<String>,
    is_first: bool,
    is_filtered: bool,
    /// That the app of the filter does not exist.
    unknown_app: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Row {
    id: String,
    title: &'static str,
    app: String,
    app_link: String,
    picture: String,
    badge: Badge,
    by: String,
    created_at: DateTime<Utc>,
    /// How long it took, seconds, once it rests.
    seconds: Option<f64>,
    error: Option<String>,
    given_up: bool,
}

/// The argument of a component.
#[derive(Serialize)]
struct Part {
    of: List,
}

/// `GET /operations`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    // Before anything is read: what happens meanwhile is told by the stream.
    let newest = site.control.newest_event().await?;
    let view = View {
        list: list(&site.control, &which).await?,
        filter: filter(&which),
    };
    let mut head = Head::new("Operations").under("operations");
    // Older ones do not change any more.
    if which.cursor.is_none() {
        let query = which.query(&[("after", &newest.to_string())]);
        head = head.live(format!("/live/operations?{query}"));
    }
    viewer.show("operations.html", head, &view)
}

/// `GET /live/operations`: the first page again whenever something happens.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(which): Query<Which>,
    Query(after): Query<After>,
    headers: HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    let events = site
        .control
        .follow(Followed::All, after.event(&headers)?)
        .await?;
    let watcher = Arc::new((site.control, viewer, which));
    let patches = events.then(move |events| {
        let watcher = watcher.clone();
        async move {
            let (control, viewer, which) = watcher.as_ref();
            let events = events?;
            let part = Part {
                of: list(control, which).await?,
            };
            let html = viewer.fragment_at(control.now(), "operations.list", &part)?;
            let patch = Patch::default()
                .replace("operations", html)
                .tone(tone(control.pulse().await?));
            Ok((events.last().map(|event| event.id), patch))
        }
    });
    Ok(live::answer(patches, until, request_id))
}

impl Which {
    fn given(&self) -> Given<5> {
        [
            ("app", self.app.clone()),
            ("kind", self.kind.map(|kind| kind.to_string())),
            ("status", self.status.map(|status| status.to_string())),
            ("since", self.since.map(|day| day.to_string())),
            ("until", self.until.map(|day| day.to_string())),
        ]
    }

    /// The filters and `more` as a query.
    fn query(&self, more: &[(&str, &str)]) -> String {
        filters::query(self.given(), more)
    }

    fn is_set(&self) -> bool {
        filters::is_set(&self.given())
    }
}

fn filter(which: &Which) -> Filter {
    let any = |label| Choice { value: "", label };
    let kinds = OperationKind::ALL.iter().map(|kind| Choice {
        value: kind.as_str(),
        label: state::verb(*kind),
    });
    let statuses = OperationStatus::ALL.iter().map(|status| Choice {
        value: status.as_str(),
        label: state::operation(*status).word,
    });
    Filter {
        app: which.app.clone().unwrap_or_default(),
        kind: which.kind.map_or("", OperationKind::as_str),
        status: which.status.map_or("", OperationStatus::as_str),
        since: filters::text(which.since),
        until: filters::text(which.until),
        kinds: [any("Any kind")].into_iter().chain(kinds).collect(),
        statuses: [any("Any state")].into_iter().chain(statuses).collect(),
        is_set: which.is_set(),
    }
}

async fn list(control: &Control, which: &Which) -> Result<List, Error> {
    let query = OperationQuery {
        app: which.app.clone(),
        statuses: which.status.into_iter().collect(),
        kind: which.kind,
        since: filters::from(which.since),
        until: filters::through(which.until),
        cursor: which.cursor.clone(),
        limit: Some(ROWS),
        ..OperationQuery::default()
    };
    let empty = List {
        rows: Vec::new(),
        older: None,
        is_first: which.cursor.is_none(),
        is_filtered: which.is_set(),
        unknown_app: None,
    };
    match control.operations(query).await {
        Ok(page) => Ok(List {
            older: page
                .next
                .map(|next| format!("/operations?{}", which.query(&[("cursor", &next)]))),
            rows: page.items.into_iter().map(row).collect(),
            ..empty
        }),
        // A name that was mistyped empties the list; it is no broken address.
        Err(control::Error::NotFound { .. }) => Ok(List {
            unknown_app: which.app.clone(),
            ..empty
        }),
        Err(error) => Err(error.into()),
    }
}

/// An operation as a row of a list.
pub(super) fn row(operation: Operation) -> Row {
    let begun = operation.started_at.unwrap_or(operation.created_at);
    let took = operation.finished_at.map(|finished| finished - begun);
    Row {
        title: state::verb(operation.kind),
        badge: state::operation(operation.status),
        app_link: format!("/apps/{}", operation.app.id),
        picture: picture::address(&operation.app.catalog_id),
        app: operation.app.name,
        by: operation.requested_by,
        created_at: operation.created_at,
        seconds: took.map(chrono::TimeDelta::as_seconds_f64),
        error: operation.error.map(|error| error.message),
        given_up: operation.abandoned.is_some(),
        id: operation.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_a_query_again() {
        let which = Which {
            app: Some("a & b".to_owned()),
            status: Some(OperationStatus::Stuck),
            since: NaiveDate::from_ymd_opt(2026, 2, 3),
            ..Which::default()
        };
        assert_eq!(
            which.query(&[("cursor", "x=1")]),
            "app=a+%26+b&status=stuck&since=2026-02-03&cursor=x%3D1"
        );
        assert!(which.is_set() && !Which::default().is_set());
    }

    #[test]
    fn every_kind_and_every_state_can_be_chosen() {
        let filter = filter(&Which::default());
        assert_eq!(filter.kinds.len(), OperationKind::ALL.len() + 1);
        assert_eq!(filter.statuses.len(), OperationStatus::ALL.len() + 1);
    }
}
