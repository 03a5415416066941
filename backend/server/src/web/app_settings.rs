//! The settings of an app: its parameters, its first login, and its end.

use api::{App, AppState, OperationKind};
use axum::{extract::State, http::StatusCode, response::Response};
use control::Control;
use serde::Serialize;
use serde_json::Value;

use super::{
    app::{AppHead, operate, tone},
    commands::{self, Offer},
    page::Head,
    posted::Posted,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{AppName, Needs, Read, Segment, Write},
    site::Site,
};

#[derive(Serialize)]
struct View {
    app: AppHead,
    parameters: Vec<Parameter>,
    has_credentials: bool,
    credentials: Option<Credentials>,
    /// What is wrong with the password that was typed to see them.
    password_wrong: Option<String>,
    node: Option<String>,
    vmid: Option<u32>,
    disk: u64,
    /// What is wrong with the name that was typed.
    name_wrong: Option<&'static str>,
    can_delete: bool,
    commands: Vec<Offer>,
}

#[derive(Serialize)]
struct Parameter {
    label: String,
    name: String,
    value: String,
    help: String,
    immutable: bool,
}

#[derive(Serialize)]
struct Credentials {
    username: Option<String>,
    secrets: Vec<(String, String)>,
}

/// `GET /apps/{id}/settings`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
) -> Result<Response, Error> {
    let app = site.control.app(&name).await?;
    let view = view(&site.control, &app).await?;
    show(&viewer, &app, &view)
}

/// `POST /apps/{id}/login`: shows the first login, on a page that nobody keeps.
pub(crate) async fn reveal(
    State(site): State<Site>,
    Segment(AppName(name)): Segment<AppName>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    let app = site.control.app(&name).await?;
    let password = posted
        .fields
        .exact("password")
        .filter(|typed| !typed.is_empty());
    let asked = &posted.viewer.asked;
    let revealed = site
        .control
        .reveal(asked, &app.id.to_string(), password.map(str::to_owned))
        .await;
    let mut view = view(&site.control, &app).await?;
    match revealed {
        Ok(credentials) => {
            view.credentials = Some(Credentials {
                username: credentials.username,
                secrets: credentials.secrets,
            });
        }
        Err(control::Error::Invalid { errors }) => {
            view.password_wrong = errors
                .first()
                .map(|error| format!("Your own password {}.", error.message));
        }
        Err(error) => return Err(error.into()),
    }
    show(&posted.viewer, &app, &view)
}

/// `POST /apps/{id}/delete`, with the app's name typed.
pub(crate) async fn delete(
    State(site): State<Site>,
    Segment(AppName(name)): Segment<AppName>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    let app = site.control.app(&name).await?;
    if posted.fields.text("name") != Some(app.name.trim()) {
        let mut view = view(&site.control, &app).await?;
        view.name_wrong = Some("This is not the app’s name. Nothing was done.");
        let mut answer = show(&posted.viewer, &app, &view)?;
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    operate(
        &site.control,
        &posted,
        &app.id.to_string(),
        OperationKind::Delete,
    )
    .await
}

async fn view(control: &Control, app: &App) -> Result<View, Error> {
    let entry = control.catalog_app(&app.catalog_id).ok();
    let parameter = |(name, value): (&String, &Value)| {
        let known = entry.as_ref().and_then(|entry| {
            entry
                .parameters
                .iter()
                .find(|parameter| parameter.name == *name)
        });
        Parameter {
            label: known.map_or_else(|| name.clone(), |known| known.label.clone()),
            help: known
                .and_then(|known| known.help.clone())
                .unwrap_or_default(),
            immutable: known.is_some_and(|known| known.immutable),
            value: match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            name: name.clone(),
        }
    };
    let is_gone = app.state == AppState::Deleted;
    Ok(View {
        app: AppHead::of(app),
        parameters: app.parameters.iter().map(parameter).collect(),
        // A release that cannot be read must not hide the rest of the page.
        has_credentials: !is_gone
            && control
                .has_credentials(&app.id.to_string())
                .await
                .unwrap_or(false),
        credentials: None,
        password_wrong: None,
        node: app.node.clone(),
        vmid: app.vmid,
        disk: app.resources.disk.unwrap_or_default(),
        name_wrong: None,
        can_delete: !is_gone && app.operation.is_none(),
        commands: commands::of_deletion(&app.name),
    })
}

fn show<N: Needs>(viewer: &Viewer<N>, app: &App, view: &View) -> Result<Response, Error> {
    let head = Head::new(format!("Settings of {}", app.name))
        .under("home")
        .tone(tone(app));
    viewer.show("app_settings.html", head, view)
}
