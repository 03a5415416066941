//! A real `sshd` on loopback, with keys, a folder and a `pct` of its own.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ssh::{Auth, Host, HostKey, Pool, Settings};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";
/// Root's password where [`Sshd::with_password`] says so.
pub(crate) const PASSWORD: &str = "correct horse é";
/// The same as `crypt` writes it.
const HASH: &str = "$6$proximity$9HQxsBXSnqPixpZbdfanEgBlpAo7sObe58dgHoxV8O/ra58Obe3YVixOsNHXIm0RLElPD2df2OxlEM1kOH5Mq0";

pub(crate) struct Sshd {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Sshd {
    /// A running server, or `None` and a line that says why not.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("PasswordAuthentication yes", &[])
    }

    /// A server that knows [`PASSWORD`] as root's, in a mount namespace with a password file of its own. `methods` are
    /// lines of its configuration.
    pub(crate) fn with_password(methods: &str) -> Option<Self> {
        let namespace = Command::new("unshare").args(["-m", "true"]).output();
        if user() != "root" || !namespace.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: a password of one's own needs root and mount namespaces");
            return None;
        }
        let script = "mount --bind \"$0\" /etc/shadow && exec \"$@\"";
        Self::start_with(methods, &["unshare", "-m", "sh", "-c", script])
    }

    fn start_with(methods: &str, wrapper: &[&str]) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            eprintln!("skipped: {SSHD} is not installed (apt-get install openssh-server)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for kind in ["ed25519", "rsa"] {
            keygen(&path.join(format!("host_{kind}")), kind, "");
        }
        keygen(&path.join("user"), "ed25519", "");
        fs::copy(path.join("user.pub"), path.join("authorized")).unwrap();
        tools(path);
        // sshd keeps its privileged half here; Debian's service makes the folder at boot
        let _ = fs::create_dir("/run/sshd");
        for _ in 0..5 {
            let port = free_port();
            let mut child = serve(path, port, methods, wrapper);
            if answers(port, &mut child) {
                return Some(Self {
                    folder,
                    port,
                    child,
                });
            }
        }
        panic!(
            "sshd does not start: {}",
            fs::read_to_string(path.join("log")).unwrap()
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path inside the folder, as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn host_key(&self, kind: &str) -> HostKey {
        let text = fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        text.parse().unwrap()
    }

    pub(crate) fn host(&self) -> Host {
        Host {
            node: "pve1".into(),
            address: "127.0.0.1".into(),
            port: self.port,
            key: self.host_key("ed25519"),
        }
    }

    pub(crate) fn key_file(&self) -> Auth {
        Auth::KeyFile {
            path: self.path("user"),
            passphrase: None,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(user(), self.key_file());
        settings.connect_timeout = Duration::from_secs(10);
        settings
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool::new(self.settings())
    }

    /// The processes that serve one connection each.
    pub(crate) fn sessions(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// Ends every connection from the server's side, as a crash would.
    pub(crate) fn kill_sessions(&self) {
        for session in self.sessions() {
            kill(session, "KILL");
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill_sessions();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn kill(pid: u32, signal: &str) {
    // It may have ended by itself meanwhile.
    let _ = Command::new("kill")
        .args(["-s", signal, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Whether a process is there and is not a zombie.
pub(crate) fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// Waits until something holds, at most ten seconds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn tools(path: &Path) {
    let bin = path.join("bin");
    fs::create_dir_all(bin.join("busybox")).unwrap();
    let pct = bin.join("pct");
    fs::write(&pct, include_str!("pct.sh")).unwrap();
    fs::set_permissions(&pct, Permissions::from_mode(0o755)).unwrap();
    for busybox in ["/bin/busybox", "/usr/bin/busybox"] {
        if Path::new(busybox).exists() {
            let list = Command::new(busybox).arg("--list").output().unwrap().stdout;
            for applet in String::from_utf8(list).unwrap().lines() {
                symlink(busybox, bin.join("busybox").join(applet)).unwrap();
            }
            return;
        }
    }
}

/// Whether there is a busybox for container 103.
pub(crate) fn busybox(sshd: &Sshd) -> bool {
    let there = sshd.path("bin/busybox/sh").exists();
    if !there {
        eprintln!("skipped for busybox: it is not installed (apt-get install busybox)");
    }
    there
}

fn serve(path: &Path, port: u16, methods: &str, wrapper: &[&str]) -> Child {
    let folder = path.display();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host_ed25519\nHostKey {folder}/host_rsa\n\
         AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPidFile none\nPermitRootLogin yes\n\
         {methods}\nMaxStartups 100\nLogLevel ERROR\n\
         SetEnv LC_ALL=C LEAK=1 PATH={folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    );
    fs::write(path.join("config"), config).unwrap();
    fs::write(
        path.join("shadow"),
        format!("root:{HASH}:19000:0:99999:7:::\n"),
    )
    .unwrap();
    let (config, log, shadow) = (path.join("config"), path.join("log"), path.join("shadow"));
    let mut words: Vec<&OsStr> = wrapper.iter().map(OsStr::new).collect();
    if !wrapper.is_empty() {
        words.push(shadow.as_os_str());
    }
    words.extend([SSHD, "-D", "-f"].map(OsStr::new));
    words.extend([config.as_os_str(), OsStr::new("-E"), log.as_os_str()]);
    Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn answers(port: u16, child: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|pid| matches!(stat(*pid), Some((state, of)) if of == parent && state != "Z"))
        .collect()
}

/// State and parent of a process, from `/proc/PID/stat`; the name before them may hold anything but ends with `)`.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}
