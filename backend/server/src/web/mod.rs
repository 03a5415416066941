//! Pages for people: rendered here, readable without a script, live by one script that patches what the server
//! renders again.
//!
//! ```text
//!   GET  ─► Viewer (session, theme) ─► one call of `control` ─► a view struct ─► templates ─► HTML
//!   POST ─► Posted (session, CSRF)  ─► one call of `control` ─► 303, or the form again with what is wrong
//!   SSE  ─► Viewer ─► events of `control` ─► the same components ─► fragments
//! ```
//!
//! `docs/web.md` tells how a page is made. Pages ask the application itself, never the API over HTTP, and a page
//! must never wait for the cluster.

mod ansi;
mod app;
mod app_history;
mod app_settings;
mod appearance;
mod assets;
mod audit;
mod brand;
mod bulk;
mod bulk_delete;
mod catalog;
mod check;
mod command;
mod commands;
mod deploy;
mod doctor;
mod error_page;
mod filters;
mod functions;
mod home;
mod icon;
mod live;
mod login;
mod logs;
mod markdown;
mod nodes;
mod operation;
mod operations;
mod page;
mod palette;
mod picture;
mod posted;
mod progress;
mod reconciliation;
mod settings;
pub(crate) mod setup;
mod site;
mod state;
mod steps;
mod theme;
mod viewer;
mod words;

use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use error_page::{Reader, wants_page};
pub(crate) use site::Web;
use viewer::Viewer;

use crate::site::Site;

/// On to the setup, while there is nothing else.
pub(crate) fn to_setup() -> axum::response::Response {
    posted::on_to("/setup")
}

/// The table of contents of what people see.
pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(home::page))
        .route("/live/home", get(home::live))
        .route("/nodes", get(nodes::page))
        .route("/live/nodes", get(nodes::live))
        .route("/operations", get(operations::page))
        .route("/live/operations", get(operations::live))
        .route("/settings", get(settings::page))
        .route("/settings/tokens", post(settings::create_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke_token))
        .route("/settings/audit", get(audit::page))
        .route("/settings/park", post(settings::park))
        .route("/settings/resume", post(settings::resume))
        .route("/settings/doctor", post(doctor::examine))
        .route("/settings/reconcile", post(reconciliation::compare))
        .route("/containers/{vmid}/adopt", post(reconciliation::adopt))
        .route("/apps", get(bulk::home).post(bulk::begin))
        .route("/apps/{id}", get(app::page))
        .route("/live/apps/{id}", get(app::live))
        .route("/apps/{id}/start", post(app::start))
        .route("/apps/{id}/stop", post(app::stop))
        .route("/apps/{id}/restart", post(app::restart))
        .route("/apps/{id}/logs", get(logs::page))
        .route("/apps/{id}/logs.txt", get(logs::download))
        .route("/live/apps/{id}/logs", get(logs::live))
        .route("/apps/{id}/history", get(app_history::page))
        .route("/apps/{id}/settings", get(app_settings::page))
        .route("/apps/{id}/login", post(app_settings::reveal))
        .route("/apps/{id}/delete", post(app_settings::delete))
        .route("/operations/{id}", get(operation::page))
        .route("/live/operations/{id}", get(operation::live))
        .route("/operations/{id}/cancel", post(operation::cancel))
        .route("/operations/{id}/retry", post(operation::retry))
        .route("/operations/{id}/abandon", post(operation::abandon))
        .route("/catalog", get(catalog::page))
        .route("/parts/catalog", get(catalog::part))
        .route("/catalog/{id}", get(deploy::page).post(deploy::deploy))
        .route("/parts/plan/{id}", post(deploy::part))
        .route("/parts/palette", get(palette::part))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/appearance", post(appearance::choose))
        // What was set up is not set up again.
        .route("/setup", get(async || posted::on_to("/login")))
        .route("/static/{*path}", get(assets::serve))
        .route("/pictures/{name}", get(picture::serve))
}
