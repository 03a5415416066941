//! The first run: there is a database and no cluster. A person makes the administrator, names the cluster, confirms its
//! certificate, gives credentials, sees what works with them, and saves.
//!
//! ```text
//! Entrance ─ code or administrator ─► cookie
//!    administrator ▸ address, certificate shown ▸ confirmed ▸ credentials ▸ doctor ▸ saved
//!                         └────────── Draft, sealed in the database ──────────┘      └─► the process starts for real
//! ```
//!
//! What settings mean is not known here: the program turns answers into clients by [`Configure`], the same way as those of
//! the environment.

mod draft;
mod entrance;

use std::{collections::BTreeSet, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use api::{Check, CheckState, Checkup, Login};
use chrono::{DateTime, Utc};
use proxmox::{Client, HostPort, probe_certificate};
use store::{AuditRecord, Store};
use tokio::sync::{Mutex, watch};

pub use draft::{By, Progress, ShellBy, ShownCertificate};

use crate::{
    Error, LoggedIn, SecretKey, Settings, SshTargets,
    accounts::Accounts,
    doctor::{self, Doctor},
    explain,
    hosts::Hosts,
    saved::{self, Answers},
};
use draft::Draft;
use entrance::Entrance;

/// Longest time for a look at a certificate.
const LOOK: Duration = Duration::from_secs(15);
/// Longest time from saving to running.
const START: Duration = Duration::from_mins(1);
/// Shortest password of an administrator. Length is what counts: no rule about what is in it.
const SHORTEST_PASSWORD: usize = 10;
/// Longest password.
const LONGEST_PASSWORD: usize = 1024;

/// Clients and settings that answers amount to.
pub struct Configured {
    /// The Proxmox API.
    pub cluster: Client,
    /// SSH connections.
    pub pool: ssh::Pool,
    /// How nodes are reached over SSH.
    pub targets: SshTargets,
    /// Settings of the application.
    pub settings: Settings,
}

/// An answer that cannot be used.
pub struct WrongAnswer {
    /// Name of the setting.
    pub name: String,
    /// What is wrong with it, as the end of a sentence that begins with its name.
    pub problem: String,
}

/// Makes clients and settings of answers and of what the environment gives.
pub type Configure = Box<dyn Fn(&Answers) -> Result<Configured, WrongAnswer> + Send + Sync>;

/// What the setup is made of.
pub struct SetupParts {
    /// The database, migrated.
    pub store: Store,
    /// The key of sealed values.
    pub secrets: SecretKey,
    /// Makes clients and settings of answers.
    pub configure: Configure,
    /// Names of settings that the environment or the file give.
    pub given: BTreeSet<String>,
    /// Folder of the database and the key.
    pub data_dir: PathBuf,
}

/// Where the setup is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Answers are taken.
    Open,
    /// Saved; the process is about to start for real.
    Saved,
    /// The service runs: there is nothing left to set up.
    Running,
    /// The service could not start, and why.
    Broken(String),
}

/// The first run. Clones are the same one.
#[derive(Clone)]
pub struct Setup(Arc<Inner>);

struct Inner {
    parts: SetupParts,
    accounts: Accounts,
    entrance: Entrance,
    /// Held while the draft is changed: two browsers may be at it.
    draft: Mutex<()>,
    /// Held while the settings are tried: that opens connections to every node.
    trying: Mutex<()>,
    phase: watch::Sender<Phase>,
}

impl Setup {
    /// The setup, and the code that lets somebody in while there is no administrator.
    pub fn new(parts: SetupParts) -> (Self, String) {
        let accounts = Accounts::new(parts.store.clone());
        let (entrance, code) = Entrance::new(accounts.clone());
        let inner = Inner {
            parts,
            accounts,
            entrance,
            draft: Mutex::default(),
            trying: Mutex::default(),
            phase: watch::Sender::new(Phase::Open),
        };
        (Self(Arc::new(inner)), code)
    }

    /// Whether there is an administrator, who then has to log in instead of showing the code.
    pub async fn has_administrator(&self) -> Result<bool, Error> {
        Ok(!self.0.accounts.is_empty().await?)
    }

