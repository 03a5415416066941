//! The program as a process of its own.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};

use super::PATIENCE;

/// What the program says when it is ready.
const READY: &str = "Proximity listens on ";

/// A running `proximity serve`.
pub(crate) struct Service {
    settings: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
    url: String,
    /// The code that lets somebody set it up; empty when it told none.
    setup_code: String,
}

impl Service {
    /// Starts it and waits until it says where it listens.
    pub(crate) async fn start(folder: &Path, settings: Vec<(String, String)>) -> Self {
        let mut service = Self {
            settings,
            log: folder.join("service.log"),
            child: None,
            url: String::new(),
            setup_code: String::new(),
        };
        service.launch().await;
        service
    }

    /// Starts it again on the same data, after it was stopped or killed.
    pub(crate) async fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .arg("serve")
            .env_clear()
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("piped");
        self.child = Some(child);
        let lines = tokio::task::spawn_blocking(move || {
            let mut said = Vec::new();
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let is_ready = line.starts_with(READY);
                said.push(line);
                if is_ready {
                    break;
                }
            }
            said
        });
        let lines = tokio::time::timeout(PATIENCE, lines)
            .await
            .expect("it starts in time")
            .expect("no panic");
        let url = lines.iter().find_map(|line| line.strip_prefix(READY));
        url.unwrap_or_else(|| panic!("it did not start:\n{}", self.log()))
            .clone_into(&mut self.url);
        let code = lines
            .iter()
            .find_map(|line| line.split_once("/setup?code="));
        code.and_then(|(_, rest)| rest.split_whitespace().next())
            .unwrap_or_default()
            .clone_into(&mut self.setup_code);
    }

    /// What it is started with.
    pub(crate) fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// The code that lets somebody set it up; empty when it told none.
    pub(crate) fn setup_code(&self) -> String {
        self.setup_code.clone()
    }

    /// Changes a setting from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Runs a command of the program with the settings of the service, to its end; answers its exit code and all
    /// that it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let said = [done.stdout, done.stderr].concat();
        (
            done.status.code().expect("it ends by itself"),
            String::from_utf8(said).expect("text"),
        )
    }

    /// Starts it where it must refuse to start, and answers why it did.
    pub(crate) fn refuses(&self) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_proximity"))
            .arg("serve")
            .env_clear()
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        assert!(!output.status.success(), "it ended with {}", output.status);
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it has logged since its first start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it without asking, as a crash would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Holds it still, as a machine does that swaps, migrates or sleeps: it neither lives nor dies.
    pub(crate) fn freeze(&self) {
        signal(self.child.as_ref().expect("it runs"), "-STOP");
    }

    /// Lets it go on as if no time had passed.
    pub(crate) fn thaw(&self) {
        signal(self.child.as_ref().expect("it runs"), "-CONT");
    }

    /// Asks it to stop, and does not wait for it.
    pub(crate) fn ask_to_stop(&self) {
        signal(self.child.as_ref().expect("it runs"), "-TERM");
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.ask_to_stop();
        let status = self.ended().await;
        assert!(status.success(), "it ended with {status}");
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match child.try_wait().expect("it can be waited for") {
                Some(status) => return status,
                None if Instant::now() > deadline => {
                    let _ = child.kill();
                    panic!("it did not stop in time");
                }
                None => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
