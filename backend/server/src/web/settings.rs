//! Settings: API tokens, the emergency stop, appearance, and what this service is.

use api::{CreateToken, Park, Scope, Token, TokenId};
use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{
    commands::{self, Offer},
    page::Head,
    posted::{Posted, on_to},
    reconciliation::Differences,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{Admin, Needs, Segment},
    site::Site,
};

/// For how long a token may live: days and the words for it. 0 is for ever.
const LIVES: [(u32, &str); 4] = [
    (30, "30 days"),
    (90, "90 days"),
    (365, "a year"),
    (0, "for ever"),
];

#[derive(Serialize)]
struct View {
    tokens: Vec<Row>,
    /// The token that was just made: shown now and never again.
    made: Option<Made>,
    form: Form,
    parked: Option<Parked>,
    park_wrong: Option<String>,
    cluster: Cluster,
    differences: Differences,
    version: String,
    token_commands: Vec<Offer>,
    stop_commands: Vec<Offer>,
    difference_commands: Vec<Offer>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    scopes: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Made {
    name: String,
    token: String,
}

/// The form of a new token as it was typed, and what is wrong with it.
#[derive(Default, Serialize)]
struct Form {
    name: String,
    scope: String,
    days: String,
    name_wrong: Option<String>,
    scopes: Vec<Choice>,
    lives: Vec<Choice>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    label: String,
}

#[derive(Serialize)]
struct Parked {
    by: String,
    at: DateTime<Utc>,
    reason: String,
}

/// The cluster as it was seen a moment ago.
#[derive(Serialize)]
struct Cluster {
    nodes: Vec<String>,
    seen_at: Option<DateTime<Utc>>,
    silence: Option<String>,
}

/// `GET /settings`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Admin>,
) -> Result<Response, Error> {
    let view = view(&site, &viewer).await?;
    show(&viewer, &view)
}

/// `POST /settings/tokens`.
pub(crate) async fn create_token(
    State(site): State<Site>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    let fields = &posted.fields;
    let days: i64 = fields
        .text("days")
        .and_then(|days| days.parse().ok())
        .unwrap_or(0);
    let scope = fields.text("scope").unwrap_or_default();
    let request = CreateToken {
        name: fields.text("name").unwrap_or_default().to_owned(),
        scopes: scope.parse::<Scope>().into_iter().collect(),
        expires_at: (days > 0).then(|| site.control.now() + TimeDelta::days(days.min(3650))),
    };
    let made = site
        .control
        .create_token(&posted.viewer.asked, request)
        .await;
    let mut view = view(&site, &posted.viewer).await?;
    match made {
        Ok(made) => {
            view.made = Some(Made {
                name: made.details.name,
                token: made.token,
            });
            show(&posted.viewer, &view)
        }
        Err(control::Error::Invalid { errors }) => {
            fields
                .text("name")
                .unwrap_or_default()
                .clone_into(&mut view.form.name);
            scope.clone_into(&mut view.form.scope);
            view.form.days = days.to_string();
            view.form.name_wrong = errors.first().map(|error| format!("It {}.", error.message));
            Ok(unprocessable(show(&posted.viewer, &view)?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/tokens/{id}/revoke`.
pub(crate) async fn revoke_token(
    State(site): State<Site>,
    Segment(id): Segment<TokenId>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    match site.control.revoke_token(&posted.viewer.asked, id).await {
        // Somebody else was quicker.
        Ok(()) | Err(control::Error::NotFound { .. }) => Ok(on_to("/settings#tokens")),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/park`.
pub(crate) async fn park(
    State(site): State<Site>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    let reason = posted.fields.text("reason").unwrap_or_default().to_owned();
    match site
        .control
        .park(&posted.viewer.asked, Park { reason })
        .await
    {
        Ok(_) | Err(control::Error::Conflict { .. }) => Ok(on_to("/settings#stop")),
        Err(control::Error::Invalid { errors }) => {
            let mut view = view(&site, &posted.viewer).await?;
            view.park_wrong = errors.first().map(|error| format!("It {}.", error.message));
            Ok(unprocessable(show(&posted.viewer, &view)?))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/resume`.
pub(crate) async fn resume(
    State(site): State<Site>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    match site.control.resume(&posted.viewer.asked).await {
        Ok(_) | Err(control::Error::Conflict { .. }) => Ok(on_to("/settings#stop")),
        Err(error) => Err(error.into()),
    }
}

async fn view(site: &Site, viewer: &Viewer<Admin>) -> Result<View, Error> {
    let control = &site.control;
    let status = control.status().await?;
    let tokens = control.tokens(&viewer.asked).await?;
    let overview = control.overview();
    Ok(View {
        tokens: tokens.into_iter().map(row).collect(),
        made: None,
        form: Form {
            scope: Scope::Write.as_str().to_owned(),
            days: "90".to_owned(),
            scopes: Scope::ALL
                .iter()
                .map(|scope| choice(scope.as_str(), may(*scope)))
                .collect(),
            lives: LIVES
                .iter()
                .map(|(days, words)| choice(&days.to_string(), words))
                .collect(),
            ..Form::default()
        },
        parked: status.parked.map(|parked| Parked {
            by: parked.by,
            at: parked.at,
            reason: parked.reason,
        }),
        park_wrong: None,
        cluster: Cluster {
            nodes: overview
                .nodes
                .iter()
                .map(|node| node.node.name.clone())
                .collect(),
            seen_at: overview.seen_at,
            silence: overview
                .silence
                .as_ref()
                .map(|silence| silence.message.clone()),
        },
        version: status.version,
        token_commands: commands::of_tokens(),
        stop_commands: commands::of_stop(),
        difference_commands: commands::of_differences(),
        differences: Differences::of(control.reconciliation().await?),
    })
}

fn row(token: Token) -> Row {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| may(*scope)).collect();
    Row {
        id: token.id.to_string(),
        name: token.name,
        scopes: scopes.join(", "),
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: label.to_owned(),
    }
}

/// What a scope allows, in words.
fn may(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "look",
        Scope::Write => "look and change apps",
        Scope::Admin => "everything",
    }
}

fn show<N: Needs>(viewer: &Viewer<N>, view: &View) -> Result<Response, Error> {
    viewer.show(
        "settings.html",
        Head::new("Settings").under("settings"),
        view,
    )
}

fn unprocessable(mut answer: Response) -> Response {
    *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    answer
}
