//! What an installed app is made of, as people look at it: services, releases, its first login.

use chrono::{DateTime, Utc};

use crate::{Asked, Control, Error, project, project::Project};

/// A release of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSummary {
    /// Number, from 1.
    pub number: u32,
    /// Version of the catalog entry.
    pub version: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it is the one that the app runs.
    pub is_current: bool,
}

/// What a person needs to log in to an app for the first time. It is a secret: shown, never written anywhere.
pub struct Credentials {
    /// User name, where there is one.
    pub username: Option<String>,
    /// Label and value of each generated secret that is meant to be shown.
    pub secrets: Vec<(String, String)>,
}

impl Control {
    /// The names of an app's services.
    pub async fn services(&self, app: &str) -> Result<Vec<String>, Error> {
        let app = self.site.store.apps().find(app).await?;
        Ok(self.project(&app).await?.services())
    }

    /// The releases of an app, newest first; also of one that is deleted.
    pub async fn releases(&self, app: &str) -> Result<Vec<ReleaseSummary>, Error> {
        let app = self.site.store.apps().find(app).await?;
        let mut releases = self.site.store.releases().of(app.id).await?;
        releases.sort_by_key(|release| std::cmp::Reverse(release.number));
        let summary = |release: store::Release| ReleaseSummary {
            number: release.number,
            version: release.version,
            created_at: release.created_at,
            is_current: release.id == app.release,
        };
        Ok(releases.into_iter().map(summary).collect())
    }

    /// Whether an app has generated secrets to be shown.
    pub async fn has_credentials(&self, app: &str) -> Result<bool, Error> {
        let app = self.site.store.apps().find(app).await?;
        Ok(!self.project(&app).await?.shown_secrets().is_empty())
    }

    /// Shows an app's first login. The first time whoever may change apps needs nothing more; after that it asks for
    /// their own password again. Each look is in the audit log.
    pub async fn reveal(
        &self,
        asked: &Asked,
        app: &str,
        password: Option<String>,
    ) -> Result<Credentials, Error> {
        let app = self.site.store.apps().find(app).await?;
        let project = self.project(&app).await?;
        let once = format!("revealed/{}", app.id);
        let first = self
            .site
            .store
            .settings()
            .set_once(&once, &asked.request_id)
            .await?;
        if first != asked.request_id {
            let user = self.site.store.users().find(&asked.who.username).await?;
            let stored = user.map(|user| user.password_hash.0.clone());
            let Some(password) = password else {
                return Err(Error::field(
                    "/password",
                    "is needed: the login was shown before",
                ));
            };
            if !self.accounts.verify(password, stored).await? {
                return Err(Error::field("/password", "is not yours"));
            }
        }
        let record = asked.audit("app.reveal", &app.name);
        self.site.store.audit().record(&record).await?;
        Ok(Credentials {
            username: project.first_username(),
            secrets: project.shown_secrets(),
        })
    }

    async fn project(&self, app: &store::App) -> Result<Project, Error> {
        let release = self.site.store.releases().get(app.release).await?;
        project::assemble(&self.site.secrets, app, &release).map_err(Error::Unavailable)
    }
}
