//! What the doctor found: whether everything that a deployment needs is there.

use api::{Check, CheckState, Checkup};
use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{check::CheckRow, page::Head, posted::Posted};
use crate::{error::Error, extract::Admin, site::Site};

#[derive(Serialize)]
struct View {
    verdict: &'static str,
    /// What is not as it should be.
    bad: Vec<CheckRow>,
    good: Vec<CheckRow>,
}

/// `POST /settings/doctor`: looks at everything, which takes some seconds, and changes nothing. A person asks for it,
/// for no page waits for the cluster by itself.
pub(crate) async fn examine(
    State(site): State<Site>,
    posted: Posted<Admin>,
) -> Result<Response, Error> {
    let view = view(site.control.doctor().await?);
    let head = Head::new("Doctor").under("settings");
    posted.viewer.show("doctor.html", head, &view)
}

fn view(checkup: Checkup) -> View {
    let verdict = match checkup.state {
        CheckState::Ok | CheckState::Skipped => "Everything that a deployment needs is there.",
        CheckState::Warning => "Deployments will work, with the limitations below.",
        CheckState::Failed => "Deployments that meet what is below will fail.",
    };
    let is_good = |check: &Check| check.state == CheckState::Ok;
    let (good, bad): (Vec<_>, Vec<_>) = checkup.checks.into_iter().partition(is_good);
    View {
        verdict,
        bad: bad.into_iter().map(row).collect(),
        good: good.into_iter().map(row).collect(),
    }
}

/// All in one list: each says which node it is about.
fn row(mut check: Check) -> CheckRow {
    if let Some(node) = &check.node {
        check.message = format!("{node}: {}", check.message);
    }
    CheckRow::from(check)
}
