//! What was answered so far: kept sealed in the database between the pages, so that it survives a restart and a change of
//! the browser.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proxmox::{Certificate, HostPort};
use serde::{Deserialize, Serialize};

use crate::saved::Answers;

/// Settings that are never shown again.
const SECRETS: [&str; 4] = [
    "PROXMOX_PASSWORD",
    "PROXMOX_TOKEN_SECRET",
    "PROXMOX_SSH_PASSWORD",
    "PROXMOX_SSH_PRIVATE_KEY",
];
/// Settings of the page of credentials that are no secrets.
const PLAIN: [&str; 7] = [
    "PROXMOX_USER",
    "PROXMOX_TOKEN_ID",
    "PROXMOX_SSH_USER",
    "PROXMOX_SSH_PORT",
    "PROXMOX_SSH_HOSTS",
    "PROXMOX_BRIDGE",
    "PROXMOX_STORAGE",
];

/// What was answered so far.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Draft {
    /// The certificate that the host showed when it was looked at.
    pub(super) certificate: Option<Certificate>,
    /// By names of settings.
    pub(super) answers: Answers,
}

/// How the cluster is entered, as a person chose it on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// User and password.
    Password,
    /// An API token.
    Token,
}

/// How the nodes are entered, as a person chose it on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellBy {
    /// The password of the API.
    Same,
    /// A password of its own.
    Password,
    /// A private key.
    Key,
}

/// The certificate that a host showed, for a person to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCertificate {
    /// SHA-256, as Proxmox's own pages write it.
    pub fingerprint: String,
    /// Whose it says to be; empty when it cannot be read.
    pub subject: String,
    /// Who it says signed it.
    pub issuer: String,
    /// From when and until when it says to be valid.
    pub valid: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl From<&Certificate> for ShownCertificate {
    fn from(seen: &Certificate) -> Self {
        let time = |seconds| DateTime::from_timestamp(seconds, 0);
        Self {
            fingerprint: seen.fingerprint.clone(),
            subject: seen.subject.clone(),
            issuer: seen.issuer.clone(),
            valid: time(seen.not_before)
                .zip(time(seen.not_after))
                .filter(|_| seen.not_after > 0),
        }
    }
}

/// How far the setup is, without any secret.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Whether there is an administrator.
    pub administrator: bool,
    /// The certificate that the host showed when it was looked at.
    pub certificate: Option<ShownCertificate>,
    /// Whether a person has confirmed it.
    pub confirmed: bool,
    /// Whether the credentials are there.
    pub entered: bool,
    /// Answers that are no secrets, by names of settings.
    pub answers: Answers,
    /// Secrets that are there, by names of settings.
    pub kept: BTreeSet<String>,
    /// Settings that the environment or the file give: they go before the answers.
    pub given: BTreeSet<String>,
}

impl Draft {
    /// Another host, whose certificate nobody has confirmed.
    pub(super) fn look_at(&mut self, host: &HostPort, certificate: Certificate) {
        self.answers
            .insert("PROXMOX_HOST".to_owned(), host.host.clone());
        self.answers
            .insert("PROXMOX_PORT".to_owned(), host.port.to_string());
        self.answers.remove("PROXMOX_FINGERPRINT");
        self.certificate = Some(certificate);
    }

    /// The person compared the fingerprint and found it right. `false` when it is not the one that was shown last.
    pub(super) fn confirm(&mut self, fingerprint: &str) -> bool {
        let shown = self
            .certificate
            .as_ref()
            .map(|shown| shown.fingerprint.as_str());
        if shown != Some(fingerprint) {
            return false;
        }
        self.answers
            .insert("PROXMOX_FINGERPRINT".to_owned(), fingerprint.to_owned());
        true
    }

