//! What happened to an app: its operations and its releases, also when it is gone.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use control::OperationQuery;
use serde::{Deserialize, Serialize};

use super::{
    app::{AppHead, tone},
    operations::{Row, row},
    page::Head,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{AppName, Query, Read, Segment},
    site::Site,
};

/// Operations of a page.
const ROWS: u32 = 50;

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Which {
    cursor: Option<String>,
}

#[derive(Serialize)]
struct View {
    app: AppHead,
    operations: Vec<Row>,
    older: Option<String>,
    releases: Vec<Release>,
}

#[derive(Serialize)]
struct Release {
    number: u32,
    version: String,
    created_at: DateTime<Utc>,
    is_current: bool,
}

/// `GET /apps/{id}/history`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    let app = site.control.app(&name).await?;
    let query = OperationQuery {
        app: Some(app.id.to_string()),
        cursor: which.cursor,
        limit: Some(ROWS),
        ..OperationQuery::default()
    };
    let page = site.control.operations(query).await?;
    let releases = site.control.releases(&app.id.to_string()).await?;
    let release = |release: control::ReleaseSummary| Release {
        number: release.number,
        version: release.version,
        created_at: release.created_at,
        is_current: release.is_current,
    };
    let view = View {
        older: page.next.map(|next| {
            let cursor: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("/apps/{}/history?cursor={cursor}", app.id)
        }),
        operations: page.items.into_iter().map(row).collect(),
        releases: releases.into_iter().map(release).collect(),
        app: AppHead::of(&app),
    };
    let head = Head::new(format!("History of {}", app.name))
        .under("home")
        .tone(tone(&app));
    viewer.show("app_history.html", head, &view)
}
