//! Proving who we are to a server that has proven itself.
//!
//! Runs on a blocking thread: opening a locked key costs a tenth of a second of arithmetic and more.

use secrecy::{ExposeSecret, SecretString};
use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, Session};

use crate::Error;
use crate::settings::Auth;

/// What is shown to the server, read from wherever it is kept.
pub(crate) enum Credentials {
    Password(SecretString),
    Key {
        pem: SecretString,
        passphrase: Option<SecretString>,
    },
}

/// Why a server was not convinced.
pub(crate) enum Refusal {
    /// It said no.
    Denied(String),
    /// The key could not even be shown.
    BadKey(String),
    /// The connection did not live long enough.
    Lost(String),
}

// libssh2's numbers, from libssh2.h; ssh2 names them only in its raw bindings.
const FILE: ErrorCode = ErrorCode::Session(-16);
const AUTHENTICATION_FAILED: ErrorCode = ErrorCode::Session(-18);
const PUBLICKEY_UNVERIFIED: ErrorCode = ErrorCode::Session(-19);
const KEYFILE_AUTH_FAILED: ErrorCode = ErrorCode::Session(-48);
const METHOD_NOT_SUPPORTED: ErrorCode = ErrorCode::Session(-33);

impl Credentials {
    /// Reads what the settings name.
    pub(crate) async fn load(auth: &Auth) -> Result<Self, Error> {
        Ok(match auth {
            Auth::Password(password) => Self::Password(password.clone()),
            Auth::Key { pem, passphrase } => Self::Key {
                pem: pem.clone(),
                passphrase: passphrase.clone(),
            },
            Auth::KeyFile { path, passphrase } => {
                let pem = tokio::fs::read_to_string(path)
                    .await
                    .map_err(|error| Error::BadKey {
                        reason: format!("{}: {error}", path.display()),
                    })?;
                Self::Key {
                    pem: pem.into(),
                    passphrase: passphrase.clone(),
                }
            }
        })
    }

    /// Logs in, in libssh2's blocking mode.
    pub(crate) fn present(&self, session: &Session, user: &str) -> Result<(), Refusal> {
        let accepted = accepted(session, user)?;
        if session.authenticated() {
            return Ok(());
        }
        match self {
            Self::Password(password) => {
                present_password(session, user, password.expose_secret(), &accepted)
            }
            Self::Key { pem, passphrase } => {
                if !accepted.iter().any(|method| method == "publickey") {
                    return Err(refused("a key", &accepted));
                }
                let passphrase = passphrase.as_ref().map(ExposeSecret::expose_secret);
                session
                    .userauth_pubkey_memory(user, None, pem.expose_secret(), passphrase)
                    .map_err(|error| of_key(&error, &accepted))
            }
        }
    }
}

/// The methods that the server would take from this user.
fn accepted(session: &Session, user: &str) -> Result<Vec<String>, Refusal> {
    match session.auth_methods(user) {
        Ok(methods) => Ok(methods.split(',').map(String::from).collect()),
        // a server that lets anybody in has no list
        Err(_) if session.authenticated() => Ok(Vec::new()),
        Err(error) => Err(Refusal::Lost(error.message().to_owned())),
    }
}

fn present_password(
    session: &Session,
    user: &str,
    password: &str,
    accepted: &[String],
) -> Result<(), Refusal> {
    let takes = |method: &str| accepted.iter().any(|one| one == method);
    if takes("password") {
        match session.userauth_password(user, password) {
            Ok(()) => return Ok(()),
            Err(error) if error.code() != AUTHENTICATION_FAILED => {
                return Err(of_password(&error, accepted));
            }
            Err(_) => {}
        }
    }
    // Where PAM asks, the server calls it keyboard-interactive, and may have `password` switched off.
    if takes("keyboard-interactive") {
        return session
            .userauth_keyboard_interactive(user, &mut Answer(password))
            .map_err(|error| of_password(&error, accepted));
    }
    Err(refused("the password", accepted))
}

/// Answers every question that hides what is typed with the password.
struct Answer<'a>(&'a str);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt(&mut self, _: &str, _: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        prompts
            .iter()
            .map(|prompt| {
                if prompt.echo {
                    String::new()
                } else {
                    self.0.to_owned()
                }
            })
            .collect()
    }
}

fn refused(what: &str, accepted: &[String]) -> Refusal {
    Refusal::Denied(format!(
        "{what} was not accepted; the server takes: {}",
        accepted.join(", ")
    ))
}

fn of_password(error: &ssh2::Error, accepted: &[String]) -> Refusal {
    match error.code() {
        AUTHENTICATION_FAILED | METHOD_NOT_SUPPORTED => refused("the password", accepted),
        // -7: the password has expired and would have to be changed by hand
        ErrorCode::Session(-7) => Refusal::Denied("the password has expired".to_owned()),
        _ => Refusal::Lost(error.message().to_owned()),
    }
}

fn of_key(error: &ssh2::Error, accepted: &[String]) -> Refusal {
    match error.code() {
        AUTHENTICATION_FAILED | PUBLICKEY_UNVERIFIED => refused("the key", accepted),
        FILE | KEYFILE_AUTH_FAILED | METHOD_NOT_SUPPORTED => Refusal::BadKey(format!(
            "{}; its format is unknown, or its passphrase is missing or wrong",
            error.message().trim_end_matches('.')
        )),
        _ => Refusal::Lost(error.message().to_owned()),
    }
}
