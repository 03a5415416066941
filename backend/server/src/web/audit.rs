//! The audit log: who did what, newest first, with filters.

use api::{AuditEntry, AuditOutcome};
use axum::{extract::State, response::Response};
use chrono::{DateTime, NaiveDate, Utc};
use control::AuditFilter;
use serde::{Deserialize, Serialize};

use super::{
    commands::{self, Offer},
    filters::{self, Choice, Given},
    page::Head,
    state::{self, Badge},
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{Admin, Query},
    site::Site,
};

/// Entries of a page.
const ROWS: u32 = 50;

/// What may be chosen: the noun of actions, and what they are called.
const NOUNS: [(&str, &str); 8] = [
    ("", "Anything"),
    ("app", "Apps"),
    ("operation", "Operations"),
    ("operations", "Emergency stop"),
    ("session", "Logins"),
    ("token", "Tokens"),
    ("user", "Users"),
    ("cluster", "Cluster"),
];

/// How it may have gone.
const OUTCOMES: [(&str, &str); 3] = [
    ("", "Any outcome"),
    ("accepted", "Accepted"),
    ("denied", "Denied"),
];

/// What the form of filters says.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Which {
    by: Option<String>,
    action: Option<String>,
    target: Option<String>,
    outcome: Option<AuditOutcome>,
    /// The first day, as UTC has it.
    since: Option<NaiveDate>,
    /// The last day.
    until: Option<NaiveDate>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct View {
    filter: Filter,
    rows: Vec<Row>,
    /// Where the page of older ones is.
    older: Option<String>,
    is_first: bool,
    commands: Vec<Offer>,
}

/// The filters as they are chosen, and what may be chosen.
#[derive(Serialize)]
struct Filter {
    by: String,
    action: String,
    target: String,
    outcome: &'static str,
    since: String,
    until: String,
    actions: Vec<Choice>,
    outcomes: Vec<Choice>,
    is_set: bool,
}

/// An entry as a sentence: who, did, what.
#[derive(Serialize)]
struct Row {
    id: i64,
    time: DateTime<Utc>,
    who: String,
    did: String,
    what: String,
    /// Where more of it is.
    link: Option<String>,
    badge: Option<Badge>,
    detail: Option<String>,
}

/// `GET /settings/audit`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Admin>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    let filter = AuditFilter {
        principal: which.by.clone(),
        action: which.action.clone(),
        target: which.target.clone(),
        outcome: which.outcome,
        since: filters::from(which.since),
        until: filters::through(which.until),
    };
    let cursor = which.cursor.clone();
    let page = site.control.audit(&filter, cursor, Some(ROWS)).await?;
    let view = View {
        filter: which.filter(),
        older: page
            .next
            .map(|next| format!("/settings/audit?{}", which.query(&next))),
        is_first: which.cursor.is_none(),
        rows: page.items.into_iter().map(row).collect(),
        commands: commands::of_audit(),
    };
    let head = Head::new("Audit log").under("settings");
    viewer.show("audit.html", head, &view)
}

impl Which {
    fn given(&self) -> Given<6> {
        [
            ("by", self.by.clone()),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("outcome", self.outcome.map(|outcome| outcome.to_string())),
            ("since", self.since.map(|day| day.to_string())),
            ("until", self.until.map(|day| day.to_string())),
        ]
    }

    /// The filters as a query for the page after this cursor.
    fn query(&self, cursor: &str) -> String {
        filters::query(self.given(), &[("cursor", cursor)])
    }

    fn filter(&self) -> Filter {
        let choices = |all: &[(&'static str, &'static str)]| {
            let choice = |&(value, label): &(&'static str, &'static str)| Choice { value, label };
            all.iter().map(choice).collect()
        };
        Filter {
            by: self.by.clone().unwrap_or_default(),
            action: self.action.clone().unwrap_or_default(),
            target: self.target.clone().unwrap_or_default(),
            outcome: self.outcome.map_or("", AuditOutcome::as_str),
            since: filters::text(self.since),
            until: filters::text(self.until),
            actions: choices(&NOUNS),
            outcomes: choices(&OUTCOMES),
            is_set: filters::is_set(&self.given()),
        }
    }
}

fn row(entry: AuditEntry) -> Row {
    let denied = entry.outcome == AuditOutcome::Denied;
    let noun = entry.action.split('.').next().unwrap_or_default();
    let link = match noun {
        // By its name, so that an app that is gone is found, too.
        "app" => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("app", &entry.target);
            Some(format!("/operations?{}", query.finish()))
        }
        "operation" => Some(format!("/operations/{}", commands::segment(&entry.target))),
        "token" => Some("/settings#tokens".to_owned()),
        _ => None,
    };
    Row {
        id: entry.id,
        time: entry.time,
        who: match entry.principal.as_str() {
            "" => "Somebody unknown".to_owned(),
            _ => entry.principal,
        },
        did: did(&entry.action, denied).to_owned(),
        what: match noun {
            "operations" => String::new(),
            _ => entry.target,
        },
        link,
        badge: denied.then_some(state::DENIED),
        detail: entry.detail,
    }
}

/// An action, so that it stands between who and what.
fn did(action: &str, denied: bool) -> &str {
    match action {
        "app.deploy" => "deployed",
        "app.start" => "started",
        "app.stop" => "stopped",
        "app.restart" => "restarted",
        "app.delete" => "deleted",
        "app.adopt" => "adopted",
        "app.reveal" => "looked at the first login of",
        "operation.cancel" => "cancelled",
        "operation.retry" => "retried",
        "operation.abandon" => "gave up",
        "operations.park" => "parked everything",
        "operations.resume" => "let everything go on",
        "token.create" => "made the token",
        "token.revoke" => "revoked the token",
        "session.create" if denied => "tried to log in",
        "session.create" => "logged in",
        "session.end" => "logged out",
        "user.create" => "made the user",
        "cluster.save" => "set up the cluster at",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str, target: &str) -> AuditEntry {
        AuditEntry {
            id: 1,
            time: DateTime::UNIX_EPOCH,
            principal: "ada".to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome: AuditOutcome::Accepted,
            request_id: None,
            detail: None,
        }
    }

    #[test]
    fn an_entry_leads_to_what_it_is_about() {
        let link = |action, target| row(entry(action, target)).link;
        assert_eq!(
            link("app.delete", "Bob's & blog").as_deref(),
            Some("/operations?app=Bob%27s+%26+blog")
        );
        assert_eq!(
            link("operation.cancel", "op_1").as_deref(),
            Some("/operations/op_1")
        );
        assert_eq!(link("session.end", ""), None);
        assert_eq!(row(entry("from.later", "x")).did, "from.later");
    }

    #[test]
    fn the_filters_stay_on_the_next_page() {
        let which = Which {
            by: Some("a b".to_owned()),
            outcome: Some(AuditOutcome::Denied),
            ..Which::default()
        };
        assert_eq!(which.query("7"), "by=a+b&outcome=denied&cursor=7");
        assert!(which.filter().is_set && !Which::default().filter().is_set);
    }
}
