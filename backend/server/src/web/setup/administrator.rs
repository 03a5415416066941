//! Making the administrator.

use api::Login;
use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{SetupSite, Step, Visit, Wrong, show, values, visit::Sent};
use crate::{error::Error, web::posted::on_to};

const FIELDS: &[&str] = &["username", "password", "again"];

#[derive(Serialize)]
struct Own {
    /// Whether there is one already.
    there: bool,
    values: std::collections::BTreeMap<&'static str, String>,
}

/// `GET /setup/administrator`.
pub(crate) async fn page(State(site): State<SetupSite>, visit: Visit) -> Result<Response, Error> {
    form(&site, &visit, "admin", None)
}

/// `POST /setup/administrator`.
pub(crate) async fn create(
    State(site): State<SetupSite>,
    Sent { visit, fields }: Sent,
) -> Result<Response, Error> {
    let username = fields.text("username").unwrap_or_default();
    let login = Login {
        username: username.to_owned(),
        password: fields.exact("password").unwrap_or_default().to_owned(),
    };
    let again = fields.exact("again").unwrap_or_default();
    match site
        .setup
        .create_administrator(&visit.cookie, login, again)
        .await
    {
        Ok(()) => Ok(on_to(Step::Cluster.path())),
        Err(error) => form(&site, &visit, username, Some(Wrong::of(error)?)),
    }
}

fn form(
    site: &SetupSite,
    visit: &Visit,
    username: &str,
    wrong: Option<Wrong>,
) -> Result<Response, Error> {
    // A password is never written into a page.
    let typed = |name: &str| (name == "username").then(|| username.to_owned());
    let own = Own {
        there: visit.progress.administrator,
        values: values(&FIELDS[..1], typed, &control::Answers::new()),
    };
    show(site, visit, Step::Administrator, FIELDS, wrong, own)
}
