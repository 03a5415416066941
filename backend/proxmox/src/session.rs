//! Who asks: a token, which is always the same, or a ticket, which is fetched, renewed and fetched again when refused.

use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::Auth;
use crate::endpoint::Endpoint;
use crate::request::Request;
use crate::transport::Transport;
use crate::{Error, Result, percent};

/// Tickets live for two hours; by half of that a new one is had for the old.
const RENEW_AFTER: Duration = Duration::from_hours(1);
/// A ticket older than this may be refused before the request with it arrives.
const LIFETIME: Duration = Duration::from_mins(115);
/// How long a refused login stands. Callers that waited for the same login must not each ask again: every refusal takes
/// the host three seconds, and many of them look like an attack.
const REFUSAL_STANDS: Duration = Duration::from_secs(3);

/// The source of credentials.
pub(crate) enum Session {
    Token(HeaderValue),
    Ticket(Box<TicketSession>),
}

/// Logs in when somebody needs it.
pub(crate) struct TicketSession {
    user: String,
    password: SecretString,
    /// Held while a login is on its way, so that there is never more than one.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ticket: Option<Ticket>,
    logins: u64,
    refused: Option<(Instant, Error)>,
}

#[derive(Clone)]
struct Ticket {
    number: u64,
    issued: Instant,
    text: SecretString,
    cookie: HeaderValue,
    csrf: HeaderValue,
}

/// What one request carries.
pub(crate) struct Credentials {
    headers: HeaderMap,
    /// Which login they come from; a token has none, and cannot be had anew.
    pub(crate) login: Option<u64>,
}

impl Credentials {
    /// For a request with this method.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl Session {
    pub(crate) fn new(auth: Auth) -> Result<Self> {
        match auth {
            Auth::Password { user, password } => {
                if !user
                    .split_once('@')
                    .is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty())
                    || user.contains('!')
                {
                    return Err(Error::parameter("user", "not of the form user@realm"));
                }
                Ok(Self::Ticket(Box::new(TicketSession {
                    user,
                    password,
                    state: Mutex::default(),
                })))
            }
            Auth::Token { id, secret } => {
                let plausible = id
                    .split_once('!')
                    .is_some_and(|(user, token)| user.contains('@') && !token.is_empty());
                if !plausible {
                    return Err(Error::parameter("token", "not of the form user@realm!name"));
                }
                // The server takes all up to a semicolon and percent-decodes it.
                let id = percent::encode_except(&id, b"@!");
                let secret = percent::encode(secret.expose_secret());
                Ok(Self::Token(secret_header(&format!(
                    "PVEAPIToken={id}={secret}"
                ))?))
            }
        }
    }

    /// Credentials for a call; `spoiled` is the login that was just refused.
    pub(crate) async fn credentials(
        &self,
        transport: &Transport,
        writes: bool,
        spoiled: Option<u64>,
    ) -> Result<Credentials> {
        let mut headers = HeaderMap::new();
        match self {
            Self::Token(token) => {
                headers.insert(reqwest::header::AUTHORIZATION, token.clone());
                Ok(Credentials {
                    headers,
                    login: None,
                })
            }
            Self::Ticket(session) => {
                let ticket = session.ticket(transport, spoiled).await?;
                headers.insert(COOKIE, ticket.cookie);
                if writes {
                    headers.insert(HeaderName::from_static("csrfpreventiontoken"), ticket.csrf);
                }
                Ok(Credentials {
                    headers,
                    login: Some(ticket.number),
                })
            }
        }
    }
}

