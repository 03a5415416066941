//! Who asks, and what they may do.
//!
//! Sessions and tokens are 256 random bits, of which only a SHA-256 is kept. A token says `prx_` in front, so that a leaked one is recognised by those who scan for such things.

use std::net::IpAddr;

use api::{CreateToken, CreatedToken, Login, Scope, Session, Token, TokenId};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use store::{AuditRecord, Hidden, NewToken, User};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::{Control, Error, accounts::SESSION, random};

/// What every API token begins with.
const TOKEN_PREFIX: &str = "prx_";

/// Somebody who is known.
#[derive(Clone, Debug)]
pub struct Principal {
    /// User name.
    pub username: String,
    /// What they may do.
    pub scopes: Vec<Scope>,
    user: api::UserId,
    /// Name of the token that they showed; none for a session.
    token: Option<String>,
}

impl Principal {
    /// The program itself, in a name of its own. There is no account behind it: nobody can log in as it.
    pub fn program(name: &str) -> Self {
        Self {
            username: name.to_owned(),
            scopes: vec![Scope::Write],
            user: api::UserId::NOBODY,
            token: None,
        }
    }

    /// Whether this is allowed. `admin` allows all, `write` allows `read`.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|held| *held as u8 >= scope as u8)
    }

    /// An error unless this is allowed.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(Error::Forbidden { scope })
        }
    }
}

/// Who asks, with which request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who.
    pub who: Principal,
    /// Names the request in the log.
    pub request_id: String,
    /// What the sender calls the request, so that sending it twice does it once.
    pub idempotency_key: Option<String>,
}

impl Asked {
    /// A line for the audit log.
    pub(crate) fn audit(&self, action: &str, target: &str) -> AuditRecord {
        AuditRecord {
            principal: self.who.username.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            request_id: Some(self.request_id.clone()),
            detail: { self.who.token.as_ref() }.map(|token| format!("With the token “{token}”.")),
            ..AuditRecord::default()
        }
    }

    /// The same with the reason that was given.
    pub(crate) fn audit_because(&self, action: &str, target: &str, reason: &str) -> AuditRecord {
        let reason = match &self.who.token {
            Some(token) => format!("{reason} (with the token “{token}”)"),
            None => reason.to_owned(),
        };
        AuditRecord {
            detail: Some(reason),
            ..self.audit(action, target)
        }
    }
}

/// What somebody shows to be known.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// An API token.
    Token(&'a str),
    /// A session's cookie; a write must also carry the session's CSRF token.
    Session {
        /// The cookie.
        cookie: &'a str,
        /// The header `X-CSRF-Token`.
        csrf: Option<&'a str>,
        /// Whether the request changes anything.
        is_write: bool,
    },
}

/// What somebody was known by, kept for as long as they listen.
#[derive(Clone, Debug)]
pub enum Shown {
    /// An API token.
    Token(SecretString),
    /// A session's cookie.
    Session(SecretString),
}

impl From<Credential<'_>> for Shown {
    fn from(credential: Credential<'_>) -> Self {
        match credential {
            Credential::Token(token) => Self::Token(token.into()),
            Credential::Session { cookie, .. } => Self::Session(cookie.into()),
        }
    }
}

/// A new session.
pub struct LoggedIn {
    /// The secret, for the cookie.
    pub cookie: String,
    /// What the caller is told.
    pub session: Session,
}

