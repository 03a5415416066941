//! The first page: what is installed, what runs now, what waits for a person, and what is free.

use std::sync::Arc;

use api::{App, AppState, Operation, OperationStatus};
use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, Utc};
use control::{Amount, Control, Followed, OperationQuery, Overview};
use futures::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    commands::{self, Offer},
    live::{self, After, Patch},
    page::Head,
    state::{self, Badge},
    viewer::{Viewer, tone},
    words,
};
use crate::{
    error::Error,
    extract::{Query, Read, Until},
    layer::RequestId,
    site::Site,
};

/// Apps of a page.
const APPS: u32 = 60;
/// Operations that are shown at once.
const OPERATIONS: u32 = 8;

/// Apps that the commands name.
const NAMED: usize = 2;

/// Which apps.
#[derive(Deserialize)]
pub(crate) struct Which {
    cursor: Option<String>,
}

#[derive(Serialize)]
struct View {
    now: Now,
    cluster: Cluster,
    apps: Vec<Card>,
    next: Option<String>,
    is_first: bool,
    commands: Vec<Offer>,
}

/// What runs now and what waits for a person.
#[derive(Serialize)]
struct Now {
    operations: Vec<Row>,
    attention: Vec<Attention>,
    more: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    title: String,
    app: String,
    picture: String,
    badge: Badge,
    done: usize,
    steps: usize,
    since: DateTime<Utc>,
    by: String,
}

#[derive(Serialize)]
struct Attention {
    app: String,
    picture: String,
    message: String,
    link: String,
    action: &'static str,
}

/// An installed app.
#[derive(Serialize)]
struct Card {
    id: String,
    name: String,
    catalog_id: String,
    version: String,
    badge: Badge,
    node: Option<String>,
    /// Where it opens, while it runs.
    open: Option<String>,
    link: String,
    operation: Option<String>,
    attention: Option<String>,
}

/// What the cluster has, as it was seen a moment ago.
#[derive(Serialize)]
struct Cluster {
    seen_at: Option<DateTime<Utc>>,
    silence: Option<Silence>,
    nodes: usize,
    working_nodes: usize,
    memory: Meter,
    disk: Meter,
}

#[derive(Serialize)]
pub(super) struct Silence {
    since: DateTime<Utc>,
    message: String,
    hint: Option<String>,
}

/// How much of something is used, as the component `meter` shows it.
#[derive(Serialize)]
pub(super) struct Meter {
    used: u64,
    promised: u64,
    total: u64,
    free: String,
}

/// `GET /`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    let control = &site.control;
    // Before anything is read: what happens meanwhile is told by the stream.
    let newest = control.newest_event().await?;
    let apps = control.apps(which.cursor.as_deref(), Some(APPS)).await?;
    let names: Vec<&str> = { apps.items.iter().take(NAMED) }
        .map(|app| app.name.as_str())
        .collect();
    let view = View {
        commands: commands::of_several(&names),
        now: now(control).await?,
        cluster: cluster(&control.overview()),
        apps: apps.items.into_iter().map(card).collect(),
        next: apps.next,
        is_first: which.cursor.is_none(),
    };
    let head = Head::new("Home")
        .under("home")
        .live(format!("/live/home?after={newest}"));
    viewer.show("home.html", head, &view)
}

/// `GET /live/home`.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(after): Query<After>,
    headers: HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    let control = site.control;
    let after = after.event(&headers)?;
    let events = control.follow(Followed::All, after).await?;
    let events = events.map(Change::Events);
    let overviews = changes(control.overviews()).map(Change::Cluster);
    let watcher = Arc::new(Watcher { control, viewer });
    let patches = stream::select(events, overviews).then(move |change| {
        let watcher = watcher.clone();
        Box::pin(async move { watcher.patch(change).await })
    });
    Ok(live::answer(patches, until, request_id))
}

/// What makes the page another one.
enum Change {
    Events(Result<Vec<Arc<api::Event>>, control::Error>),
    Cluster(Arc<Overview>),
}

/// Whoever has the page open.
struct Watcher {
    control: Control,
    viewer: Viewer<Read>,
}

impl Watcher {
    async fn patch(&self, change: Change) -> Result<(Option<i64>, Patch), Error> {
        match change {
            Change::Cluster(overview) => {
                let html = self.render(
                    "home.cluster",
                    &Part {
                        of: cluster(&overview),
                    },
                )?;
                Ok((None, Patch::default().replace("cluster", html)))
            }
            Change::Events(events) => self.after(&events?).await,
        }
    }

