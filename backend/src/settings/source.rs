//! Where a setting's value comes from: the environment, else a file that the environment names (for secrets),
//! else the TOML file, else the default.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use api::SettingOrigin;
use secrecy::SecretString;

use super::{
    table::{SETTINGS, Setting},
    value,
};

/// A setting that cannot be used, in a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub(crate) struct WrongSetting {
    name: String,
    problem: String,
}

impl WrongSetting {
    fn new(name: &str, problem: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }

    /// Name of the setting.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }

    /// It is not set, and `why` it must be.
    pub(super) fn missing(name: &str, why: &str) -> Self {
        Self::new(name, format!("is not set ({why})"))
    }
}

/// The values that were given, by name.
#[derive(Clone)]
pub(crate) struct Source {
    values: BTreeMap<String, String>,
    /// Where each of them comes from.
    origins: BTreeMap<String, SettingOrigin>,
}

impl Source {
    /// Takes the settings among `environment`, and the TOML file that it or `file` names.
    pub(crate) fn new(
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, WrongSetting> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        let named = environment
            .get("PROXIMITY_CONFIG")
            .filter(|path| !path.is_empty())
            .map(Path::new);
        let mut values = match file.or(named) {
            Some(path) => from_toml(path)?,
            None => BTreeMap::new(),
        };
        let mut origins: BTreeMap<String, SettingOrigin> = values
            .keys()
            .map(|name| (name.clone(), SettingOrigin::File))
            .collect();
        for setting in SETTINGS {
            let by_file = format!("{}_FILE", setting.name);
            match (environment.get(setting.name), environment.get(&by_file)) {
                (Some(value), _) if !value.is_empty() => {
                    values.insert(setting.name.to_owned(), value.clone());
                }
                (_, Some(path)) if setting.secret && !path.is_empty() => {
                    let text = fs::read_to_string(path).map_err(|error| {
                        WrongSetting::new(
                            &by_file,
                            format!("names {path}, which cannot be read: {error}"),
                        )
                    })?;
                    values.insert(
                        setting.name.to_owned(),
                        text.trim_end_matches(['\r', '\n']).to_owned(),
                    );
                }
                _ => continue,
            }
            origins.insert(setting.name.to_owned(), SettingOrigin::Environment);
        }
        Ok(Self { values, origins })
    }

    /// The same with what was saved for the settings that were not given.
    pub(crate) fn with_saved(&self, saved: &BTreeMap<String, String>) -> Self {
        let mut values = saved.clone();
        values.retain(|name, _| SETTINGS.iter().any(|setting| setting.name == name));
        let mut origins: BTreeMap<String, SettingOrigin> = values
            .keys()
            .map(|name| (name.clone(), SettingOrigin::Setup))
            .collect();
        values.extend(self.values.clone());
        origins.extend(self.origins.clone());
        Self { values, origins }
    }

    /// Every setting with its origin, for people: a secret's value is left out.
    pub(crate) fn told(&self) -> Vec<api::Setting> {
        let told = |setting: &Setting| api::Setting {
            name: setting.name.to_owned(),
            meaning: setting.meaning.to_owned(),
            origin: self
                .origins
                .get(setting.name)
                .copied()
                .unwrap_or(SettingOrigin::Default),
            value: self.text(setting.name).filter(|_| !setting.secret),
            secret: setting.secret,
        };
        SETTINGS.iter().map(told).collect()
    }

