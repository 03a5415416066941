//! How the cluster and its nodes are entered. The fields are named as the settings that they become.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use control::{Answers, By, ShellBy};
use serde::Serialize;

use super::{SetupSite, Step, Visit, Wrong, show, values, visit::Sent};
use crate::{
    error::Error,
    web::posted::{Fields, on_to},
};

const PLAIN: &[&str] = &[
    "PROXMOX_USER",
    "PROXMOX_TOKEN_ID",
    "PROXMOX_SSH_USER",
    "PROXMOX_SSH_PORT",
    "PROXMOX_SSH_HOSTS",
    "PROXMOX_BRIDGE",
    "PROXMOX_STORAGE",
];
/// Those of the part that is folded.
const FOLDED: &[&str] = &[
    "PROXMOX_SSH_PORT",
    "PROXMOX_SSH_HOSTS",
    "PROXMOX_BRIDGE",
    "PROXMOX_STORAGE",
];
const SECRET: &[&str] = &[
    "PROXMOX_PASSWORD",
    "PROXMOX_TOKEN_SECRET",
    "PROXMOX_SSH_PASSWORD",
    "PROXMOX_SSH_PRIVATE_KEY",
];

#[derive(Serialize)]
struct Own {
    identity: &'static str,
    ssh: &'static str,
    values: BTreeMap<&'static str, String>,
    /// For each secret, what stands in its empty field.
    kept: BTreeMap<&'static str, &'static str>,
    /// Settings that the environment gives.
    given: Vec<String>,
    /// The same in a sentence.
    given_names: String,
    more_open: bool,
}

/// `GET /setup/credentials`.
pub(crate) async fn page(State(site): State<SetupSite>, visit: Visit) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Credentials) {
        return Ok(elsewhere);
    }
    form(&site, &visit, None, None)
}

/// `POST /setup/credentials`.
pub(crate) async fn enter(
    State(site): State<SetupSite>,
    Sent { visit, fields }: Sent,
) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Credentials) {
        return Ok(elsewhere);
    }
    let by = match fields.text("identity") {
        Some("token") => By::Token,
        _ => By::Password,
    };
    let shell = match fields.text("ssh") {
        Some("password") => ShellBy::Password,
        Some("key") => ShellBy::Key,
        _ => ShellBy::Same,
    };
    let typed: Answers = PLAIN
        .iter()
        .chain(SECRET)
        .filter_map(|name| Some(((*name).to_owned(), fields.exact(name)?.to_owned())))
        .collect();
    match site.setup.enter(by, shell, &typed).await {
        Ok(()) => Ok(on_to(Step::Test.path())),
        Err(error) => form(&site, &visit, Some(&fields), Some(Wrong::of(error)?)),
    }
}

fn form(
    site: &SetupSite,
    visit: &Visit,
    typed: Option<&Fields>,
    wrong: Option<Wrong>,
) -> Result<Response, Error> {
    let progress = &visit.progress;
    let now = |name: &str| typed.map(|fields| fields.text(name).unwrap_or_default().to_owned());
    let values = values(PLAIN, now, &progress.answers);
    let is_kept = |name: &str| progress.kept.contains(name);
    let kept = |name: &&'static str| {
        let text = if is_kept(name) {
            "given before; leave empty to keep it"
        } else {
            ""
        };
        (*name, text)
    };
    let own = Own {
        identity: match typed.and_then(|fields| fields.text("identity")) {
            Some("token") => "token",
            None if is_kept("PROXMOX_TOKEN_SECRET") => "token",
            _ => "password",
        },
        ssh: match typed.and_then(|fields| fields.text("ssh")) {
            Some("password") => "password",
            Some("key") => "key",
            None if is_kept("PROXMOX_SSH_PRIVATE_KEY") => "key",
            None if is_kept("PROXMOX_SSH_PASSWORD") => "password",
            _ => "same",
        },
        more_open: FOLDED.iter().any(|name| !values[name].is_empty()),
        values,
        kept: SECRET.iter().map(kept).collect(),
        given: progress.given.iter().cloned().collect(),
        given_names: progress
            .given
            .iter()
            .cloned()
            .collect::<Vec<_>>()
            .join(", "),
    };
    let fields: Vec<&'static str> = PLAIN.iter().chain(SECRET).copied().chain(["ssh"]).collect();
    show(site, visit, Step::Credentials, &fields, wrong, own)
}
