//! The catalog: search, categories, what each app needs and whether it fits now.

use api::CatalogApp;
use axum::{
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use control::{Control, Fit};
use serde::{Deserialize, Serialize};

use super::{Viewer, page::Head, picture, state::Badge, words};
use crate::{
    error::Error,
    extract::{Query, Read},
    site::Site,
};

/// Which entries.
#[derive(Deserialize)]
pub(crate) struct Which {
    q: Option<String>,
    category: Option<String>,
}

#[derive(Serialize)]
struct View {
    q: String,
    category: String,
    categories: Vec<Category>,
    results: Results,
}

#[derive(Serialize)]
struct Category {
    id: String,
    name: String,
    count: usize,
}

/// The entries that were found.
#[derive(Serialize)]
struct Results {
    entries: Vec<Entry>,
    /// What was looked for, where nothing was found.
    q: String,
    category: String,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    name: String,
    version: String,
    tagline: String,
    category: String,
    picture: String,
    needs: String,
    fit: Badge,
    /// Why it does not fit.
    why: Option<String>,
}

/// `GET /catalog`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    let control = &site.control;
    let view = View {
        categories: categories(control, which.q.as_deref()),
        results: results(control, &which),
        q: which.q.unwrap_or_default(),
        category: which.category.unwrap_or_default(),
    };
    viewer.show("catalog.html", Head::new("Catalog").under("catalog"), &view)
}

/// `GET /parts/catalog`: the results alone, as somebody types.
pub(crate) async fn part(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Of {
        of: Results,
    }
    let of = results(&site.control, &which);
    let html = viewer.fragment("catalog.results", &Of { of })?;
    Ok(Html(html).into_response())
}

fn categories(control: &Control, q: Option<&str>) -> Vec<Category> {
    let found = control.catalog(q, None);
    let count = |id: &str| found.iter().filter(|app| app.category == id).count();
    let categories = control.categories().into_iter().map(|(id, name)| Category {
        count: count(&id),
        id,
        name,
    });
    categories.filter(|category| category.count > 0).collect()
}

fn results(control: &Control, which: &Which) -> Results {
    let overview = control.overview();
    let found = control.catalog(which.q.as_deref(), which.category.as_deref());
    let names: Vec<(String, String)> = control.categories();
    let entry = |app: CatalogApp| {
        let (fit, why) = fit(control.fit(&overview, &app.id));
        let category = names.iter().find(|(id, _)| *id == app.category);
        Entry {
            picture: picture::address(&app.id),
            needs: needs(&app.resources),
            category: category.map_or(app.category.clone(), |(_, name)| name.clone()),
            id: app.id,
            name: app.name,
            version: app.version,
            tagline: app.tagline,
            fit,
            why,
        }
    };
    Results {
        entries: found.into_iter().map(entry).collect(),
        q: which.q.clone().unwrap_or_default(),
        category: which.category.clone().unwrap_or_default(),
    }
}

/// What an app needs, in a few words: `1 core · 1 GiB memory · 4 GiB disk`.
pub(crate) fn needs(resources: &api::Resources) -> String {
    let cores = resources.cores.unwrap_or(1);
    format!(
        "{cores}\u{a0}core{} · {} memory · {} disk",
        if cores == 1 { "" } else { "s" },
        words::bytes(resources.memory.unwrap_or_default()),
        words::bytes(resources.disk.unwrap_or_default())
    )
}

/// Whether it fits, as a badge, and why it does not.
pub(crate) fn fit(fit: Fit) -> (Badge, Option<String>) {
    let badge = |word, tone, icon| Badge { word, tone, icon };
    match fit {
        Fit::Unknown => (badge("Room not known yet", "quiet", "waiting"), None),
        Fit::Fits { .. } => (badge("Fits now", "ok", "done"), None),
        Fit::Not { reason } => (badge("No room now", "warn", "attention"), Some(reason)),
    }
}
