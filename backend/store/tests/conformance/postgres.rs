//! A PostgreSQL server of our own: Debian's binaries, a folder in the temporary directory, a socket in that folder, no
//! port.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

/// The account that Debian's package makes; the server refuses to run as root.
const ACCOUNT: &str = "postgres";

/// A running server; dropped, it is stopped and its folder removed.
pub(crate) struct Server {
    binaries: PathBuf,
    folder: TempDir,
}

impl Server {
    /// Starts a server; `None` when PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let binaries = newest_binaries()?;
        let folder = tempfile::Builder::new()
            .prefix("store-postgres-")
            .tempdir()
            .unwrap();
        let server = Self { binaries, folder };
        if is_root() {
            run(Command::new("chown").arg(ACCOUNT).arg(server.folder.path()));
        }
        let data = server.data();
        run(server
            .command("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-N", "-U", ACCOUNT]));
        let socket = server.folder.path().display();
        // It need not survive a power cut, and waiting for the disk is most of what these cases would do.
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{socket}' -c max_connections=300 \
             -c fsync=off -c full_page_writes=off"
        );
        run(server
            .command("pg_ctl")
            .args(["start", "-w", "-t", "60", "-s", "-D"])
            .arg(&data)
            .arg("-l")
            .arg(server.folder.path().join("log"))
            .args(["-o", &options]));
        Some(server)
    }

    /// Makes a schema and answers the address under which it is all that there is. (A whole database for each case
    /// would be three hundred files each.)
    pub(crate) async fn schema(&self, name: &str) -> String {
        let socket = self.folder.path().display();
        let server = format!("postgres://{ACCOUNT}@localhost/postgres?host={socket}");
        let database = Database::connect(&server).await.unwrap();
        database
            .execute_unprepared(&format!("CREATE SCHEMA {name}"))
            .await
            .unwrap();
        database.close().await.unwrap();
        format!("{server}&options[search_path]={name}")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", ACCOUNT, "--"]).arg(program);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        run(self
            .command("pg_ctl")
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(self.data()));
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
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

fn run(command: &mut Command) {
    // From a folder that every account may enter; and no pipe that the server would keep open.
    let status = command
        .current_dir("/")
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