    /// The time, as the database's clock tells it.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.parts.store.now()
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.parts.store.ping().await?)
    }

    /// Makes the administrator `admin` with a password that the settings give.
    pub async fn first_administrator(&self, password: &str) -> Result<(), Error> {
        self.0
            .accounts
            .first_administrator(Some(password))
            .await
            .map(drop)
    }

    /// A cookie for whoever knows the code.
    pub async fn enter_by_code(&self, address: IpAddr, code: &str) -> Result<String, Error> {
        self.0.entrance.by_code(address, code).await
    }

    /// A cookie for an administrator.
    pub async fn enter_by_login(&self, address: IpAddr, login: Login) -> Result<String, Error> {
        self.0.entrance.by_login(address, login).await
    }

    /// An error unless this cookie was given here.
    pub async fn admit(&self, cookie: &str) -> Result<(), Error> {
        if self.0.entrance.admits(cookie).await? {
            Ok(())
        } else {
            Err(Error::Unauthenticated)
        }
    }

    /// How far it is, without any secret.
    pub async fn progress(&self) -> Result<Progress, Error> {
        let administrator = self.has_administrator().await?;
        let draft = self.0.draft().await?;
        Ok(draft.progress(administrator, &self.0.parts.given))
    }

    /// Makes the administrator, to whom the browser with this cookie belongs from then on.
    pub async fn create_administrator(
        &self,
        cookie: &str,
        login: Login,
        again: &str,
    ) -> Result<(), Error> {
        let name = login.username.trim();
        let is_plain = |c: char| c.is_alphanumeric() || "-_.@".contains(c);
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(is_plain) {
            return Err(Error::field(
                "/username",
                "must be 1 to 64 letters, digits or any of - _ . @",
            ));
        }
        let length = login.password.chars().count();
        if length < SHORTEST_PASSWORD {
            return Err(Error::field(
                "/password",
                format!(
                    "must have at least {SHORTEST_PASSWORD} characters; a sentence is easy to remember"
                ),
            ));
        }
        if length > LONGEST_PASSWORD {
            return Err(Error::field("/password", "is too long"));
        }
        if login.password != again {
            return Err(Error::field("/again", "is not the same password"));
        }
        if self.has_administrator().await? {
            return Err(Error::Conflict {
                code: "administrator_exists",
                message: "There is an administrator already.".to_owned(),
            });
        }
        let user = self
            .0
            .accounts
            .create_administrator(name, &login.password)
            .await?;
        self.0.entrance.belongs_to(cookie, user);
        Ok(())
    }

    /// Looks at the certificate of a host and remembers it for a person to confirm. Nothing is sent there.
    pub async fn look_at(&self, host: &str, port: &str) -> Result<(), Error> {
        let port: u16 = port
            .trim()
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| Error::field("/PROXMOX_PORT", "must be a number from 1 to 65535"))?;
        let host = HostPort::parse(host.trim(), port).map_err(|_| {
            Error::field(
                "/PROXMOX_HOST",
                "must be a name or an address of one node, e.g. 10.0.0.1 or pve1.lan",
            )
        })?;
        let certificate = probe_certificate(&host, LOOK)
            .await
            .map_err(|error| Error::Unavailable(explain::first_look(&host, &error)))?;
        self.0
            .change(|draft| {
                draft.look_at(&host, certificate);
                Ok(())
            })
            .await
    }

    /// The person compared the fingerprint and found it right.
    pub async fn confirm(&self, fingerprint: &str) -> Result<(), Error> {
        self.0
            .change(|draft| {
                if draft.confirm(fingerprint) {
                    return Ok(());
                }
                Err(Error::Conflict {
                    code: "certificate_changed",
                    message: "Another certificate was looked at meanwhile; compare that one."
                        .to_owned(),
                })
            })
            .await
    }

    /// Takes the credentials and what goes with them, by the names of settings.
    pub async fn enter(&self, by: By, shell: ShellBy, typed: &Answers) -> Result<(), Error> {
        self.0
            .change(|draft| {
                draft.enter(by, shell, typed);
                let wanted = (by == By::Token && shell == ShellBy::Same).then(|| {
                    let message = "choose a password or a key: an API token opens no SSH";
                    Error::field("/ssh", message)
                });
                match wanted {
                    Some(error) => Err(error),
                    None => self.0.configured(&draft.answers).map(drop),
                }
            })
            .await
    }

    /// Looks at everything that a deployment needs, with the answers so far.
    pub async fn examine(&self) -> Result<Checkup, Error> {
        let _turn = self.0.trying.lock().await;
        let draft = self.0.draft().await?;
        let configured = self.0.configured(&draft.answers)?;
        let hosts = configured.hosts();
        let doctor = Doctor {
            cluster: &configured.cluster,
            hosts: &hosts,
            settings: &configured.settings,
        };
        let parts = &self.0.parts;
        let mut checks = doctor::here(&parts.store, Some(&parts.data_dir)).await;
        checks.extend(doctor.examine().await);
        configured.pool.close().await;
        Ok(Checkup::of(checks))
    }

    /// Keeps the answers, if the API lets us in with them, and waits until the service runs. Answers a session for the
    /// administrator whose browser it is.
    pub async fn save(&self, cookie: &str) -> Result<LoggedIn, Error> {
        let user = self
            .0
            .entrance
            .administrator(cookie)
            .ok_or_else(|| Error::Conflict {
                code: "no_administrator",
                message: "First make the administrator.".to_owned(),
            })?;
        let draft = self.0.draft().await?;
        if !draft.progress(true, &self.0.parts.given).confirmed {
            return Err(Error::Conflict {
                code: "certificate_not_confirmed",
                message: "First confirm the certificate of the cluster.".to_owned(),
            });
        }
        let configured = self.0.configured(&draft.answers)?;
        let (checks, open) = doctor::door(&configured.cluster).await;
        if open.is_none() {
            return Err(refusal(&checks));
        }
        let Inner { parts, phase, .. } = &*self.0;
        saved::write(&parts.store, &parts.secrets, saved::CLUSTER, &draft.answers).await?;
        parts.store.settings().remove(saved::DRAFT).await?;
        let audit = AuditRecord {
            principal: user.name.clone(),
            action: "cluster.save".to_owned(),
            target: draft
                .answers
                .get("PROXMOX_HOST")
                .cloned()
                .unwrap_or_default(),
            ..AuditRecord::default()
        };
        parts.store.audit().record(&audit).await?;
        // Whoever looks at the database may have found it there already and be done.
        phase.send_if_modified(|phase| {
            let is_news = *phase != Phase::Running;
            if is_news {
                *phase = Phase::Saved;
            }
            is_news
        });
        self.started().await?;
        self.0.accounts.session(user, None).await
    }

    async fn started(&self) -> Result<(), Error> {
        let mut phase = self.0.phase.subscribe();
        let over = phase.wait_for(|phase| matches!(phase, Phase::Running | Phase::Broken(_)));
        let over = match tokio::time::timeout(START, over).await {
            Ok(Ok(phase)) => phase.clone(),
            // The sender lives in `self`.
            Ok(Err(_)) | Err(_) => Phase::Broken("it takes too long".to_owned()),
        };
        match over {
            Phase::Broken(why) => Err(Error::Conflict {
                code: "not_started",
                message: format!(
                    "The settings are saved, but the service could not start with them: {why}."
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Waits until somebody saved here.
    pub async fn saved(&self) {
        let mut phase = self.0.phase.subscribe();
        // The sender lives in `self`, so this cannot end with an error.
        let _ = phase.wait_for(|phase| *phase == Phase::Saved).await;
    }

    /// The settings that were saved, here or by another replica.
    pub async fn answers(&self) -> Result<Option<Answers>, Error> {
        saved::saved_cluster(&self.0.parts.store, &self.0.parts.secrets).await
    }

    /// The service runs with what was saved.
    pub fn is_running(&self) {
        self.0.phase.send_replace(Phase::Running);
    }

    /// The service could not start with what was saved.
    pub fn is_broken(&self, why: String) {
        self.0.phase.send_replace(Phase::Broken(why));
    }
}

/// Why nothing can be saved: the first thing that the door refused.
fn refusal(checks: &[Check]) -> Error {
    let found = checks
        .iter()
        .find(|check| check.state == CheckState::Failed);
    let (message, hint) = match found {
        Some(check) => (
            check.message.as_str(),
            check.hint.as_deref().unwrap_or_default(),
        ),
        None => ("The Proxmox API lets nobody in.", ""),
    };
    Error::Conflict {
        code: "cluster_not_entered",
        message: format!("Nothing was saved. {message} {hint}")
            .trim_end()
            .to_owned(),
    }
}

impl Inner {
    async fn draft(&self) -> Result<Draft, Error> {
        let draft = saved::read(&self.parts.store, &self.parts.secrets, saved::DRAFT).await?;
        Ok(draft.unwrap_or_default())
    }

    /// Changes the draft; an error leaves it as it was.
    async fn change(
        &self,
        work: impl FnOnce(&mut Draft) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let _turn = self.draft.lock().await;
        let mut draft = self.draft().await?;
        work(&mut draft)?;
        saved::write(&self.parts.store, &self.parts.secrets, saved::DRAFT, &draft).await
    }

    fn configured(&self, answers: &Answers) -> Result<Configured, Error> {
        let wrong = |wrong: WrongAnswer| Error::field(&format!("/{}", wrong.name), wrong.problem);
        (self.parts.configure)(answers).map_err(wrong)
    }
}

impl Configured {
    /// SSH that learns no key for good: nobody has said yet that this is the cluster.
    fn hosts(&self) -> Hosts {
        Hosts::new(
            self.cluster.clone(),
            self.pool.clone(),
            None,
            self.targets.clone(),
        )
    }
}
