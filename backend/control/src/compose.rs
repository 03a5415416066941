//! The compose project inside an app's container: its commands, and how their answers are read.
//!
//! Only argument lists are made here, never shell text; `ssh` carries them unchanged.

use std::collections::BTreeMap;

use api::ImageProgress;
use serde::Deserialize;

/// The compose project of one app.
#[derive(Clone, Debug)]
pub struct Compose {
    folder: String,
    project: String,
}

impl Compose {
    /// The project of the app whose host name this is.
    pub fn of(hostname: &str) -> Self {
        Self {
            folder: format!("/opt/proximity/{hostname}"),
            project: hostname.to_owned(),
        }
    }

    /// Where its files are.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// `docker compose …` for this project. Every file is named, so that neither the working directory nor a
    /// second compose file in the folder can change what is meant.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut argv: Vec<String> = ["docker", "compose", "--progress", "plain"]
            .map(str::to_owned)
            .into();
        for (flag, value) in [
            ("--project-name", self.project.clone()),
            ("--project-directory", self.folder.clone()),
            ("--env-file", format!("{}/.env", self.folder)),
            ("--file", format!("{}/compose.yaml", self.folder)),
            ("--file", format!("{}/compose.override.yaml", self.folder)),
        ] {
            argv.push(flag.to_owned());
            argv.push(value);
        }
        argv.extend(arguments.into_iter().map(str::to_owned));
        argv
    }
}

/// One container of the project, a row of `docker compose ps --all --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceState {
    /// Service name.
    pub service: String,
    /// `running`, `exited`, `restarting`, `created`, `paused`, `dead`.
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`, or empty without a health check.
    #[serde(default)]
    pub health: String,
    /// Exit code of a container that is not running.
    #[serde(default)]
    pub exit_code: i64,
}

impl ServiceState {
    /// Running and, where it can tell, healthy; a container that ended with 0 has done its work
    /// (an initialisation service).
    pub(crate) fn is_well(&self) -> bool {
        match self.state.as_str() {
            "running" => matches!(self.health.as_str(), "" | "healthy"),
            "exited" => self.exit_code == 0,
            _ => false,
        }
    }

    /// The state in words: `web is restarting (exit code 1)`.
    pub(crate) fn describe(&self) -> String {
        let health = if self.health.is_empty() {
            String::new()
        } else {
            format!(", {}", self.health)
        };
        let code = if self.state == "running" || self.exit_code == 0 {
            String::new()
        } else {
            format!(" (exit code {})", self.exit_code)
        };
        format!("{} is {}{health}{code}", self.service, self.state)
    }
}

/// Reads `docker compose ps --format json`: an object a line since compose 2.21, one array before.
pub(crate) fn parse_ps(output: &str) -> Result<Vec<ServiceState>, serde_json::Error> {
    let output = output.trim();
    if output.starts_with('[') {
        return serde_json::from_str(output);
    }
    output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect()
}

/// Follows the pull of one image through compose's plain progress lines.
#[derive(Debug)]
pub(crate) struct PullProgress {
    progress: ImageProgress,
    /// Layers by id; whether each is in place.
    layers: BTreeMap<String, bool>,
}

impl PullProgress {
    /// Nothing is seen yet.
    pub(crate) fn new(image: &str) -> Self {
        Self {
            progress: ImageProgress {
                image: image.to_owned(),
                layers_done: 0,
                layers_total: 0,
                complete: false,
            },
            layers: BTreeMap::new(),
        }
    }

    /// Reads ` 1f7ce2fa46ab Pull complete` and its like; answers when something worth telling changed.
    pub(crate) fn line(&mut self, line: &str) -> Option<ImageProgress> {
        let (id, status) = line.trim().split_once(' ')?;
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let done = matches!(status.trim(), "Pull complete" | "Already exists");
        let known = self.layers.insert(id.to_owned(), done);
        if known == Some(done) {
            return None;
        }
        self.count();
        Some(self.progress.clone())
    }

    /// The whole image is in place.
    pub(crate) fn complete(&mut self) -> ImageProgress {
        self.layers.values_mut().for_each(|done| *done = true);
        self.count();
        self.progress.complete = true;
        self.progress.clone()
    }

    fn count(&mut self) {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        self.progress.layers_total = number(self.layers.len());
        self.progress.layers_done = number(self.layers.values().filter(|done| **done).count());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_every_file() {
        let argv = Compose::of("memos").command(["up", "--detach"]);
        assert_eq!(
            argv.join(" "),
            "docker compose --progress plain --project-name memos --project-directory /opt/proximity/memos \
             --env-file /opt/proximity/memos/.env --file /opt/proximity/memos/compose.yaml \
             --file /opt/proximity/memos/compose.override.yaml up --detach"
        );
    }

    #[test]
    fn both_forms_of_ps_are_read() {
        let row =
            r#"{"Service":"web","State":"running","Health":"healthy","ExitCode":0,"Name":"x"}"#;
        for text in [
            row.to_owned(),
            format!("[{row}]"),
            format!("{row}\n{row}\n"),
        ] {
            let rows = parse_ps(&text).unwrap();
            assert!(rows.iter().all(ServiceState::is_well), "{text}");
        }
        assert_eq!(parse_ps("").unwrap(), []);
        assert!(parse_ps("no configuration file provided").is_err());
    }

    #[test]
    fn a_service_is_well_when_it_runs_or_has_done_its_work() {
        let state = |state: &str, health: &str, exit_code| ServiceState {
            service: "web".to_owned(),
            state: state.to_owned(),
            health: health.to_owned(),
            exit_code,
        };
        assert!(state("running", "", 0).is_well());
        assert!(state("exited", "", 0).is_well());
        assert!(!state("running", "starting", 0).is_well());
        let crashed = state("restarting", "", 1);
        assert!(!crashed.is_well());
        assert_eq!(crashed.describe(), "web is restarting (exit code 1)");
    }

    #[test]
    fn progress_counts_layers_and_speaks_only_of_changes() {
        let mut pull = PullProgress::new("demo/web:1");
        assert_eq!(pull.line(" web Pulling "), None);
        assert_eq!(
            pull.line(" 1f7ce2fa46ab Pulling fs layer ")
                .map(|now| now.layers_total),
            Some(1)
        );
        assert_eq!(
            pull.line(" 1f7ce2fa46ab Downloading [==>   ] 1.2MB/3MB"),
            None
        );
        assert_eq!(
            pull.line(" 1f7ce2fa46ab Pull complete ")
                .map(|now| now.layers_done),
            Some(1)
        );
        let end = pull.complete();
        assert!(end.complete);
    }
}
