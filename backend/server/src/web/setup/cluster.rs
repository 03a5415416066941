//! Where the cluster is, and whether it is the right one.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{SetupSite, Step, Visit, Wrong, show, values, visit::Sent};
use crate::{
    error::Error,
    web::posted::{Fields, on_to},
};

const ADDRESS: &[&str] = &["PROXMOX_HOST", "PROXMOX_PORT"];
/// Where the Proxmox API listens unless it was changed.
const PORT: &str = "8006";

#[derive(Serialize)]
struct Address {
    values: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    /// Address and port.
    host: String,
    certificate: CertificateView<'a>,
    /// From when it is valid, as a day.
    from: Option<String>,
    to: Option<String>,
    /// Whether it is not valid today.
    outdated: bool,
}

#[derive(Serialize)]
struct CertificateView<'a> {
    fingerprint: &'a str,
    subject: &'a str,
    issuer: &'a str,
}

/// `GET /setup/cluster`.
pub(crate) async fn page(State(site): State<SetupSite>, visit: Visit) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Cluster) {
        return Ok(elsewhere);
    }
    address(&site, &visit, None, None)
}

/// `POST /setup/cluster`: fetches the certificate.
pub(crate) async fn look(
    State(site): State<SetupSite>,
    Sent { visit, fields }: Sent,
) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Cluster) {
        return Ok(elsewhere);
    }
    let typed = |name| fields.text(name).unwrap_or_default();
    let (host, port) = (typed("PROXMOX_HOST"), typed("PROXMOX_PORT"));
    match site.setup.look_at(host, port).await {
        Ok(()) => Ok(on_to(Step::Certificate.path())),
        Err(error) => address(&site, &visit, Some(&fields), Some(Wrong::of(error)?)),
    }
}

fn address(
    site: &SetupSite,
    visit: &Visit,
    typed: Option<&Fields>,
    wrong: Option<Wrong>,
) -> Result<Response, Error> {
    let now = |name: &str| typed.map(|fields| fields.text(name).unwrap_or_default().to_owned());
    let mut values = values(ADDRESS, now, &visit.progress.answers);
    if typed.is_none() {
        let port = values.entry("PROXMOX_PORT").or_default();
        if port.is_empty() {
            PORT.clone_into(port);
        }
    }
    show(
        site,
        visit,
        Step::Cluster,
        ADDRESS,
        wrong,
        Address { values },
    )
}

/// `GET /setup/certificate`.
pub(crate) async fn certificate(
    State(site): State<SetupSite>,
    visit: Visit,
) -> Result<Response, Error> {
    compare(&site, &visit, None)
}

/// `POST /setup/certificate`: it was compared and found right.
pub(crate) async fn confirm(
    State(site): State<SetupSite>,
    Sent { visit, fields }: Sent,
) -> Result<Response, Error> {
    if !fields.is_ticked("compared") {
        let message = "must be ticked: only the comparison proves that this is your cluster";
        let wrong = Wrong::field("compared", message);
        return compare(&site, &visit, Some(wrong));
    }
    let fingerprint = fields.text("fingerprint").unwrap_or_default();
    match site.setup.confirm(fingerprint).await {
        Ok(()) => Ok(on_to(Step::Credentials.path())),
        Err(error) => compare(&site, &visit, Some(Wrong::of(error)?)),
    }
}

fn compare(site: &SetupSite, visit: &Visit, wrong: Option<Wrong>) -> Result<Response, Error> {
    let Some(seen) = &visit.progress.certificate else {
        return Ok(on_to(Step::due(&visit.progress).path()));
    };
    let answer = |name: &str| {
        visit
            .progress
            .answers
            .get(name)
            .cloned()
            .unwrap_or_default()
    };
    let day = |time: DateTime<Utc>| time.format("%-d %B %Y").to_string();
    let now = site.setup.now();
    let own = Shown {
        host: format!("{}:{}", answer("PROXMOX_HOST"), answer("PROXMOX_PORT")),
        certificate: CertificateView {
            fingerprint: &seen.fingerprint,
            subject: &seen.subject,
            issuer: &seen.issuer,
        },
        from: seen.valid.map(|(from, _)| day(from)),
        to: seen.valid.map(|(_, to)| day(to)),
        outdated: seen.valid.is_some_and(|(from, to)| now < from || now > to),
    };
    show(site, visit, Step::Certificate, &["compared"], wrong, own)
}
