//! The credentials that `login` keeps: `config.toml` in the user's configuration, for its owner alone.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Environment, error::Error};

/// Where a service is looked for when nobody says where it is.
const USUAL: &str = "http://127.0.0.1:8765";

/// What `login` keeps. Not `Debug`: it holds a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// Address of the service.
    pub(crate) url: String,
    /// Whose token it is.
    pub(crate) username: String,
    /// Identifier of the token, by which it is revoked.
    pub(crate) token_id: String,
    /// The token.
    pub(crate) token: String,
}

impl Config {
    /// What was kept, if anything was.
    pub(crate) fn read(environment: &Environment) -> Result<Option<Self>, Error> {
        let Some(path) = path(environment) else {
            return Ok(None);
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file(&path, source)),
        };
        // What the parser says quotes the line, which may be that of the token.
        let parsed = toml::from_str(&text).map_err(|_| {
            let cause = io::Error::other(
                "is not what `proximity login` writes; log in again after removing it",
            );
            file(&path, cause)
        });
        parsed.map(Some)
    }

    /// Keeps it, in place of what was there.
    pub(crate) fn write(&self, environment: &Environment) -> Result<PathBuf, Error> {
        let path = path(environment).ok_or_else(|| {
            Error::Usage(
                "there is no place to keep a token: neither XDG_CONFIG_HOME nor HOME is set"
                    .to_owned(),
            )
        })?;
        self.write_to(&path).map_err(|source| file(&path, source))?;
        Ok(path)
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        // A new file, moved into place: an old one may be readable by others, or be half written by a crash.
        let fresh = path.with_extension(format!("toml.{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    }
}

/// Where the service is, and what opens it.
pub(crate) struct Access {
    /// Address of the service, without a slash at its end.
    pub(crate) url: String,
    /// The token, where there is one.
    pub(crate) token: Option<String>,
}

impl Access {
    /// The environment first, then what `login` kept. A kept token goes only to the address it was made at.
    pub(crate) fn find(environment: &Environment) -> Result<Self, Error> {
        let token_given = environment.token.is_some();
        // With both given, a broken file is nobody's concern.
        let kept = if token_given && environment.url.is_some() {
            None
        } else {
            Config::read(environment)?
        };
        let url = address(environment.url.as_deref(), kept.as_ref());
        let token = environment.token.clone().or_else(|| {
            let kept = kept?;
            (trimmed(&kept.url) == url).then_some(kept.token)
        });
        Ok(Self { url, token })
    }

    /// The address that `login` takes when none is typed.
    pub(crate) fn usual_url(environment: &Environment) -> String {
        let kept = Config::read(environment).ok().flatten();
        address(environment.url.as_deref(), kept.as_ref())
    }
}

fn address(given: Option<&str>, kept: Option<&Config>) -> String {
    trimmed(
        given
            .or(kept.map(|kept| kept.url.as_str()))
            .unwrap_or(USUAL),
    )
    .to_owned()
}

/// The address without slashes at its end.
pub(crate) fn trimmed(url: &str) -> &str {
    url.trim().trim_end_matches('/')
}

fn path(environment: &Environment) -> Option<PathBuf> {
    environment
        .folder
        .as_ref()
        .map(|folder| folder.join("config.toml"))
}

fn file(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn environment(folder: &Path) -> Environment {
        Environment {
            url: None,
            token: None,
            folder: Some(folder.join("proximity")),
            hostname: "desk".to_owned(),
        }
    }

    fn config() -> Config {
        Config {
            url: "http://pve.lan:8765".to_owned(),
            username: "admin".to_owned(),
            token_id: "tok_1".to_owned(),
            token: "prx_secret".to_owned(),
        }
    }

    #[test]
    fn a_kept_token_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let path = config().write(&environment).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        config().write(&environment).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(Config::read(&environment).unwrap() == Some(config()));
    }

    #[test]
    fn a_kept_token_goes_only_where_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = environment(folder.path());
        config().write(&environment).unwrap();
        let access = Access::find(&environment).unwrap();
        assert_eq!(access.url, "http://pve.lan:8765");
        assert_eq!(access.token.as_deref(), Some("prx_secret"));
        environment.url = Some("http://elsewhere:8765/".to_owned());
        assert_eq!(Access::find(&environment).unwrap().token, None);
        environment.url = Some("http://pve.lan:8765/".to_owned());
        assert!(Access::find(&environment).unwrap().token.is_some());
        environment.token = Some("prx_other".to_owned());
        assert_eq!(
            Access::find(&environment).unwrap().token.as_deref(),
            Some("prx_other")
        );
    }

    #[test]
    fn a_broken_file_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let path = config().write(&environment).unwrap();
        fs::write(&path, "token = prx_secret\n").unwrap();
        let said = Access::find(&environment).err().unwrap().to_string();
        assert!(
            said.contains("config.toml") && !said.contains("prx_secret"),
            "{said}"
        );
    }
}
