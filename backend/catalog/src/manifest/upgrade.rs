//! How to get in the first time, and what to mind when versions change.

use serde::Serialize;

use crate::{
    Compose, Param,
    finding::Findings,
    yaml::{Fields, Node},
};

/// How to get in the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstRun {
    /// `setup-in-browser`, `credentials`, …
    pub kind: String,
    /// User name; may hold a variable, `${ADMIN_USER}`.
    pub username: Option<String>,
    /// Name of the parameter that holds the password.
    pub password: Option<String>,
    /// What to do.
    pub note: Option<String>,
}

/// How an app is upgraded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// `snapshot-then-recreate`, …
    pub strategy: Option<String>,
    /// What to mind between versions.
    pub rules: Vec<UpgradeRule>,
}

/// What to mind between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpgradeRule {
    /// The service whose image tag is meant; the app's version where there is none.
    pub image: Option<String>,
    /// Installed versions it speaks of, `<2.0.0`, `17.*`.
    pub from: String,
    /// Offered versions it speaks of.
    pub to: String,
    /// `patch`, `major`, `breaking` or `blocked`.
    pub level: String,
    /// `required` where a snapshot must be taken.
    pub snapshot: Option<String>,
    /// How data is brought over.
    pub migrate: Option<String>,
    /// What to tell people.
    pub note: Option<String>,
}

pub(super) fn first_run(
    node: Option<&Node>,
    params: &[Param],
    findings: &mut Findings,
) -> Option<FirstRun> {
    let node = node?;
    let mut fields = Fields::of(node, "`first_run`", findings)?;
    let first_run = FirstRun {
        kind: fields
            .text("kind", findings)
            .unwrap_or_else(|| "setup-in-browser".to_owned()),
        username: fields.text("username", findings),
        password: fields.text("password", findings),
        note: fields.text("note", findings),
    };
    fields.finish(findings);
    if let Some(name) = &first_run.password
        && !params
            .iter()
            .any(|p| p.name == *name && p.show_after_deploy)
    {
        findings.error(
            &node.at,
            "`password` names a parameter, and that one must say `show_after_deploy: true`.",
        );
    }
    Some(first_run)
}

pub(super) fn upgrade(node: Option<&Node>, compose: &Compose, findings: &mut Findings) -> Upgrade {
    let Some(mut fields) = node.and_then(|n| Fields::of(n, "`upgrade`", findings)) else {
        return Upgrade::default();
    };
    let strategy = fields.text("strategy", findings);
    let mut rules = Vec::new();
    for node in fields.list("rules", findings) {
        let Some(mut fields) = Fields::of(node, "A rule", findings) else {
            continue;
        };
        let any = || "*".to_owned();
        let rule = UpgradeRule {
            image: fields.text("image", findings),
            from: fields.text("from", findings).unwrap_or_else(any),
            to: fields.text("to", findings).unwrap_or_else(any),
            level: fields
                .text("level", findings)
                .unwrap_or_else(|| "patch".to_owned()),
            snapshot: fields.text("snapshot", findings),
            migrate: fields.text("migrate", findings),
            note: fields.text("note", findings),
        };
        fields.finish(findings);
        if !matches!(
            rule.level.as_str(),
            "patch" | "major" | "breaking" | "blocked"
        ) {
            findings.error(
                &node.at,
                "`level` is one of patch, major, breaking and blocked.",
            );
        }
        if rule
            .image
            .as_deref()
            .is_some_and(|name| compose.service(name).is_none())
        {
            findings.error(
                &node.at,
                "`image` names a service, and there is none of that name.",
            );
        }
        rules.push(rule);
    }
    fields.finish(findings);
    Upgrade { strategy, rules }
}
