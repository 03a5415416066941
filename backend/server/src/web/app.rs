//! The page of an installed app: what it is, where it is, what it uses, and what can be done with it.

use std::sync::Arc;

use api::{App, AppState, OperationKind};
use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, Utc};
use control::{Amount, Control, Followed, GuestOverview, OperationQuery};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::{
    commands::{self, Offer},
    home::{Meter, meter},
    live::{self, After, Patch},
    operations::{Row, row},
    page::Head,
    picture,
    posted::{Posted, on_to},
    state::{self, Badge},
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{AppName, Query, Read, Segment, Until, Write},
    layer::RequestId,
    site::Site,
};

/// Operations on the first page of an app.
const RECENT: u32 = 5;

/// What stands above every page of an app.
#[derive(Serialize)]
pub(super) struct AppHead {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) link: String,
    catalog_id: String,
    version: String,
    picture: String,
    badge: Badge,
    open: Option<String>,
    attention: Option<String>,
    operation: Option<String>,
    can_start: bool,
    can_stop: bool,
    is_gone: bool,
    tabs: Vec<Tab>,
}

/// A part of the app's page.
#[derive(Serialize)]
struct Tab {
    key: &'static str,
    label: &'static str,
    to: String,
}

#[derive(Serialize)]
struct View {
    app: AppHead,
    facts: Facts,
    recent: Vec<Row>,
    commands: Vec<Offer>,
}

/// What the app is and uses.
#[derive(Serialize)]
struct Facts {
    endpoints: Vec<Endpoint>,
    address: Option<String>,
    node: Option<String>,
    vmid: Option<u32>,
    catalog_id: String,
    version: String,
    cores: u32,
    created_at: DateTime<Utc>,
    used: Option<Used>,
    memory: u64,
    disk: u64,
}

#[derive(Serialize)]
struct Endpoint {
    name: String,
    url: String,
    is_web: bool,
}

/// What its container uses, as it was seen a moment ago.
#[derive(Serialize)]
struct Used {
    cpu: f64,
    memory: Meter,
    disk: Meter,
    uptime: Option<f64>,
}

/// The argument of a component.
#[derive(Serialize)]
struct Part<T> {
    of: T,
}

/// `GET /apps/{id or name}`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
) -> Result<Response, Error> {
    let control = &site.control;
    let newest = control.newest_event().await?;
    let app = control.app(&name).await?;
    let view = View {
        recent: recent(control, &app).await?,
        commands: commands::of_app(&app.name),
        facts: facts(control, &app),
        app: AppHead::of(&app),
    };
    let head = Head::new(app.name.clone())
        .under("home")
        .live(format!("/live/apps/{}?after={newest}", app.id))
        .tone(tone(&app));
    viewer.show("app.html", head, &view)
}

/// `GET /live/apps/{id}`: the head, the facts and what happened lately, whenever something happens to the app.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
    Query(after): Query<After>,
    headers: HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    let control = site.control;
    let id = control.app(&name).await?.id;
    let events = control
        .follow(Followed::All, after.event(&headers)?)
        .await?;
    let events = events.try_filter_map(move |mut events| {
        events.retain(|event| event.app == id);
        std::future::ready(Ok((!events.is_empty()).then_some(events)))
    });
    let watcher = Arc::new((control, viewer));
    let patches = events.then(move |events| {
        let watcher = watcher.clone();
        async move {
            let (control, viewer) = watcher.as_ref();
            let events = events?;
            let app = control.app(&id.to_string()).await?;
            let now = control.now();
            let render =
                |component: &str, html: Result<String, Error>| (component.to_owned(), html);
            let parts = [
                render(
                    "app-head",
                    viewer.fragment_at(
                        now,
                        "app.head",
                        &Part {
                            of: AppHead::of(&app),
                        },
                    ),
                ),
                render(
                    "app-facts",
                    viewer.fragment_at(
                        now,
                        "app.facts",
                        &Part {
                            of: facts(control, &app),
                        },
                    ),
                ),
                render(
                    "recent",
                    viewer.fragment_at(
                        now,
                        "app.recent",
                        &Part {
                            of: recent(control, &app).await?,
                        },
                    ),
                ),
            ];
            let mut patch = Patch::default().tone(tone(&app));
            for (target, html) in parts {
                patch = patch.replace(target, html?);
            }
            Ok((events.last().map(|event| event.id), patch))
        }
    });
    Ok(live::answer(patches, until, request_id))
}