impl TicketSession {
    async fn ticket(&self, transport: &Transport, spoiled: Option<u64>) -> Result<Ticket> {
        let mut state = self.state.lock().await;
        if let Some((when, error)) = &state.refused
            && when.elapsed() < REFUSAL_STANDS
        {
            return Err(error.clone());
        }
        let good = state
            .ticket
            .clone()
            .filter(|ticket| Some(ticket.number) != spoiled && ticket.issued.elapsed() < LIFETIME);
        if let Some(ticket) = &good
            && ticket.issued.elapsed() < RENEW_AFTER
        {
            return Ok(ticket.clone());
        }
        state.logins += 1;
        let number = state.logins;
        // A valid ticket stands for the password; where it is not taken any more, the password is asked.
        let renewed = match &good {
            Some(old) => self.log_in(transport, &old.text, number).await,
            None => self.log_in(transport, &self.password, number).await,
        };
        let outcome = match (renewed, good) {
            (Err(Error::Unauthenticated { .. }), Some(_)) => {
                self.log_in(transport, &self.password, number).await
            }
            // The host is away: the old ticket is still good for an hour.
            (Err(error), Some(old)) if error.is_transient() => return Ok(old),
            (outcome, _) => outcome,
        };
        match &outcome {
            Ok(ticket) => (state.ticket, state.refused) = (Some(ticket.clone()), None),
            Err(error @ Error::Unauthenticated { .. }) => {
                (state.ticket, state.refused) = (None, Some((Instant::now(), error.clone())));
            }
            Err(_) => state.ticket = None,
        }
        outcome
    }

    async fn log_in(
        &self,
        transport: &Transport,
        password: &SecretString,
        number: u64,
    ) -> Result<Ticket> {
        let request = create_ticket(&self.user, password);
        // The time before the request: a ticket is never younger than this.
        let issued = Instant::now();
        let reply = transport
            .exchange(&request, None)
            .await?
            .into_reply(&request)?;
        let fields = reply.fields()?;
        let second_factor = fields.flag("NeedTFA")?;
        let text = SecretString::from(
            fields
                .text("ticket")?
                .ok_or_else(|| reply.malformed("no ticket"))?,
        );
        if second_factor || text.expose_secret().starts_with("PVE:!tfa!") {
            let message = format!(
                "{} needs a second factor, which nobody here can type: use an API token, or a user without one",
                self.user
            );
            return Err(Error::Unauthenticated { message });
        }
        let csrf = fields
            .text("CSRFPreventionToken")?
            .ok_or_else(|| reply.malformed("no CSRFPreventionToken"))?;
        tracing::debug!(user = %self.user, "logged in to Proxmox");
        Ok(Ticket {
            number,
            issued,
            cookie: secret_header(&format!(
                "PVEAuthCookie={}",
                percent::encode(text.expose_secret())
            ))?,
            csrf: secret_header(&csrf)?,
            text,
        })
    }
}

/// The login itself. Its parameters never reach a log: a request shows its path alone.
pub(crate) fn create_ticket(user: &str, password: &SecretString) -> Request {
    Request::new(Endpoint::CreateTicket)
        .with("username", user)
        .with("password", password.expose_secret())
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::parameter("credentials", "contain what no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, secret: &str) -> Result<String> {
        match Session::new(Auth::Token {
            id: id.to_owned(),
            secret: secret.into(),
        })? {
            Session::Token(value) => Ok(value.to_str().unwrap().to_owned()),
            Session::Ticket(_) => panic!("a ticket session"),
        }
    }

    #[test]
    fn a_token_is_sent_as_proxmox_wants_it() {
        assert_eq!(
            token("root@pam!apps", "0b1c-2d").unwrap(),
            "PVEAPIToken=root@pam!apps=0b1c-2d"
        );
        assert_eq!(
            token("a@pve!t", "x;y\r\nz").unwrap(),
            "PVEAPIToken=a@pve!t=x%3By%0D%0Az"
        );
    }

    #[test]
    fn names_without_realm_or_token_are_refused_at_once() {
        assert!(
            token("root@pam", "s").is_err()
                && token("root!t", "s").is_err()
                && token("root@pam!", "s").is_err()
        );
        for user in ["root", "@pam", "root@", "root@pam!t"] {
            assert!(
                Session::new(Auth::Password {
                    user: user.to_owned(),
                    password: "s".into()
                })
                .is_err(),
                "{user}"
            );
        }
    }
}
