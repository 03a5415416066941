//! Who calls: users with passwords and tickets, API tokens, and the token against forged writes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clock;

/// How long a ticket is good, in seconds.
const LIFETIME: u64 = 2 * 3600;

/// The user that may do everything.
pub(crate) const ROOT: &str = "root@pam";

/// The caller of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `root@pam`.
    pub(crate) user: String,
    /// `proximity` of `root@pam!proximity`.
    pub(crate) token: Option<String>,
}

impl Identity {
    /// `root@pam` by password; what `pct` on a node is too.
    pub(crate) fn root() -> Self {
        Self::user(ROOT)
    }

    /// Whoever has not logged in.
    pub(crate) fn nobody() -> Self {
        Self::user("nobody@pve")
    }

    fn user(name: &str) -> Self {
        Self {
            user: name.to_owned(),
            token: None,
        }
    }

    /// The whole name: `root@pam` or `root@pam!proximity`.
    pub(crate) fn name(&self) -> String {
        match &self.token {
            Some(token) => format!("{}!{token}", self.user),
            None => self.user.clone(),
        }
    }

    /// Whether this is `root@pam` itself. A token of root is not, whatever its privileges.
    pub(crate) fn is_root(&self) -> bool {
        self.user == ROOT && self.token.is_none()
    }

    /// Whether a task of `owner` is this caller's: a user's tasks include those of the user's tokens,
    /// a token's only its own.
    pub(crate) fn owns(&self, owner: &str) -> bool {
        let name = self.name();
        owner == name
            || (self.token.is_none()
                && owner
                    .strip_prefix(&name)
                    .is_some_and(|rest| rest.starts_with('!')))
    }
}

/// An API token.
#[derive(Clone, Debug)]
pub(crate) struct ApiToken {
    pub(crate) secret: String,
    /// Whether it has only what it was itself granted.
    pub(crate) separated: bool,
}

#[derive(Clone, Debug)]
struct Issued {
    user: String,
    at: u64,
}

/// What the login call hands out.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) user: String,
    pub(crate) text: String,
    pub(crate) csrf: String,
}

/// All users, tokens and tickets.
#[derive(Debug)]
pub(crate) struct Identities {
    passwords: BTreeMap<String, String>,
    tokens: BTreeMap<String, ApiToken>,
    tickets: BTreeMap<String, Issued>,
    csrf: BTreeMap<String, Issued>,
}

impl Identities {
    /// `root@pam`, the user `proximity@pve` with the same password, and three tokens.
    pub(crate) fn new(password: &str) -> Self {
        let users = [ROOT, "proximity@pve"];
        let passwords = users.map(|user| (user.to_owned(), password.to_owned()));
        let tokens = [
            ("root@pam!proximity", false),
            ("proximity@pve!deploy", false),
            ("proximity@pve!limited", true),
        ]
        .map(|(name, separated)| {
            let secret = random_uuid();
            (name.to_owned(), ApiToken { secret, separated })
        });
        Self {
            passwords: passwords.into(),
            tokens: tokens.into(),
            tickets: BTreeMap::new(),
            csrf: BTreeMap::new(),
        }
    }

    /// Secret of a token that exists.
    pub(crate) fn secret(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(|token| token.secret.as_str())
    }

    /// Whether a token has only what it was itself granted.
    pub(crate) fn is_separated(&self, identity: &Identity) -> bool {
        self.tokens
            .get(&identity.name())
            .is_some_and(|token| token.separated)
    }

    /// Logs in by password, or by a ticket that is still good in place of it.
    pub(crate) fn login(&mut self, user: &str, password: &str) -> Option<Ticket> {
        let by_password = self.passwords.get(user).is_some_and(|own| own == password);
        let by_ticket = self
            .ticket(password)
            .is_some_and(|holder| holder.user == user || holder.is_root());
        if !(by_password || by_ticket && self.passwords.contains_key(user)) {
            return None;
        }
        let at = clock::now();
        let issued = Issued {
            user: user.to_owned(),
            at,
        };
        let ticket = format!("PVE:{user}:{at:08X}::{}", random_text(64));
        let csrf = format!("{at:08X}:{}", random_text(32));
        for kept in [&mut self.tickets, &mut self.csrf] {
            kept.retain(|_, issued| at.saturating_sub(issued.at) < LIFETIME);
        }
        self.tickets.insert(ticket.clone(), issued.clone());
        self.csrf.insert(csrf.clone(), issued);
        Some(Ticket {
            user: user.to_owned(),
            text: ticket,
            csrf,
        })
    }

    /// Who holds this ticket.
    pub(crate) fn ticket(&self, ticket: &str) -> Option<Identity> {
        let issued = self.tickets.get(ticket)?;
        let good = clock::now().saturating_sub(issued.at) < LIFETIME;
        good.then(|| Identity::user(&issued.user))
    }

    /// Whether the token against forged writes is this user's.
    pub(crate) fn csrf_fits(&self, csrf: &str, identity: &Identity) -> bool {
        self.csrf.get(csrf).is_some_and(|issued| {
            issued.user == identity.user && clock::now().saturating_sub(issued.at) < LIFETIME
        })
    }

    /// Who holds this API token, `user@realm!id=secret`.
    pub(crate) fn token(&self, text: &str) -> Result<Identity, &'static str> {
        let (name, secret) = text.split_once('=').ok_or("no tokenid specified")?;
        let known = self.tokens.get(name).ok_or("no such token")?;
        if known.secret != secret {
            return Err("invalid token value!");
        }
        let (user, token) = name.split_once('!').ok_or("no tokenid specified")?;
        Ok(Identity {
            user: user.to_owned(),
            token: Some(token.to_owned()),
        })
    }

    /// Makes all tickets worthless at once.
    pub(crate) fn expire(&mut self) {
        self.tickets.clear();
        self.csrf.clear();
    }
}

fn random_text(bytes: usize) -> String {
    let raw: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    STANDARD.encode(raw)
}

/// A random identifier in the form of a version 4 UUID.
pub(crate) fn random_uuid() -> String {
    let mut raw: [u8; 16] = rand::random();
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = hex::encode(raw);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_renew_and_expire() {
        let mut identities = Identities::new("secret");
        assert!(identities.login(ROOT, "wrong").is_none());
        assert!(identities.login("nobody@pam", "secret").is_none());
        let first = identities.login(ROOT, "secret").unwrap();
        let second = identities.login(ROOT, &first.text).unwrap();
        let who = identities.ticket(&second.text).unwrap();
        assert!(who.is_root());
        assert!(identities.csrf_fits(&second.csrf, &who));
        let other = identities.login("proximity@pve", "secret").unwrap();
        assert!(!identities.csrf_fits(&other.csrf, &who));
        assert!(identities.login(ROOT, &other.text).is_none());
        identities.expire();
        assert!(identities.ticket(&second.text).is_none());
    }

    #[test]
    fn a_token_of_root_is_not_root() {
        let identities = Identities::new("secret");
        let secret = identities.secret("root@pam!proximity").unwrap();
        let who = identities
            .token(&format!("root@pam!proximity={secret}"))
            .unwrap();
        assert!(!who.is_root());
        assert!(identities.token("root@pam!proximity=wrong").is_err());
        assert!(Identity::root().owns("root@pam!proximity"));
        assert!(!who.owns("root@pam"));
        assert!(!Identity::root().owns("root@pamela!x"));
    }
}