    async fn after(&self, events: &[Arc<api::Event>]) -> Result<(Option<i64>, Patch), Error> {
        let last = events.last().map(|event| event.id);
        let mut apps: Vec<_> = events.iter().map(|event| event.app).collect();
        apps.sort_unstable();
        apps.dedup();
        let now = now(&self.control).await?;
        let pulse = self.control.pulse().await?;
        let mut patch = Patch::default()
            .replace("now", self.render("home.now", &Part { of: now })?)
            .tone(tone(pulse));
        for id in apps {
            let app = match self.control.app(&id.to_string()).await {
                Ok(app) => app,
                Err(control::Error::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let target = format!("app-{id}");
            let html = if app.state == AppState::Deleted {
                String::new()
            } else {
                self.render("home.card", &Part { of: card(app) })?
            };
            patch = patch.replace(target, html);
        }
        Ok((last, patch))
    }

    fn render<T: Serialize>(&self, component: &str, part: &Part<T>) -> Result<String, Error> {
        self.viewer.fragment_at(self.control.now(), component, part)
    }
}

/// The argument of a component.
#[derive(Serialize)]
struct Part<T> {
    of: T,
}

/// Each view of the cluster that comes after the present one.
pub(super) fn changes(
    overviews: watch::Receiver<Arc<Overview>>,
) -> impl Stream<Item = Arc<Overview>> + Send + 'static {
    stream::unfold(overviews, |mut overviews| async {
        overviews.changed().await.ok()?;
        let overview = overviews.borrow_and_update().clone();
        Some((overview, overviews))
    })
}

async fn now(control: &Control) -> Result<Now, Error> {
    let query = OperationQuery {
        live: true,
        limit: Some(OPERATIONS + 1),
        ..OperationQuery::default()
    };
    let page = control.operations(query).await?;
    let more = page.next.is_some() || page.items.len() > OPERATIONS as usize;
    let (mut operations, mut attention) = (Vec::new(), Vec::new());
    for operation in page.items.into_iter().take(OPERATIONS as usize) {
        if operation.status == OperationStatus::Stuck {
            attention.push(stuck(&operation));
        } else {
            let whole = control.operation(operation.id).await?;
            operations.push(row(whole));
        }
    }
    // A stuck operation says more than what is noticed of its app.
    let stuck: Vec<String> = attention.iter().map(|item| item.app.clone()).collect();
    let noticed = control.apps_in_need(OPERATIONS).await?;
    let noticed = noticed.iter().filter(|app| !stuck.contains(&app.name));
    attention.extend(noticed.map(noticed_app));
    Ok(Now {
        operations,
        attention,
        more,
    })
}

fn row(operation: Operation) -> Row {
    let done = |step: &&api::StepReport| step.status == api::StepStatus::Done;
    Row {
        id: operation.id.to_string(),
        title: state::doing(operation.kind).to_owned(),
        picture: super::picture::address(&operation.app.catalog_id),
        badge: state::operation(operation.status),
        done: operation.steps.iter().filter(done).count(),
        steps: operation.steps.len(),
        since: operation.started_at.unwrap_or(operation.created_at),
        app: operation.app.name,
        by: operation.requested_by,
    }
}

fn stuck(operation: &Operation) -> Attention {
    let why = operation.error.as_ref().map(|error| error.message.as_str());
    Attention {
        app: operation.app.name.clone(),
        picture: super::picture::address(&operation.app.catalog_id),
        message: format!(
            "{} is stuck. {}",
            state::verb(operation.kind),
            why.unwrap_or_default()
        ),
        link: format!("/operations/{}", operation.id),
        action: "Look and decide",
    }
}

fn noticed_app(app: &App) -> Attention {
    Attention {
        app: app.name.clone(),
        picture: super::picture::address(&app.catalog_id),
        message: app.attention.clone().unwrap_or_default(),
        link: format!("/apps/{}", app.id),
        action: "Look at the app",
    }
}

fn card(app: App) -> Card {
    Card {
        badge: state::app(&app),
        id: app.id.to_string(),
        link: format!("/apps/{}", app.id),
        open: state::opens_at(&app),
        node: app.node,
        operation: app.operation.map(|id| id.to_string()),
        attention: app.attention,
        name: app.name,
        catalog_id: app.catalog_id,
        version: app.version,
    }
}

fn cluster(overview: &Overview) -> Cluster {
    let working = overview
        .nodes
        .iter()
        .filter(|node| node.node.state == api::NodeState::Online);
    Cluster {
        seen_at: overview.seen_at,
        silence: overview.silence.as_ref().map(silence),
        nodes: overview.nodes.len(),
        working_nodes: working.count(),
        memory: meter(overview.memory()),
        disk: meter(overview.disk()),
    }
}

/// That the cluster does not answer, as the parts of a page show it.
pub(super) fn silence(silence: &control::Silence) -> Silence {
    Silence {
        since: silence.since,
        message: silence.message.clone(),
        hint: silence.hint.clone(),
    }
}

pub(super) fn meter(amount: Amount) -> Meter {
    Meter {
        used: amount.used,
        promised: amount.promised,
        total: amount.total,
        free: words::bytes(amount.free()),
    }
}
