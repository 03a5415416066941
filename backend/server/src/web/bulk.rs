//! The same on several apps, as they were ticked on the first page.

use api::{Bulk, BulkItem, OperationKind};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    bulk_delete::Deletion,
    commands,
    page::Head,
    posted::{Posted, on_to},
    state,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{Read, Write},
    site::Site,
};

#[derive(Serialize)]
struct View {
    title: String,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    app: String,
    link: String,
    /// Why nothing was begun.
    refusal: Option<String>,
}

/// `POST /apps`. Leads to the operations; where something was refused, to a page that says what and why.
pub(crate) async fn begin(
    State(site): State<Site>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    let mut apps: Vec<String> = posted.fields.all("app").map(str::to_owned).collect();
    let kind = posted
        .fields
        .text("kind")
        .and_then(|kind| kind.parse().ok());
    let offered = [
        OperationKind::Start,
        OperationKind::Stop,
        OperationKind::Restart,
        OperationKind::Delete,
    ];
    let (Some(kind), false) = (kind.filter(|kind| offered.contains(kind)), apps.is_empty()) else {
        return Ok(on_to("/#several"));
    };
    if kind == OperationKind::Delete {
        let deletion = Deletion::of(&site.control, &apps).await?;
        if deletion.is_empty() {
            return Ok(on_to("/"));
        }
        if !deletion.is_confirmed(posted.fields.text("confirm")) {
            return deletion.ask(&posted);
        }
        apps = deletion.ids();
    }
    let asked = &posted.viewer.asked;
    let begun = site
        .control
        .start_operations(asked, Bulk { kind, apps })
        .await?;
    if begun.items.iter().all(|item| item.refusal.is_none()) {
        return Ok(on_to(&format!("/operations?kind={kind}")));
    }
    let view = View {
        title: format!("{} several apps", state::verb(kind)),
        items: begun.items.into_iter().map(item).collect(),
    };
    let head = Head::new(&view.title).under("home");
    let mut response = posted.viewer.show("bulk.html", head, &view)?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

/// `GET /apps`: there is no page of its own; the apps are on the first.
pub(crate) async fn home(_: Viewer<Read>) -> Response {
    on_to("/")
}

fn item(item: BulkItem) -> Item {
    let link = match &item.operation {
        Some(operation) => format!("/operations/{}", operation.id),
        None => format!("/apps/{}", commands::segment(&item.app)),
    };
    let name = item.operation.map(|operation| operation.app.name);
    Item {
        app: name.unwrap_or(item.app),
        link,
        refusal: item.refusal.map(|refusal| refusal.message),
    }
}
