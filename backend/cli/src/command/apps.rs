//! `proximity apps` and `proximity show`.

use std::io;

use api::App;
use serde_json::Value;

use crate::{
    Console,
    client::{Client, segment},
    error::Error,
    size, table,
    text::age,
};

/// Which app.
#[derive(clap::Args)]
pub struct Named {
    /// Name or id of the app
    name: String,
}

/// Lists the apps.
pub(crate) async fn list(client: &Client, console: &mut Console) -> Result<(), Error> {
    let apps: Vec<App> = client.list("/apps", &[], None).await?;
    if console.value(&apps)? {
        return Ok(());
    }
    let now = (console.now)();
    let rows = apps.iter().map(|app| {
        [
            app.name.clone(),
            app.catalog_id.clone(),
            app.version.clone(),
            app.state.to_string(),
            app.node.clone().unwrap_or_default(),
            app.vmid.map(|vmid| vmid.to_string()).unwrap_or_default(),
            primary(app).unwrap_or_default(),
            age(app.created_at, now),
        ]
    });
    let header = [
        "NAME", "APP", "VERSION", "STATE", "NODE", "VMID", "URL", "CREATED",
    ];
    table::print(
        console,
        header,
        rows,
        "No apps. Deploy one with: proximity deploy ID",
    )?;
    for app in apps.iter().filter(|app| app.attention.is_some()) {
        attention(console, app)?;
    }
    Ok(())
}

/// Shows an app.
pub(crate) async fn show(
    named: &Named,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let app = get(client, &named.name).await?;
    if !console.value(&app)? {
        draw(console, &app)?;
    }
    Ok(())
}

/// An app by name or id.
pub(crate) async fn get(client: &Client, name: &str) -> Result<App, Error> {
    client.get(&format!("/apps/{}", segment(name)?)).await
}

/// What a browser opens.
fn primary(app: &App) -> Option<String> {
    let primary = app.endpoints.iter().find(|endpoint| endpoint.primary);
    primary
        .or(app.endpoints.first())
        .map(|endpoint| endpoint.url.clone())
}

fn attention(console: &mut Console, app: &App) -> io::Result<()> {
    let Some(attention) = &app.attention else {
        return Ok(());
    };
    let said = crate::text::clean(&format!("{}: {attention}", app.name));
    console.note(&format!("note: {said}"))
}

/// All that is known of an app.
pub(crate) fn draw(console: &mut Console, app: &App) -> io::Result<()> {
    let now = (console.now)();
    let resources = resources(&app.resources);
    let place = app.node.as_ref().map(|node| match app.vmid {
        Some(vmid) => format!("{node}, container {vmid}"),
        None => node.clone(),
    });
    let urls: Vec<_> = app
        .endpoints
        .iter()
        .map(|endpoint| format!("{} ({})", endpoint.url, endpoint.name))
        .collect();
    let parameters: Vec<_> = app
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", plain(value)))
        .collect();
    table::fields(
        console,
        &[
            ("Name", Some(app.name.clone())),
            ("Id", Some(app.id.to_string())),
            ("App", Some(format!("{} {}", app.catalog_id, app.version))),
            ("State", Some(app.state.to_string())),
            ("Attention", app.attention.clone()),
            ("Operation", app.operation.map(|id| id.to_string())),
            ("Node", place),
            ("Host name", Some(app.hostname.clone())),
            ("Address", app.address.map(|address| address.to_string())),
            ("URL", some(&urls)),
            ("Resources", resources),
            ("Parameters", some(&parameters)),
            ("Created", Some(age(app.created_at, now))),
            ("Changed", Some(age(app.updated_at, now))),
        ],
    )
}

/// One a line; `None` where there are none.
pub(crate) fn some(lines: &[String]) -> Option<String> {
    // Each is one line, whatever is in it.
    let lines: Vec<_> = lines.iter().map(|line| crate::text::clean(line)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A value without the quotes of JSON.
pub(crate) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// What a container may use, in one line.
pub(crate) fn resources(resources: &api::Resources) -> Option<String> {
    let parts = [
        resources.cores.map(|cores| {
            if cores == 1 {
                "1 core".to_owned()
            } else {
                format!("{cores} cores")
            }
        }),
        resources
            .memory
            .map(|bytes| format!("{} memory", size::told(bytes))),
        resources
            .swap
            .map(|bytes| format!("{} swap", size::told(bytes))),
        resources
            .disk
            .map(|bytes| format!("{} disk", size::told(bytes))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
