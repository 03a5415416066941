//! A PostgreSQL server of a test's own: Debian's binaries, a folder in the temporary directory, a socket in that
//! folder, no port. The store's conformance suite uses it, too.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The account that Debian's package makes; the server refuses to run as root.
const ACCOUNT: &str = "postgres";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server. Dropped, it is stopped and its folder removed; should this process die without a word, the
/// kernel tells the server.
pub(crate) struct Postgres {
    binaries: PathBuf,
    folder: TempDir,
    child: Option<Child>,
}

impl Postgres {
    /// Whether Debian's package is installed; says so where it is not. In CI it must be.
    #[expect(clippy::print_stdout, reason = "a test says what it skips")]
    pub(crate) fn is_installed() -> bool {
        if newest_binaries().is_some() {
            return true;
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "PostgreSQL must be tested in CI: it needs Debian's package"
        );
        println!("skipped on PostgreSQL: it is not installed");
        false
    }

    /// Starts a server.
    pub(crate) async fn start() -> Self {
        let binaries = newest_binaries().expect("it is installed");
        let folder = tempfile::Builder::new()
            .prefix("proximity-postgres-")
            .tempdir()
            .expect("a folder");
        let mut server = Self {
            binaries,
            folder,
            child: None,
        };
        if is_root() {
            run(Command::new("chown").arg(ACCOUNT).arg(server.folder.path()));
        }
        run(server
            .command("initdb")
            .args([
                "-A",
                "trust",
                "-N",
                "--no-locale",
                "-E",
                "UTF8",
                "-U",
                ACCOUNT,
            ])
            .arg("-D")
            .arg(server.folder.path().join("data")));
        server.launch();
        server.answers().await;
        server
    }

    fn launch(&mut self) {
        let log = File::create(self.folder.path().join("log")).expect("a log");
        let socket = self.folder.path().display();
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-c", "listen_addresses="])
            .args(["-c", &format!("unix_socket_directories={socket}")])
            .args(["-c", "max_connections=300"])
            // It need not survive a power cut, and waiting for the disk is most of what tests would do.
            .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("the server starts"));
    }

    /// Waits until it takes connections.
    async fn answers(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self
                .command("pg_isready")
                .arg("-q")
                .arg("-h")
                .arg(self.folder.path())
                .status();
            if asked.expect("it can be asked").success() {
                return;
            }
            let ended = self.child.as_mut().expect("launched").try_wait();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                matches!(ended, Ok(None)) && Instant::now() < deadline,
                "PostgreSQL does not start:\n{log}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where its socket is. The database `postgres` and the user of that name need no password.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One of its programs, as the account that it must be, from a folder that every account may enter.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if is_root() {
            command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups"]);
        }
        command
            .args(["--pdeathsig", "QUIT", "--"])
            .arg(self.binaries.join(program))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // Immediately: nobody wants its data.
        let _ = Command::new("kill")
            .args(["-QUIT", &child.id().to_string()])
            .status();
        let _ = child.wait();
    }
}

fn newest_binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.retain(|folder| folder.join("initdb").is_file());
    folders.sort();
    folders.pop()
}

fn is_root() -> bool {
    fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

fn run(command: &mut Command) {
    let status = command.status().expect("it can be run");
    assert!(status.success(), "{command:?}: {status}");
}