impl Control {
    /// Who this is.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Principal, Error> {
        match credential {
            Credential::Token(token) => self.by_token(token).await,
            Credential::Session {
                cookie,
                csrf,
                is_write,
            } => {
                let found = self.site.store.sessions().find(&digest(cookie)).await?;
                let (session, user) = found.ok_or(Error::Unauthenticated)?;
                let csrf_matches =
                    csrf.is_some_and(|csrf| digest(csrf).ct_eq(&session.csrf_hash.0).into());
                if is_write && !csrf_matches {
                    return Err(Error::BadCsrf);
                }
                self.site
                    .store
                    .sessions()
                    .touch(&session, self.site.store.now() + SESSION)
                    .await?;
                Ok(principal(user, vec![Scope::Admin], None))
            }
        }
    }

    /// Whether what somebody showed is still good for anything. Looking is no use of it, and prolongs nothing.
    pub async fn still_knows(&self, shown: &Shown) -> Result<bool, Error> {
        let store = &self.site.store;
        Ok(match shown {
            Shown::Token(token) => {
                let secret = digest(token.expose_secret());
                store.tokens().find(&secret).await?.is_some()
            }
            Shown::Session(cookie) => {
                let secret = digest(cookie.expose_secret());
                store.sessions().find(&secret).await?.is_some()
            }
        })
    }

    /// Changes whenever this process ends a session or revokes a token.
    pub fn ends(&self) -> watch::Receiver<()> {
        self.site.ends.subscribe()
    }

    async fn by_token(&self, token: &str) -> Result<Principal, Error> {
        let found = self.site.store.tokens().find(&digest(token)).await?;
        let (token, user) = found.ok_or(Error::Unauthenticated)?;
        self.site.store.tokens().touch(&token).await?;
        Ok(principal(user, token.scopes, Some(token.name)))
    }

    /// Begins a session for somebody at this address; it and the name are allowed only so many failures.
    pub async fn login(&self, login: Login, from: IpAddr) -> Result<LoggedIn, Error> {
        let name = login.username.clone();
        let trying = self.accounts.login(login, from);
        self.guesses.attempt(from, &name, trying).await
    }

    /// Ends the session of this cookie. One that has ended already is none the worse for it.
    pub async fn logout(&self, cookie: &str) -> Result<(), Error> {
        let sessions = self.site.store.sessions();
        if let Some((session, user)) = sessions.find(&digest(cookie)).await? {
            let audit = AuditRecord {
                principal: user.name,
                action: "session.end".to_owned(),
                ..AuditRecord::default()
            };
            sessions.end(session.id, &audit).await?;
            self.site.ends.send_replace(());
        }
        Ok(())
    }

    /// Makes an API token. It may do no more than who makes it.
    pub async fn create_token(
        &self,
        asked: &Asked,
        request: CreateToken,
    ) -> Result<CreatedToken, Error> {
        let name = request.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::field(
                "/name",
                "must be 1 to 100 characters, none of them a control character",
            ));
        }
        if request.scopes.is_empty() {
            return Err(Error::field("/scopes", "must name at least one scope"));
        }
        if request
            .expires_at
            .is_some_and(|end| end <= self.site.store.now())
        {
            return Err(Error::field("/expires_at", "must be in the future"));
        }
        for scope in &request.scopes {
            asked.who.require(*scope)?;
        }
        let token = format!("{TOKEN_PREFIX}{}", random::hex::<32>());
        let new = NewToken {
            name: name.to_owned(),
            user: asked.who.user,
            secret_hash: Hidden(digest(&token)),
            scopes: request.scopes,
            expires_at: request.expires_at,
        };
        let details = self
            .site
            .store
            .tokens()
            .create(new, &asked.audit("token.create", name))
            .await?;
        Ok(CreatedToken {
            token,
            details: shown(details),
        })
    }

    /// The tokens that are not revoked.
    pub async fn tokens(&self, asked: &Asked) -> Result<Vec<Token>, Error> {
        let tokens = self.site.store.tokens().list(Some(asked.who.user)).await?;
        Ok(tokens.into_iter().map(shown).collect())
    }

    /// Revokes a token of one's own.
    pub async fn revoke_token(&self, asked: &Asked, id: TokenId) -> Result<(), Error> {
        let token = self.site.store.tokens().get(id).await?;
        if token.user != asked.who.user {
            return Err(Error::NotFound { what: "token" });
        }
        let audit = asked.audit("token.revoke", &token.name);
        self.site.store.tokens().revoke(id, &audit).await?;
        self.site.ends.send_replace(());
        Ok(())
    }

    /// Makes the first administrator where there is no user yet, with `password` or one that is made up. Answers
    /// the made-up password: it is told this once.
    pub async fn first_administrator(
        &self,
        password: Option<&str>,
    ) -> Result<Option<String>, Error> {
        self.accounts.first_administrator(password).await
    }
}

fn principal(user: User, scopes: Vec<Scope>, token: Option<String>) -> Principal {
    Principal {
        username: user.name,
        scopes,
        user: user.id,
        token,
    }
}

fn shown(token: store::Token) -> Token {
    Token {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    }
}

/// The CSRF token of the session with this cookie. It follows from the cookie, so that a page can carry it without
/// anybody keeping it, and tells nothing about the cookie.
pub fn csrf_token(cookie: &str) -> String {
    let digest = Sha256::new()
        .chain_update("proximity csrf token\0")
        .chain_update(cookie)
        .finalize();
    hex::encode(digest)
}

pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