    /// Takes the answers of the page of credentials. An empty secret keeps the one that was given before; secrets of
    /// the ways that were not chosen are forgotten.
    pub(super) fn enter(&mut self, by: By, shell: ShellBy, typed: &Answers) {
        for name in PLAIN {
            match typed
                .get(name)
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
            {
                Some(value) => self.answers.insert(name.to_owned(), value.to_owned()),
                None => self.answers.remove(name),
            };
        }
        for name in SECRETS {
            if let Some(value) = typed.get(name).filter(|value| !value.is_empty()) {
                self.answers.insert(name.to_owned(), value.clone());
            }
        }
        let unused: &[&str] = match by {
            By::Password => &["PROXMOX_TOKEN_ID", "PROXMOX_TOKEN_SECRET"],
            By::Token => &["PROXMOX_PASSWORD", "PROXMOX_USER"],
        };
        let unused_shell: &[&str] = match shell {
            ShellBy::Same => &["PROXMOX_SSH_PASSWORD", "PROXMOX_SSH_PRIVATE_KEY"],
            ShellBy::Password => &["PROXMOX_SSH_PRIVATE_KEY"],
            ShellBy::Key => &[],
        };
        for name in unused.iter().chain(unused_shell) {
            self.answers.remove(*name);
        }
    }

    /// What may be shown of it.
    pub(super) fn progress(&self, administrator: bool, given: &BTreeSet<String>) -> Progress {
        let has = |name: &str| self.answers.contains_key(name) || given.contains(name);
        let is_secret = |name: &String| SECRETS.contains(&name.as_str());
        let (secret, plain): (Answers, Answers) = self
            .answers
            .clone()
            .into_iter()
            .partition(|(name, _)| is_secret(name));
        Progress {
            administrator,
            certificate: self.certificate.as_ref().map(Into::into),
            confirmed: has("PROXMOX_FINGERPRINT") || given.contains("PROXMOX_CA_FILE"),
            entered: has("PROXMOX_PASSWORD") || has("PROXMOX_TOKEN_SECRET"),
            answers: plain,
            kept: secret.into_keys().collect(),
            given: given.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Answers {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_empty_secret_keeps_the_one_before_and_another_way_forgets_it() {
        let mut draft = Draft::default();
        let first = typed(&[
            ("PROXMOX_USER", "root@pam"),
            ("PROXMOX_PASSWORD", " hunter2 "),
        ]);
        draft.enter(By::Password, ShellBy::Same, &first);
        draft.enter(
            By::Password,
            ShellBy::Same,
            &typed(&[("PROXMOX_USER", "ops@pve"), ("PROXMOX_PASSWORD", "")]),
        );
        assert_eq!(draft.answers["PROXMOX_PASSWORD"], " hunter2 ");
        assert_eq!(draft.answers["PROXMOX_USER"], "ops@pve");
        draft.enter(
            By::Token,
            ShellBy::Key,
            &typed(&[
                ("PROXMOX_TOKEN_ID", "a@pve!b"),
                ("PROXMOX_TOKEN_SECRET", "s"),
            ]),
        );
        assert!(!draft.answers.contains_key("PROXMOX_PASSWORD"));
    }

    #[test]
    fn nothing_that_is_shown_is_a_secret() {
        let mut draft = Draft::default();
        let all: Vec<_> = SECRETS.iter().map(|name| (*name, "hunter2")).collect();
        draft.enter(By::Token, ShellBy::Key, &typed(&all));
        let shown = draft.progress(true, &BTreeSet::new());
        assert!(!format!("{shown:?}").contains("hunter2"));
        assert!(shown.kept.contains("PROXMOX_TOKEN_SECRET"), "{shown:?}");
    }

    #[test]
    fn settings_of_other_pages_cannot_be_typed_here() {
        let mut draft = Draft::default();
        let foreign = typed(&[
            ("PROXMOX_FINGERPRINT", "AA"),
            ("PROXMOX_HOST", "evil"),
            ("DATABASE_URL", "x"),
        ]);
        draft.enter(By::Password, ShellBy::Same, &foreign);
        assert!(draft.answers.is_empty());
    }

    #[test]
    fn only_the_certificate_that_was_shown_can_be_confirmed() {
        let host = HostPort {
            host: "pve1".to_owned(),
            port: 8006,
        };
        let certificate = |fingerprint: &str| Certificate {
            fingerprint: fingerprint.to_owned(),
            subject: String::new(),
            issuer: String::new(),
            not_before: 0,
            not_after: 0,
        };
        let mut draft = Draft::default();
        assert!(!draft.confirm("AA"));
        draft.look_at(&host, certificate("AA"));
        assert!(!draft.confirm("BB") && draft.confirm("AA"));
        draft.look_at(&host, certificate("BB"));
        assert!(!draft.progress(true, &BTreeSet::new()).confirmed);
    }
}