/// `POST /apps/{id}/start`.
pub(crate) async fn start(
    site: State<Site>,
    app: Segment<AppName>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    begin(site, app, posted, OperationKind::Start).await
}

/// `POST /apps/{id}/stop`.
pub(crate) async fn stop(
    site: State<Site>,
    app: Segment<AppName>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    begin(site, app, posted, OperationKind::Stop).await
}

/// `POST /apps/{id}/restart`.
pub(crate) async fn restart(
    site: State<Site>,
    app: Segment<AppName>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    begin(site, app, posted, OperationKind::Restart).await
}

async fn begin(
    State(site): State<Site>,
    Segment(AppName(name)): Segment<AppName>,
    posted: Posted<Write>,
    kind: OperationKind,
) -> Result<Response, Error> {
    operate(&site.control, &posted, &name, kind).await
}

/// Writes an operation down and leads to its progress; to that of the one that is under way already, if one is.
pub(super) async fn operate(
    control: &Control,
    posted: &Posted<Write>,
    app: &str,
    kind: OperationKind,
) -> Result<Response, Error> {
    match control
        .start_operation(&posted.viewer.asked, app, kind)
        .await
    {
        Ok(operation) => Ok(on_to(&format!("/operations/{}", operation.id))),
        Err(control::Error::Busy { operation, .. }) => {
            Ok(on_to(&format!("/operations/{operation}")))
        }
        Err(error) => Err(error.into()),
    }
}

impl AppHead {
    pub(super) fn of(app: &App) -> Self {
        let link = format!("/apps/{}", app.id);
        let tab = |key, label, end: &str| Tab {
            key,
            label,
            to: format!("{link}{end}"),
        };
        let is_free = app.operation.is_none();
        Self {
            tabs: vec![
                tab("overview", "Overview", ""),
                tab("logs", "Logs", "/logs"),
                tab("history", "History", "/history"),
                tab("settings", "Settings", "/settings"),
            ],
            picture: picture::address(&app.catalog_id),
            badge: state::app(app),
            open: state::opens_at(app),
            attention: app.attention.clone(),
            operation: app.operation.map(|operation| operation.to_string()),
            can_start: is_free && app.state == AppState::Stopped,
            can_stop: is_free && app.state == AppState::Running,
            is_gone: app.state == AppState::Deleted,
            id: app.id.to_string(),
            name: app.name.clone(),
            catalog_id: app.catalog_id.clone(),
            version: app.version.clone(),
            link,
        }
    }
}

/// What favicon and title show of an app.
pub(super) fn tone(app: &App) -> &'static str {
    match state::app(app).tone {
        "busy" => "working",
        "warn" | "bad" => "attention",
        _ => "ok",
    }
}

async fn recent(control: &Control, app: &App) -> Result<Vec<Row>, Error> {
    let query = OperationQuery {
        app: Some(app.id.to_string()),
        limit: Some(RECENT),
        ..OperationQuery::default()
    };
    let page = control.operations(query).await?;
    Ok(page.items.into_iter().map(row).collect())
}

fn facts(control: &Control, app: &App) -> Facts {
    let overview = control.overview();
    let guest = app.vmid.and_then(|vmid| overview.guests.get(&vmid));
    let endpoint = |endpoint: &api::Endpoint| Endpoint {
        name: endpoint.name.clone(),
        is_web: endpoint.scheme.starts_with("http"),
        url: endpoint.url.clone(),
    };
    Facts {
        endpoints: app.endpoints.iter().map(endpoint).collect(),
        address: app.address.map(|address| address.to_string()),
        node: app.node.clone(),
        vmid: app.vmid,
        catalog_id: app.catalog_id.clone(),
        version: app.version.clone(),
        cores: app.resources.cores.unwrap_or_default(),
        memory: app.resources.memory.unwrap_or_default(),
        disk: app.resources.disk.unwrap_or_default(),
        created_at: app.created_at,
        used: guest.filter(|guest| guest.is_running).map(used),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a container's life")]
fn used(guest: &GuestOverview) -> Used {
    let amount = |used, total| {
        meter(Amount {
            used,
            promised: 0,
            total,
        })
    };
    Used {
        cpu: (guest.cpu * 1000.0).round() / 10.0,
        memory: amount(guest.memory, guest.memory_total),
        disk: amount(guest.disk, guest.disk_total),
        uptime: (guest.uptime > 0).then_some(guest.uptime as f64),
    }
}
