//! `proximity login`: a password once, a token from then on.

use std::io::{BufRead as _, BufReader, Read as _};

use api::{CreateToken, CreatedToken, Login, Scope, Session};
use reqwest::{Method, header};

use crate::{
    Console, Environment,
    client::{Client, segment},
    config::{Access, Config, trimmed},
    error::Error,
    text::clean,
};

/// Longest password that is read.
const LONGEST: u64 = 4096;

/// What may be typed.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address of the service [default: `$PROXIMITY_URL`, then where you logged in last, then this machine]
    #[arg(long)]
    url: Option<String>,
    /// User name; asked for when not given
    #[arg(long)]
    username: Option<String>,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
    /// What the other commands may do from then on: read (look), write (change apps, too) or admin (everything: park,
    /// adopt, the audit log)
    #[arg(long, default_value_t = Scope::Admin)]
    scope: Scope,
}

/// Logs in, makes a token, keeps it, and ends the session.
pub(crate) async fn run(
    arguments: Arguments,
    environment: &Environment,
    console: &mut Console,
) -> Result<(), Error> {
    let url = match &arguments.url {
        Some(url) => trimmed(url).to_owned(),
        None => Access::usual_url(environment),
    };
    let mut client = Client::open(url.clone())?;
    let scope = arguments.scope;
    let login = ask(arguments, console)?;
    enter(&mut client, &login).await?;
    let made = token(&client, environment, scope).await;
    if made.is_ok() {
        forget(&client, environment, &url).await;
    }
    // Whatever became of the token: a session that nobody uses any more is ended.
    let ended = client
        .send(client.request(Method::DELETE, "/sessions/current"))
        .await;
    let made = made?;

    let config = Config {
        url: url.clone(),
        username: login.username.clone(),
        token_id: made.details.id.to_string(),
        token: made.token,
    };
    let path = config.write(environment)?;
    if let Err(error) = ended {
        console.note(&format!(
            "note: the session could not be ended: {}",
            clean(&error.to_string())
        ))?;
    }
    console.say(&format!(
        "Logged in at {} as {}.",
        clean(&url),
        clean(&login.username)
    ))?;
    console.note(&format!(
        "The token is kept in {}.",
        clean(&path.display().to_string())
    ))?;
    if environment.token.is_some() {
        console.note("note: PROXIMITY_TOKEN is set and goes before it")?;
    }
    Ok(())
}

/// The user name and the password, as given or as asked for.
fn ask(arguments: Arguments, console: &mut Console) -> Result<Login, Error> {
    let username = match arguments.username {
        Some(username) => username,
        None if arguments.password_stdin || !console.is_interactive => {
            return Err(Error::Usage("say who logs in with --username".to_owned()));
        }
        None => {
            console.note("User name:")?;
            line(console)?
        }
    };
    let password = if arguments.password_stdin {
        line(console)?
    } else if console.is_interactive {
        rpassword::prompt_password(format!("Password of {}: ", clean(&username)))?
    } else {
        return Err(Error::Usage(
            "there is no terminal to ask for the password; pipe it in and say --password-stdin"
                .to_owned(),
        ));
    };
    if password.is_empty() {
        return Err(Error::Usage("the password is empty".to_owned()));
    }
    Ok(Login { username, password })
}

/// The first line of standard input.
fn line(console: &mut Console) -> Result<String, Error> {
    let mut line = String::new();
    // One byte at a time: what follows the line is for whoever reads next.
    let mut input = BufReader::with_capacity(1, (&mut console.input).take(LONGEST));
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Begins a session that the client then carries.
async fn enter(client: &mut Client, login: &Login) -> Result<(), Error> {
    let request = client.request(Method::POST, "/sessions").json(login);
    let response = client.send(request).await.map_err(|error| match error {
        Error::Refused(problem) if problem.status == 401 => Error::WrongPassword {
            url: client.url().to_owned(),
        },
        error => error,
    })?;
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    let cookies: Vec<_> = cookies
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .map(str::trim)
        .map(ToOwned::to_owned)
        .collect();
    let session: Session = match response.json().await {
        Ok(session) => session,
        Err(error) => return Err(client.strange(format!("cannot read its answer: {error}"))),
    };
    client.authorize(header::COOKIE, &cookies.join("; "))?;
    client.authorize(
        header::HeaderName::from_static("x-csrf-token"),
        &session.csrf_token,
    )
}

async fn token(
    client: &Client,
    environment: &Environment,
    scope: Scope,
) -> Result<CreatedToken, Error> {
    let wish = CreateToken {
        name: format!("cli@{}", environment.hostname),
        scopes: vec![scope],
        expires_at: None,
    };
    client.ask(Method::POST, "/tokens", Some(&wish)).await
}

/// Revokes the token that was kept before. It may be another user's, or gone: then nothing is lost.
async fn forget(client: &Client, environment: &Environment, url: &str) {
    let kept = Config::read(environment).ok().flatten();
    let Some(kept) = kept.filter(|kept| trimmed(&kept.url) == url) else {
        return;
    };
    if let Ok(id) = segment(&kept.token_id) {
        let _ = client
            .send(client.request(Method::DELETE, &format!("/tokens/{id}")))
            .await;
    }
}
