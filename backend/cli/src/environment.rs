//! What the process finds around it.

use std::path::PathBuf;

/// Where credentials come from and where they are kept.
#[derive(Clone)]
pub struct Environment {
    /// `PROXIMITY_URL`: goes before what `login` kept.
    pub url: Option<String>,
    /// `PROXIMITY_TOKEN`: goes before what `login` kept.
    pub token: Option<String>,
    /// The folder `proximity` in the user's configuration, where there is a home.
    pub folder: Option<PathBuf>,
    /// Name of this machine.
    pub hostname: String,
}

impl Environment {
    /// That of this process. Configuration is where the XDG Base Directory Specification puts it.
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        Self {
            url: text("PROXIMITY_URL"),
            token: text("PROXIMITY_TOKEN"),
            folder: absolute("XDG_CONFIG_HOME")
                .or_else(|| absolute("HOME").map(|home| home.join(".config")))
                .map(|folder| folder.join("proximity")),
            hostname: hostname(),
        }
    }
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this-machine".to_owned())
}
