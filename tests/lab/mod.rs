//! The main job on real parts: real sshd and `pct` semantics, real containers, Docker, registry.
//!
//! Runs as root on Debian; elsewhere each test says in one line that it was skipped. In CI it must run.

mod deploy;
mod installation;
mod instance;
mod kills;

pub(crate) use instance::Lab;

/// Whether the lab can run here; says so where it cannot.
pub(crate) fn is_possible() -> bool {
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let debian = std::path::Path::new("/etc/debian_version").exists();
    if root && debian {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the lab must run in CI: it needs root on Debian"
    );
    println!("skipped: the lab needs root on Debian");
    false
}
