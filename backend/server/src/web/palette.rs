//! What the palette offers: everywhere one can go, as one list that a script searches.

use api::{App, CatalogApp, Operation, Scope};
use axum::{Json, extract::State};
use control::{Control, OperationQuery};
use serde::Serialize;

use super::{icon, picture, state, viewer::Viewer};
use crate::{error::Error, extract::Read, site::Site};

/// Apps at most; more are found on the first page.
const APPS: usize = 300;
/// Apps that are read at once.
const AT_ONCE: u32 = 100;
/// Operations that are offered.
const OPERATIONS: u32 = 8;

/// Everything, in the order in which it is shown.
#[derive(Serialize)]
pub(crate) struct Palette {
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    title: &'static str,
    entries: Vec<Entry>,
}

/// One thing to choose.
#[derive(Serialize)]
struct Entry {
    label: String,
    /// What stands small beside it.
    hint: String,
    /// Where it leads: a path of ours, or where an app opens.
    to: String,
    /// What else it is found by.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
    /// The address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    /// Or a picture of the interface, as SVG.
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    /// Whether it leads away from here, into a tab of its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    away: bool,
    /// Whether it is shown only when it is searched for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
}

/// `GET /parts/palette`.
pub(crate) async fn part(
    State(site): State<Site>,
    viewer: Viewer<Read>,
) -> Result<Json<Palette>, Error> {
    let control = &site.control;
    let may = |scope| viewer.asked.who.may(scope);
    let mut groups = vec![
        Group {
            title: "Places",
            entries: places(may(Scope::Admin)),
        },
        Group {
            title: "Apps",
            entries: apps(control).await?.into_iter().flat_map(app).collect(),
        },
        Group {
            title: "Last operations",
            entries: operations(control).await?,
        },
    ];
    if may(Scope::Write) {
        let entries = control.catalog(None, None);
        groups.push(Group {
            title: "Deploy",
            entries: entries.iter().map(deploy).collect(),
        });
    }
    groups.retain(|group| !group.entries.is_empty());
    Ok(Json(Palette { groups }))
}

fn places(is_admin: bool) -> Vec<Entry> {
    let place = |label: &str, to: &str, icon: &str, words: &str| Entry {
        words: words.to_owned(),
        ..Entry::new(label, "", to).icon(icon)
    };
    let mut entries = vec![
        place("Home", "/", "home", "apps cluster"),
        place("Catalog", "/catalog", "catalog", "deploy install new"),
        place("Operations", "/operations", "operations", "history journal"),
        place("Nodes", "/nodes", "nodes", "cluster memory disk"),
        place("Settings", "/settings", "settings", ""),
        place("Description of the API", "/docs", "docs", "openapi rest"),
    ];
    if is_admin {
        entries.extend(
            [
                place("API tokens", "/settings#tokens", "settings", "create"),
                place("Audit log", "/settings/audit", "operations", "who did what"),
                place("Park everything", "/settings#stop", "parked", "stop resume"),
            ]
            .map(|entry| Entry {
                quiet: true,
                hint: "Settings".to_owned(),
                ..entry
            }),
        );
    }
    entries
}

async fn apps(control: &Control) -> Result<Vec<App>, Error> {
    let mut apps = Vec::new();
    let mut cursor = None;
    loop {
        let page = control.apps(cursor.as_deref(), Some(AT_ONCE)).await?;
        apps.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || apps.len() >= APPS {
            return Ok(apps);
        }
    }
}

/// An app's page, and what is done with it otherwise.
fn app(app: App) -> impl Iterator<Item = Entry> {
    let badge = state::app(&app);
    let opens = state::opens_at(&app);
    let link = format!("/apps/{}", app.id);
    let words = format!("{} {}", app.catalog_id, app.node.unwrap_or_default());
    let page = Entry {
        picture: Some(picture::address(&app.catalog_id)),
        words,
        ..Entry::new(&app.name, badge.word, &link)
    };
    let more = |verb: &str, to: String, icon: &str| Entry {
        quiet: true,
        ..Entry::new(&format!("{verb} {}", app.name), "", &to).icon(icon)
    };
    let open = opens.map(|url| Entry {
        away: true,
        hint: url.clone(),
        ..more("Open", url, "open")
    });
    let logs = more("Logs of", format!("{link}/logs"), "logs");
    let settings = more("Settings of", format!("{link}/settings"), "settings");
    [Some(page), open, Some(logs), Some(settings)]
        .into_iter()
        .flatten()
}

async fn operations(control: &Control) -> Result<Vec<Entry>, Error> {
    let query = OperationQuery {
        limit: Some(OPERATIONS),
        ..OperationQuery::default()
    };
    let page = control.operations(query).await?;
    Ok(page.items.iter().map(operation).collect())
}

fn operation(operation: &Operation) -> Entry {
    let badge = state::operation(operation.status);
    Entry::new(
        &format!("{} {}", state::verb(operation.kind), operation.app.name),
        badge.word,
        &format!("/operations/{}", operation.id),
    )
    .icon(badge.icon)
}

fn deploy(entry: &CatalogApp) -> Entry {
    Entry {
        picture: Some(picture::address(&entry.id)),
        words: format!("install {} {}", entry.id, entry.category),
        quiet: true,
        ..Entry::new(
            &format!("Deploy {}", entry.name),
            &entry.tagline,
            &format!("/catalog/{}", entry.id),
        )
    }
}

impl Entry {
    fn new(label: &str, hint: &str, to: &str) -> Self {
        Self {
            label: label.to_owned(),
            hint: hint.to_owned(),
            to: to.to_owned(),
            words: String::new(),
            picture: None,
            icon: None,
            away: false,
            quiet: false,
        }
    }

    fn icon(mut self, name: &str) -> Self {
        self.icon = icon::svg(name);
        self
    }
}
