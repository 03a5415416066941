//! Who may set Proximity up: whoever read the code that the process printed, until there is an administrator; from then
//! on whoever logs in as one.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use api::Login;
use store::User;
use subtle::ConstantTimeEq as _;

use crate::{Error, accounts::Accounts, auth::digest, guesses::Guesses, random};

/// What guesses at the code are counted under.
const CODE: &str = "the code";
/// Browsers that are let in at the same time. The oldest makes room.
const TICKETS: usize = 16;

/// The door.
pub(super) struct Entrance {
    accounts: Accounts,
    /// SHA-256 of the code.
    code: Vec<u8>,
    tickets: Mutex<Vec<Ticket>>,
    guesses: Guesses,
}

/// A browser that was let in.
struct Ticket {
    /// SHA-256 of its cookie.
    cookie: Vec<u8>,
    /// The administrator who it is, once that is known.
    user: Option<User>,
}

impl Entrance {
    /// A door, and the code that opens it.
    pub(super) fn new(accounts: Accounts) -> (Self, String) {
        let code = random::hex::<16>();
        let entrance = Self {
            accounts,
            code: digest(&code),
            tickets: Mutex::default(),
            guesses: Guesses::default(),
        };
        (entrance, code)
    }

    /// A cookie for whoever knows the code.
    pub(super) async fn by_code(&self, address: IpAddr, code: &str) -> Result<String, Error> {
        let right = bool::from(digest(code.trim()).ct_eq(&self.code));
        let trying = async {
            // Asked second, so that a wrong code takes as long with an administrator as without.
            if right && self.accounts.is_empty().await? {
                Ok(())
            } else {
                Err(Error::Unauthenticated)
            }
        };
        self.guesses.attempt(address, CODE, trying).await?;
        Ok(self.admit(None))
    }

    /// A cookie for an administrator.
    pub(super) async fn by_login(&self, address: IpAddr, login: Login) -> Result<String, Error> {
        let name = login.username.clone();
        let trying = self.accounts.check(login, address);
        let user = self.guesses.attempt(address, &name, trying).await?;
        Ok(self.admit(Some(user)))
    }

    fn admit(&self, user: Option<User>) -> String {
        let cookie = random::hex::<32>();
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() == TICKETS {
            tickets.remove(0);
        }
        tickets.push(Ticket {
            cookie: digest(&cookie),
            user,
        });
        cookie
    }

    /// Whether this cookie was given here. One that came by the code opens nothing any more once somebody else is the
    /// administrator.
    pub(super) async fn admits(&self, cookie: &str) -> Result<bool, Error> {
        match self.ticket(cookie, |ticket| ticket.user.is_some()) {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => self.accounts.is_empty().await,
        }
    }

    /// The browser with this cookie belongs to the administrator from now on.
    pub(super) fn belongs_to(&self, cookie: &str, user: User) {
        self.ticket(cookie, |ticket| ticket.user = Some(user));
    }

    /// The administrator with this cookie.
    pub(super) fn administrator(&self, cookie: &str) -> Option<User> {
        self.ticket(cookie, |ticket| ticket.user.clone())?
    }

    fn ticket<T>(&self, cookie: &str, look: impl FnOnce(&mut Ticket) -> T) -> Option<T> {
        let cookie = digest(cookie);
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = tickets.iter_mut();
        found
            .find(|ticket| ticket.cookie.ct_eq(&cookie).into())
            .map(look)
    }
}
