//! Accounts: who has a password, and beginning a session with it. They need the database and nothing of the cluster, so
//! that somebody can log in before there is one.
//!
//! Passwords are kept as Argon2id hashes.

use std::{net::IpAddr, sync::Arc};

use api::{AuditOutcome, Login, Session};
use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash,
};
use chrono::TimeDelta;
use store::{AuditRecord, Hidden, NewSession, NewUser, Store, User};
use tokio::sync::Semaphore;

use crate::{
    Error, LoggedIn,
    auth::{csrf_token, digest},
    random,
};

/// How long a session lasts without being used.
pub(crate) const SESSION: TimeDelta = TimeDelta::days(7);
/// The only role there is so far: it may do everything. Also the name of an administrator who was not named.
const ADMIN: &str = "admin";

/// The accounts. Clones are the same ones.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    /// Password hashes that are computed at the same time: each takes a core and tens of MiB.
    hashing: Arc<Semaphore>,
}

impl Accounts {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            hashing: Arc::new(Semaphore::new(2)),
        }
    }

    /// Whether anybody can log in.
    pub(crate) async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.store.users().count().await? == 0)
    }

    /// Begins a session for somebody at this address.
    pub(crate) async fn login(&self, login: Login, from: IpAddr) -> Result<LoggedIn, Error> {
        let user = self.check(login, from).await?;
        self.session(user, Some(from)).await
    }

    /// The user whose password this is, typed at this address.
    pub(crate) async fn check(&self, login: Login, from: IpAddr) -> Result<User, Error> {
        let user = self.store.users().find(&login.username).await?;
        // A name that nobody has is not written down: it may be a password in the wrong field.
        let known = user.as_ref().map(|user| user.name.clone());
        let user = user.filter(|user| user.disabled_at.is_none());
        // An unknown name takes as long as a wrong password, so that names cannot be found out by the clock.
        let stored = user.as_ref().map(|user| user.password_hash.0.clone());
        if !self.verify(login.password, stored).await? {
            let record = AuditRecord {
                outcome: AuditOutcome::Denied,
                ..login_of(known.unwrap_or_default(), Some(from))
            };
            self.store.audit().record(&record).await?;
            return Err(Error::Unauthenticated);
        }
        user.ok_or(Error::Unauthenticated)
    }

    /// Begins a session of somebody who has proven who they are.
    pub(crate) async fn session(
        &self,
        user: User,
        from: Option<IpAddr>,
    ) -> Result<LoggedIn, Error> {
        let cookie = random::hex::<32>();
        let csrf = csrf_token(&cookie);
        let session = NewSession {
            user: user.id,
            secret_hash: Hidden(digest(&cookie)),
            csrf_hash: Hidden(digest(&csrf)),
            expires_at: self.store.now() + SESSION,
        };
        let audit = login_of(user.name.clone(), from);
        let session = self.store.sessions().create(session, &audit).await?;
        let session = Session {
            username: user.name,
            csrf_token: csrf,
            expires_at: session.expires_at,
        };
        Ok(LoggedIn { cookie, session })
    }

    /// Makes the administrator `admin` where there is no user yet, with `password` or one that is made up. Answers the
    /// made-up password: it is told this once.
    pub(crate) async fn first_administrator(
        &self,
        password: Option<&str>,
    ) -> Result<Option<String>, Error> {
        if !self.is_empty().await? {
            return Ok(None);
        }
        let made_up = password.is_none().then(random::hex::<12>);
        let password = password.or(made_up.as_deref()).unwrap_or_default();
        match self.create_administrator(ADMIN, password).await {
            Ok(_) => Ok(made_up),
            // Another replica was first.
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes an administrator.
    pub(crate) async fn create_administrator(
        &self,
        name: &str,
        password: &str,
    ) -> Result<User, Error> {
        let user = NewUser {
            name: name.to_owned(),
            password_hash: Hidden(self.hash(password.to_owned()).await?),
            role: ADMIN.to_owned(),
        };
        let audit = AuditRecord {
            principal: "proximity".to_owned(),
            action: "user.create".to_owned(),
            target: name.to_owned(),
            ..AuditRecord::default()
        };
        match self.store.users().create(user, &audit).await {
            Err(store::Error::NameTaken { .. }) => Err(Error::Conflict {
                code: "user_exists",
                message: format!("There is a user named `{name}` already."),
            }),
            created => Ok(created?),
        }
    }

    async fn hash(&self, password: String) -> Result<String, Error> {
        let hashed = self
            .computing(move || {
                Argon2::default()
                    .hash_password(password.as_bytes())
                    .map(|hash| hash.to_string())
            })
            .await?;
        hashed.map_err(|error| Error::Internal(error.to_string().into()))
    }

    /// Whether the password is the one that was hashed; never, where there is no hash.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        self.computing(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| DUMMY.to_owned());
            let hash = PasswordHash::new(&stored);
            let matches = hash.is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            });
            known && matches
        })
        .await
    }

    /// A password hash takes tens of milliseconds: not on a thread that others wait for, and few at a time.
    async fn computing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self
            .hashing
            .acquire()
            .await
            .map_err(|error| Error::Internal(error.into()))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::Internal(error.into()))
    }
}

/// A hash of a password that nobody has.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy1pdA$jp5Yp0wYrn2rPvgkKaUjrcA4lB2gRkTgHzUg0uPfT8k";

/// What the audit log is told of a login.
fn login_of(principal: String, from: Option<IpAddr>) -> AuditRecord {
    AuditRecord {
        principal,
        action: "session.create".to_owned(),
        detail: from.map(|from| format!("From {from}.")),
        ..AuditRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_for_unknown_names_is_one_that_takes_time() {
        assert!(PasswordHash::new(DUMMY).is_ok());
    }
}
