//! The setup page: forms for people, answered by [`control::Setup`]. It works without a script, keeps no value in the
//! browser, and never writes a secret into a page.
//!
//! ```text
//!   /setup ─ code or login ─► cookie ─► administrator ▸ cluster ▸ certificate ▸ credentials ▸ test ▸ save ─► /catalog
//! ```
//!
//! Without the cookie every address here leads to the entrance, which tells nothing.

mod administrator;
mod cluster;
mod credentials;
mod entrance;
mod step;
mod trial;
mod visit;

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::FromRef,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use control::Setup;
use serde::Serialize;

use super::{
    Web, appearance, assets,
    page::{self, Frame, Head},
};
use crate::error::Error;
use step::{Step, StepView};
use visit::Visit;

/// What the handlers can reach while there is no cluster.
#[derive(Clone)]
pub(crate) struct SetupSite {
    /// The first run.
    pub(crate) setup: Setup,
    /// What pages are made with.
    pub(crate) web: Web,
}

impl FromRef<SetupSite> for Web {
    fn from_ref(site: &SetupSite) -> Self {
        site.web.clone()
    }
}

/// The table of contents of the setup.
pub(crate) fn routes() -> Router<SetupSite> {
    Router::new()
        .route("/setup", get(entrance::page).post(entrance::enter))
        .route(
            "/setup/administrator",
            get(administrator::page).post(administrator::create),
        )
        .route("/setup/cluster", get(cluster::page).post(cluster::look))
        .route(
            "/setup/certificate",
            get(cluster::certificate).post(cluster::confirm),
        )
        .route(
            "/setup/credentials",
            get(credentials::page).post(credentials::enter),
        )
        .route("/setup/test", get(trial::page))
        .route("/setup/save", post(trial::save))
        .route("/appearance", post(appearance::choose))
        .route("/static/{*path}", get(assets::serve))
}

/// What went wrong, for a person.
#[derive(Debug, Serialize)]
struct Trouble {
    message: String,
    hint: Option<String>,
    evidence: Vec<String>,
}

/// What is wrong with a form: what concerns all of it, and what concerns a field.
#[derive(Debug, Default)]
struct Wrong {
    trouble: Option<Trouble>,
    fields: BTreeMap<String, String>,
    status: StatusCode,
}

impl Wrong {
    /// One field is wrong.
    fn field(name: &str, message: &str) -> Self {
        Self {
            trouble: None,
            fields: BTreeMap::from([(name.to_owned(), sentence(message))]),
            status: StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// What a person can mend; the error itself when they cannot.
    fn of(error: control::Error) -> Result<Self, Error> {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let trouble = match error {
            control::Error::Internal(_) => return Err(error.into()),
            control::Error::Invalid { errors } => {
                let fields = errors.into_iter().map(|error| {
                    let name = error.pointer.trim_start_matches('/').to_owned();
                    (name, sentence(&error.message))
                });
                return Ok(Self {
                    trouble: None,
                    fields: fields.collect(),
                    status,
                });
            }
            control::Error::Unavailable(failure) => Trouble {
                message: failure.message,
                hint: failure.hint,
                evidence: failure.evidence,
            },
            error => Trouble {
                message: error.to_string(),
                hint: None,
                evidence: Vec::new(),
            },
        };
        Ok(Self {
            trouble: Some(trouble),
            fields: BTreeMap::new(),
            status,
        })
    }
}

/// What every page of the setup shows.
#[derive(Serialize)]
struct View<T> {
    steps: Vec<StepView>,
    trouble: Option<Trouble>,
    /// What is wrong with a field; a text for each field of the page, empty where nothing is.
    wrong: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    own: T,
}

/// A page of the setup. `fields` are the names of its fields.
fn show(
    site: &SetupSite,
    visit: &Visit,
    step: Step,
    fields: &[&'static str],
    wrong: Option<Wrong>,
    own: impl Serialize,
) -> Result<Response, Error> {
    let wrong = wrong.unwrap_or_default();
    let mut trouble = wrong.trouble;
    let shown = fields.iter().map(|name| {
        let text = wrong.fields.get(*name).cloned().unwrap_or_default();
        (*name, text)
    });
    // What is wrong with an answer of another page.
    let foreign = wrong
        .fields
        .iter()
        .find(|(name, _)| !fields.contains(&name.as_str()));
    if let Some((name, message)) = foreign {
        trouble = Some(Trouble {
            message: format!("`{name}`: {message}"),
            hint: None,
            evidence: Vec::new(),
        });
    }
    let view = View {
        steps: step.among(visit),
        trouble,
        wrong: shown.collect(),
        own,
    };
    let head = Head::new(step.title());
    let mut frame = Frame::for_stranger(&site.web, head, visit.look, site.setup.now());
    let csrf = control::csrf_token(&visit.cookie);
    frame.csrf = &csrf;
    frame.path = step.path();
    let html = site.web.page(step.template(), &frame, &view)?;
    let mut answer = page::answer(html);
    if wrong.status != StatusCode::default() {
        *answer.status_mut() = wrong.status;
    }
    Ok(answer)
}

/// The values that fields show: what was typed just now, else what was answered before, else nothing.
fn values(
    fields: &[&'static str],
    typed: impl Fn(&str) -> Option<String>,
    before: &control::Answers,
) -> BTreeMap<&'static str, String> {
    let value = |name: &str| {
        typed(name)
            .or_else(|| before.get(name).cloned())
            .unwrap_or_default()
    };
    fields.iter().map(|name| (*name, value(name))).collect()
}

/// What is wrong with a field, as it stands below it: with a full stop, and a capital in front.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let end = if text.ends_with(['.', '!', '?', '`']) {
        ""
    } else {
        "."
    };
    first.chain(characters).chain(end.chars()).collect()
}
