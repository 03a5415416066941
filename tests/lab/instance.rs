//! One lab: brought up for one test, taken down after it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use sim::guests::lxc::Lxc;
use tempfile::TempDir;

/// A lab that is up.
pub(crate) struct Lab {
    folder: TempDir,
    /// Its guests.
    pub(crate) guests: Arc<Lxc>,
}

impl Lab {
    /// Brings a lab up. Should this process die, the next lab that comes up sweeps it away.
    pub(crate) fn up() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("proximity-lab-")
            .tempdir_in("/var/tmp")
            .expect("a folder");
        command(
            folder.path(),
            &["--owner", &std::process::id().to_string()],
            "up",
        );
        let guests =
            Lxc::from_env_file(&folder.path().join("lab.env")).expect("the lab describes itself");
        Self {
            folder,
            guests: Arc::new(guests),
        }
    }

    /// Whether nothing of any guest is left: no container, no mount of its disk, no lease.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = entries(&self.guests.lab().containers);
        left.extend(
            entries(&self.guests.lab().storage)
                .into_iter()
                .filter(|name| name.starts_with("subvol-")),
        );
        let leases = std::fs::read_to_string(&self.guests.lab().leases).unwrap_or_default();
        left.extend(leases.lines().map(|line| format!("lease {line}")));
        left
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        command(self.folder.path(), &[], "down");
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn command(folder: &Path, options: &[&str], verb: &str) {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab");
    let output = Command::new(program)
        .arg(verb)
        .arg(folder)
        .args(options)
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let fine = output.status.success() || std::thread::panicking();
    assert!(
        fine,
        "lab {verb} failed:\n{}{said}",
        String::from_utf8_lossy(&output.stdout)
    );
}