    /// Whether a setting was given.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.values
            .get(name)
            .is_some_and(|value| !value.trim().is_empty())
    }

    /// Names of the settings that were given and begin like this.
    pub(crate) fn names(&self, beginning: &str) -> BTreeSet<String> {
        let names = self.values.keys();
        names
            .filter(|name| name.starts_with(beginning))
            .cloned()
            .collect()
    }

    /// Those of these settings that were given, for another source.
    pub(crate) fn given(
        &self,
        names: &'static [&'static str],
    ) -> impl Iterator<Item = (String, String)> {
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.values.get(*name)?.clone())))
    }

    /// The value, the default, or none.
    pub(crate) fn text(&self, name: &'static str) -> Option<String> {
        let value = self
            .values
            .get(name)
            .map(String::as_str)
            .or(setting(name).default);
        value
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    /// The value or the default; an error where there is neither.
    pub(crate) fn required(&self, name: &'static str) -> Result<String, WrongSetting> {
        self.text(name).ok_or_else(|| {
            WrongSetting::new(name, format!("is not set. {}", setting(name).meaning))
        })
    }

    /// A secret exactly as it was given: blanks around it may belong to it.
    pub(crate) fn secret(&self, name: &'static str) -> Option<SecretString> {
        debug_assert!(setting(name).secret, "{name} is read as a secret");
        let value = self
            .values
            .get(name)
            .map(|value| SecretString::from(value.clone()));
        value.filter(|secret| !super::is_empty(secret))
    }

    /// A value that must have a form, told in words.
    pub(crate) fn parse<T: std::str::FromStr>(
        &self,
        name: &'static str,
        form: &str,
    ) -> Result<T, WrongSetting> {
        self.required(name)?
            .parse()
            .map_err(|_| self.wrong(name, form))
    }

    /// A length of time.
    pub(crate) fn duration(&self, name: &'static str) -> Result<Duration, WrongSetting> {
        value::duration(&self.required(name)?)
            .ok_or_else(|| self.wrong(name, "a length of time up to a day, e.g. 180s, 3m or 500ms"))
    }

    /// `a=b,c=d`; a value may itself hold `=`.
    pub(crate) fn pairs(&self, name: &'static str) -> Result<Vec<(String, String)>, WrongSetting> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=')?;
                Some((key.trim().to_owned(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(name, "name=value pairs, separated by commas"))
    }

    /// The error for a value that has not the form it must have. A secret is not repeated.
    pub(crate) fn wrong(&self, name: &'static str, form: &str) -> WrongSetting {
        let given = self
            .values
            .get(name)
            .map(String::as_str)
            .or(setting(name).default)
            .unwrap_or_default();
        let given = if setting(name).secret {
            "…".to_owned()
        } else {
            given.chars().take(120).collect()
        };
        WrongSetting::new(name, format!("must be {form}; it is `{given}`"))
    }
}

fn setting(name: &'static str) -> &'static Setting {
    SETTINGS
        .iter()
        .find(|setting| setting.name == name)
        .expect("every setting that is read is in the table")
}

/// The file's keys are the settings' names, in lower or upper case.
fn from_toml(path: &Path) -> Result<BTreeMap<String, String>, WrongSetting> {
    let failed = |problem: String| {
        WrongSetting::new(
            "PROXIMITY_CONFIG",
            format!("names {}, which {problem}", path.display()),
        )
    };
    let text =
        fs::read_to_string(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    // The parser's own message would quote the line, and with it perhaps a secret.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            text[..span.start.min(text.len())].lines().count().max(1)
        });
        failed(format!("is not TOML: {} (line {line})", error.message()))
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let name = key.to_ascii_uppercase();
        if !SETTINGS.iter().any(|setting| setting.name == name) {
            return Err(failed(format!("holds `{key}`, which is no setting")));
        }
        let text = plain(&value).ok_or_else(|| {
            failed(format!(
                "gives `{key}` a value that is no text, number or list of texts"
            ))
        })?;
        values.insert(name, text);
    }
    Ok(values)
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str())
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(",")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let (_folder, path) = file("proxmox_port = 8007\nproxmox_host = [\"a\", \"b\"]\n");
        let source = Source::new(
            [("PROXMOX_PORT".to_owned(), "8008".to_owned())],
            Some(&path),
        )
        .unwrap();
        assert_eq!(source.required("PROXMOX_PORT").unwrap(), "8008");
        assert_eq!(source.required("PROXMOX_HOST").unwrap(), "a,b");
        assert_eq!(source.required("PROXMOX_BRIDGE").unwrap(), "vmbr0");
    }

    #[test]
    fn what_was_saved_comes_after_what_was_given() {
        let given = [("PROXMOX_PORT".to_owned(), "8008".to_owned())];
        let source = Source::new(given, None).unwrap();
        let saved = [
            ("PROXMOX_PORT", "1"),
            ("PROXMOX_HOST", "a"),
            ("PROXMOX_OLD", "x"),
        ];
        let saved = saved.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let source = source.with_saved(&BTreeMap::from(saved));
        assert_eq!(source.required("PROXMOX_PORT").unwrap(), "8008");
        assert_eq!(source.required("PROXMOX_HOST").unwrap(), "a");
        let origin = |name: &str| {
            let told = source.told();
            told.into_iter()
                .find(|setting| setting.name == name)
                .map(|setting| setting.origin)
        };
        assert_eq!(origin("PROXMOX_PORT"), Some(SettingOrigin::Environment));
        assert_eq!(origin("PROXMOX_HOST"), Some(SettingOrigin::Setup));
        assert_eq!(origin("PROXMOX_USER"), Some(SettingOrigin::Default));
        assert!(
            !source.names("PROXMOX_").contains("PROXMOX_OLD"),
            "a setting of another version"
        );
    }

    #[test]
    fn a_secret_can_come_from_a_file_of_its_own() {
        use secrecy::ExposeSecret as _;
        let (_folder, path) = file(" spaces belong to it \n");
        let environment = [(
            "PROXMOX_PASSWORD_FILE".to_owned(),
            path.display().to_string(),
        )];
        let source = Source::new(environment, None).unwrap();
        assert!(!format!("{:?}", source.told()).contains("spaces belong"));
        let secret = source.secret("PROXMOX_PASSWORD").unwrap();
        assert_eq!(secret.expose_secret(), " spaces belong to it ");
    }

    #[test]
    fn a_file_with_an_unknown_key_or_a_fault_is_refused_without_quoting_it() {
        for (text, words) in [
            (
                "proxmox_hots = \"a\"\n",
                "holds `proxmox_hots`, which is no setting",
            ),
            ("\nproxmox_password = \"hunter22\n", "(line 2)"),
            ("proxmox_host = { a = 1 }\n", "no text, number or list"),
        ] {
            let (_folder, path) = file(text);
            let error = Source::new([], Some(&path)).err().unwrap().to_string();
            assert!(
                error.starts_with("PROXIMITY_CONFIG names ") && error.contains(words),
                "{error}"
            );
            assert!(!error.contains("hunter22"));
        }
    }
}
