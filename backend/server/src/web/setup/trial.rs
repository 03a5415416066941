//! What works with the answers so far, and saving them.

use api::{Check, CheckState, Checkup};
use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{
    SetupSite, Step, Visit, Wrong, show,
    visit::{Sent, lead},
};
use crate::{
    error::Error,
    extract::{is_secure, starting},
    web::check::CheckRow,
};

#[derive(Serialize)]
struct Own {
    title: &'static str,
    verdict: String,
    groups: Vec<Group>,
    can_save: bool,
    save_label: &'static str,
    save_kind: &'static str,
}

/// The cluster, Proximity itself, or one node.
#[derive(Serialize)]
struct Group {
    title: String,
    bad: Vec<CheckRow>,
    good: Vec<CheckRow>,
    good_title: String,
}

/// `GET /setup/test`: looks at everything. It takes some seconds, and changes nothing.
pub(crate) async fn page(State(site): State<SetupSite>, visit: Visit) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Test) {
        return Ok(elsewhere);
    }
    trial(&site, &visit, None).await
}

/// `POST /setup/save`: keeps the answers; the service takes the place of the setup.
pub(crate) async fn save(
    State(site): State<SetupSite>,
    uri: Uri,
    headers: HeaderMap,
    Sent { visit, .. }: Sent,
) -> Result<Response, Error> {
    if let Some(elsewhere) = visit.too_early(Step::Test) {
        return Ok(elsewhere);
    }
    let secure = is_secure(&uri, &headers);
    match site.setup.save(&visit.cookie).await {
        Ok(session) => {
            let mut answer = lead("/catalog", "", secure);
            let begun = starting(&session.cookie, secure).into_response();
            for (name, value) in begun.headers() {
                answer.headers_mut().append(name, value.clone());
            }
            Ok(answer)
        }
        Err(error) => trial(&site, &visit, Some(Wrong::of(error)?)).await,
    }
}

async fn trial(site: &SetupSite, visit: &Visit, wrong: Option<Wrong>) -> Result<Response, Error> {
    let (checkup, wrong) = match site.setup.examine().await {
        Ok(checkup) => (checkup, wrong),
        Err(error) => (Checkup::of(Vec::new()), Some(Wrong::of(error)?)),
    };
    show(site, visit, Step::Test, &[], wrong, view(checkup))
}

fn view(checkup: Checkup) -> Own {
    let checks = &checkup.checks;
    let can_save = checks
        .iter()
        .any(|check| check.name == "login" && check.state == CheckState::Ok);
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (failed, warnings) = (count(CheckState::Failed), count(CheckState::Warning));
    let title = match (can_save, failed, warnings) {
        (_, 0, 0) if can_save => "Everything works",
        (true, 0, _) => "It works",
        (true, ..) => "Something will not work",
        (false, ..) => "It does not work yet",
    };
    let verdict = match (can_save, failed, warnings) {
        (false, ..) => "The Proxmox API does not let Proximity in, so there is nothing to save. What stands below tells why.".to_owned(),
        (true, 0, 0) => "Everything that a deployment needs is there.".to_owned(),
        (true, 0, _) => "Deployments will work, with the limitations below.".to_owned(),
        (true, ..) => "You can save and mend it later; until then deployments that meet this will fail, and leave nothing behind.".to_owned(),
    };
    Own {
        title,
        verdict,
        can_save,
        save_label: if failed == 0 {
            "Save and go to the catalog"
        } else {
            "Save all the same"
        },
        save_kind: if failed == 0 { "primary" } else { "plain" },
        groups: groups(checkup.checks),
    }
}

/// By node, those of the cluster first; in the order of the checks.
fn groups(checks: Vec<Check>) -> Vec<Group> {
    let mut groups: Vec<(Option<String>, Group)> = Vec::new();
    for check in checks {
        let node = check.node.clone();
        let index = groups
            .iter()
            .position(|(of, _)| *of == node)
            .unwrap_or_else(|| {
                let title = node
                    .clone()
                    .unwrap_or_else(|| "Proximity and the cluster".to_owned());
                let group = Group {
                    title,
                    bad: Vec::new(),
                    good: Vec::new(),
                    good_title: String::new(),
                };
                groups.push((node, group));
                groups.len() - 1
            });
        let group = &mut groups[index].1;
        let side = if check.state == CheckState::Ok {
            &mut group.good
        } else {
            &mut group.bad
        };
        side.push(CheckRow::from(check));
    }
    groups
        .into_iter()
        .map(|(_, mut group)| {
            group.good_title = match (group.good.len(), group.bad.is_empty()) {
                (1, _) => "1 thing is as it should be".to_owned(),
                (some, true) => format!("All {some} things are as they should be"),
                (some, false) => format!("{some} things are as they should be"),
            };
            group
        })
        .collect()
}
