//! Settings: from the environment, from a TOML file, from the defaults; validated before anything starts.
//!
//! [`table::SETTINGS`] is the one list of them. `.env.example` is made from it, and a test keeps that true.

pub(crate) mod source;
pub(crate) mod table;
mod value;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use control::{SshTargets, Timeouts};
use proxmox::{Feature, Features};
use secrecy::{ExposeSecret as _, SecretString};
pub(crate) use source::{Source, WrongSetting};

/// Everything that `serve` must be told.
pub(crate) struct Settings {
    /// Address to listen on.
    pub(crate) listen: SocketAddr,
    /// Reverse proxies whose word is taken for where a request comes from.
    pub(crate) proxies: server::Proxies,
    /// Folder of the database, the key and the like.
    pub(crate) data_dir: PathBuf,
    /// Folder of the catalog; the built-in one, when absent.
    pub(crate) catalog_dir: Option<PathBuf>,
    /// File of the key that seals secrets.
    pub(crate) secret_key_file: PathBuf,
    /// Password of the first administrator.
    pub(crate) admin_password: Option<SecretString>,
    /// Database.
    pub(crate) database_url: String,
    /// Proxmox API.
    pub(crate) proxmox: proxmox::Config,
    /// SSH.
    pub(crate) ssh: ssh::Settings,
    /// How nodes are reached over SSH.
    pub(crate) targets: SshTargets,
    /// The application.
    pub(crate) control: control::Settings,
}

/// Where an installation is kept: all that a backup must be told.
pub(crate) struct Storage {
    /// Folder of the database, the key and the like.
    pub(crate) data_dir: PathBuf,
    /// Folder of the catalog; the built-in one, when absent.
    pub(crate) catalog_dir: Option<PathBuf>,
    /// File of the key that seals secrets.
    pub(crate) secret_key_file: PathBuf,
    /// Database.
    pub(crate) database_url: String,
}

impl Storage {
    /// Reads where it is; any text is a path.
    pub(crate) fn read(source: &Source) -> Self {
        let data_dir = source
            .text("PROXIMITY_DATA_DIR")
            .map_or_else(default_data_dir, PathBuf::from);
        let secret_key_file = source
            .text("PROXIMITY_SECRET_KEY_FILE")
            .map_or_else(|| data_dir.join("secret.key"), PathBuf::from);
        let database_url = source
            .text("DATABASE_URL")
            .unwrap_or_else(|| format!("sqlite://{}/proximity.db?mode=rwc", data_dir.display()));
        Self {
            catalog_dir: source.text("PROXIMITY_CATALOG_DIR").map(PathBuf::from),
            data_dir,
            secret_key_file,
            database_url,
        }
    }
}

impl Settings {
    /// Reads and validates them all; the first wrong one is named in a sentence.
    pub(crate) fn read(source: &Source) -> Result<Self, WrongSetting> {
        let Storage {
            data_dir,
            catalog_dir,
            secret_key_file,
            database_url,
        } = Storage::read(source);
        let proxmox = proxmox_config(source)?;
        let (ssh, targets) = ssh_settings(source, &proxmox)?;
        Ok(Self {
            listen: listen(source)?,
            proxies: source
                .text("PROXIMITY_TRUSTED_PROXIES")
                .unwrap_or_default()
                .parse()
                .map_err(|_| {
                    source.wrong(
                        "PROXIMITY_TRUSTED_PROXIES",
                        "addresses or networks, separated by commas, e.g. 10.0.0.2,fd00::/64",
                    )
                })?,
            catalog_dir,
            admin_password: source.secret("PROXIMITY_ADMIN_PASSWORD"),
            control: control::Settings {
                data_dir: Some(data_dir.clone()),
                told: source.told(),
                ..control_settings(source)?
            },
            data_dir,
            secret_key_file,
            database_url,
            proxmox,
            ssh,
            targets,
        })
    }
}

/// Address to listen on.
pub(crate) fn listen(source: &Source) -> Result<SocketAddr, WrongSetting> {
    source.parse(
        "PROXIMITY_LISTEN",
        "an address and a port, e.g. 0.0.0.0:8765",
    )
}

/// `/var/lib/proximity` for root, the user's own data folder for anybody else.
fn default_data_dir() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (std::env::var_os("XDG_DATA_HOME"), home) {
        (Some(data), _) => PathBuf::from(data).join("proximity"),
        (None, Some(home)) if home.as_os_str() != "/root" => home.join(".local/share/proximity"),
        _ => PathBuf::from("/var/lib/proximity"),
    }
}

fn proxmox_config(source: &Source) -> Result<proxmox::Config, WrongSetting> {
    let port: u16 = source.parse("PROXMOX_PORT", "a port")?;
    let hosts = source
        .required("PROXMOX_HOST")?
        .split(',')
        .map(|host| value::host(host.trim(), port))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            source.wrong(
                "PROXMOX_HOST",
                "a host or several, separated by commas, e.g. 10.0.0.1,10.0.0.2",
            )
        })?;
    let token = (
        source.text("PROXMOX_TOKEN_ID"),
        source.secret("PROXMOX_TOKEN_SECRET"),
    );
    let auth = match (token, source.secret("PROXMOX_PASSWORD")) {
        ((Some(id), Some(secret)), _) => proxmox::Auth::Token { id, secret },
        ((Some(_), None), _) => {
            return Err(WrongSetting::missing(
                "PROXMOX_TOKEN_SECRET",
                "PROXMOX_TOKEN_ID is set and needs it",
            ));
        }
        ((None, Some(_)), _) => {
            return Err(WrongSetting::missing(
                "PROXMOX_TOKEN_ID",
                "PROXMOX_TOKEN_SECRET is set and needs it",
            ));
        }
        (_, Some(password)) => proxmox::Auth::Password {
            user: source.required("PROXMOX_USER")?,
            password,
        },
        _ => {
            return Err(WrongSetting::missing(
                "PROXMOX_PASSWORD",
                "or PROXMOX_TOKEN_ID with PROXMOX_TOKEN_SECRET",
            ));
        }
    };
    let trust = match (source.text("PROXMOX_FINGERPRINT"), source.text("PROXMOX_CA_FILE")) {
        (Some(list), _) => proxmox::Trust::Fingerprints(
            list.split(',')
                .map(|text| text.trim().parse())
                .collect::<Result<_, _>>()
                .map_err(|_| source.wrong("PROXMOX_FINGERPRINT", "SHA-256 fingerprints as Proxmox shows them, 32 pairs of hexadecimal digits each"))?,
        ),
        (None, Some(file)) => proxmox::Trust::CaFile(PathBuf::from(file)),
        (None, None) => proxmox::Trust::System,
    };
    // pveproxy itself gives up on another node after 30 s; only after that is an answer truly lost.
    Ok(proxmox::Config {
        hosts,
        auth,
        trust,
        timeout: Duration::from_secs(40),
    })
}

fn ssh_settings(
    source: &Source,
    proxmox: &proxmox::Config,
) -> Result<(ssh::Settings, SshTargets), WrongSetting> {
    let port: u16 = source.parse("PROXMOX_SSH_PORT", "a port")?;
    let connect_timeout = source.duration("TIMEOUT_SSH_CONNECT")?;
    let api_password = match &proxmox.auth {
        proxmox::Auth::Password { password, .. } => Some(password.clone()),
        proxmox::Auth::Token { .. } => None,
    };
    let own_password = source.secret("PROXMOX_SSH_PASSWORD");
    let auth = match (
        source.text("PROXMOX_SSH_KEY_FILE"),
        source.secret("PROXMOX_SSH_PRIVATE_KEY"),
        own_password.clone().or(api_password),
    ) {
        (Some(path), _, passphrase) => ssh::Auth::KeyFile {
            path: path.into(),
            passphrase,
        },
        (None, Some(pem), _) => ssh::Auth::Key {
            pem,
            passphrase: own_password,
        },
        (None, None, Some(password)) => ssh::Auth::Password(password),
        (None, None, None) => {
            return Err(WrongSetting::missing(
                "PROXMOX_SSH_PASSWORD",
                "or PROXMOX_SSH_KEY_FILE: with an API token there is no password to fall back on",
            ));
        }
    };
    let first_host = proxmox
        .hosts
        .first()
        .map(|host| host.host.clone())
        .unwrap_or_default();
    let targets = SshTargets {
        hosts: source
            .pairs("PROXMOX_SSH_HOSTS")?
            .into_iter()
            .map(|(node, address)| Some((node, value::address(&address, port)?)))
            .collect::<Option<BTreeMap<_, _>>>()
            .ok_or_else(|| {
                source.wrong(
                    "PROXMOX_SSH_HOSTS",
                    "node=address pairs, e.g. pve1=10.0.0.1:22,pve2=10.0.0.2",
                )
            })?,
        single_host: source.text("PROXMOX_SSH_HOST").unwrap_or(first_host),
        port,
        keys: source
            .pairs("PROXMOX_SSH_HOST_KEYS")?
            .into_iter()
            .map(|(node, key)| Some((node, key.parse().ok()?)))
            .collect::<Option<BTreeMap<_, _>>>()
            .ok_or_else(|| {
                source.wrong(
                    "PROXMOX_SSH_HOST_KEYS",
                    "node=key pairs, e.g. pve1=ssh-ed25519 AAAA…",
                )
            })?,
        connect_timeout,
    };
    let settings = ssh::Settings {
        user: source.required("PROXMOX_SSH_USER")?,
        auth,
        connect_timeout,
        sessions_per_node: sessions(source)?,
        keepalive: Duration::from_secs(30),
    };
    Ok((settings, targets))
}

fn control_settings(source: &Source) -> Result<control::Settings, WrongSetting> {
    let form = "features of a Proxmox container with nesting=1, without which Docker does not run";
    let features: Features = source.parse("PROXMOX_FEATURES", form)?;
    if !features.has(Feature::Nesting) {
        return Err(source.wrong("PROXMOX_FEATURES", form));
    }
    let retention = |name| {
        value::retention(&source.required(name)?)
            .ok_or_else(|| source.wrong(name, "a length of time, e.g. 90d, or forever"))
    };
    Ok(control::Settings {
        features,
        bridge: source.required("PROXMOX_BRIDGE")?,
        storage: source.text("PROXMOX_STORAGE"),
        template_storage: source.text("PROXMOX_TEMPLATE_STORAGE"),
        pool: source.text("PROXMOX_POOL"),
        vmid_range: match source.text("PROXMOX_VMID_RANGE") {
            None => None,
            Some(text) => Some(value::range(&text).ok_or_else(|| {
                source.wrong(
                    "PROXMOX_VMID_RANGE",
                    "two numbers from 100 on, e.g. 5000-5999",
                )
            })?),
        },
        timeouts: Timeouts {
            address: source.duration("TIMEOUT_ADDRESS")?,
            docker_install: source.duration("TIMEOUT_DOCKER_INSTALL")?,
            image_pull: source.duration("TIMEOUT_IMAGE_PULL")?,
            service_start: source.duration("TIMEOUT_SERVICE_START")?,
        },
        lease: source.duration("PROXIMITY_LEASE")?,
        workers: number(source, "PROXIMITY_WORKERS")?,
        limits: store::Limits {
            cluster: number::<u64>(source, "PROXIMITY_WORKERS_PER_CLUSTER")?,
            node: number::<u64>(source, "PROXIMITY_WORKERS_PER_NODE")?,
        },
        creates_per_storage: number(source, "PROXIMITY_CREATES_PER_STORAGE")?,
        keep: control::Keep {
            progress: retention("PROXIMITY_KEEP_EVENTS")?,
            operations: retention("PROXIMITY_KEEP_OPERATIONS")?,
            audit: retention("PROXIMITY_KEEP_AUDIT")?,
        },
        reconcile: match source.text("PROXIMITY_RECONCILE_INTERVAL").as_deref() {
            Some("off") => None,
            _ => Some(source.duration("PROXIMITY_RECONCILE_INTERVAL")?),
        },
        ..control::Settings::default()
    })
}

/// How many of something may be at the same time: some, and not more than any machine has use for.
fn number<T: TryFrom<u16>>(source: &Source, name: &'static str) -> Result<T, WrongSetting> {
    const FORM: &str = "a number from 1 to 1000";
    let number: u16 = source.parse(name, FORM)?;
    match T::try_from(number) {
        Ok(value) if (1..=1000).contains(&number) => Ok(value),
        _ => Err(source.wrong(name, FORM)),
    }
}

/// SSH sessions to one node. An operation uses one at a time; the places beside the limit are for what is short and
/// for people who read logs.
fn sessions(source: &Source) -> Result<usize, WrongSetting> {
    let sessions: usize = number(source, "PROXMOX_SSH_SESSIONS")?;
    let operations: usize = number(source, "PROXIMITY_WORKERS_PER_NODE")?;
    if sessions < operations + 2 {
        let form = "a number that is at least two more than PROXIMITY_WORKERS_PER_NODE";
        return Err(source.wrong("PROXMOX_SSH_SESSIONS", form));
    }
    Ok(sessions)
}

/// Whether a secret is empty: an empty one is taken for none.
fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Source::new(environment, None).unwrap()).map_err(|error| error.to_string())
    }

    const MINIMUM: [(&str, &str); 2] = [
        ("PROXMOX_HOST", "10.0.0.1, pve2:8007"),
        ("PROXMOX_PASSWORD", "hunter22"),
    ];

    fn with(name: &'static str, value: &'static str) -> Result<Settings, String> {
        read(&[&MINIMUM[..], &[(name, value)]].concat())
    }

    #[test]
    fn a_host_and_a_password_are_enough() {
        let settings = read(&MINIMUM).unwrap();
        assert_eq!(settings.listen.to_string(), "0.0.0.0:8765");
        assert_eq!(settings.proxmox.hosts.len(), 2);
        assert_eq!(
            (
                settings.proxmox.hosts[1].host.as_str(),
                settings.proxmox.hosts[1].port
            ),
            ("pve2", 8007)
        );
        assert_eq!(settings.targets.single_host, "10.0.0.1");
        assert_eq!(
            settings.control.timeouts.docker_install,
            Duration::from_mins(3)
        );
        assert!(matches!(settings.ssh.auth, ssh::Auth::Password(_)));
    }

    #[test]
    fn a_wrong_value_is_named_in_a_sentence() {
        for (name, value) in [
            ("PROXIMITY_LISTEN", "8765"),
            ("PROXMOX_PORT", "70000"),
            ("PROXMOX_FINGERPRINT", "AA:BB"),
            ("PROXMOX_SSH_HOSTS", "pve1"),
            ("PROXMOX_SSH_HOST_KEYS", "pve1=rsa nonsense"),
            ("PROXMOX_VMID_RANGE", "200-100"),
            ("PROXMOX_FEATURES", "keyctl=1"),
            ("PROXIMITY_KEEP_AUDIT", "a while"),
            ("TIMEOUT_IMAGE_PULL", "soon"),
            ("PROXIMITY_WORKERS", "0"),
            ("PROXIMITY_WORKERS_PER_CLUSTER", "many"),
            ("PROXIMITY_CREATES_PER_STORAGE", "1001"),
            ("PROXMOX_SSH_SESSIONS", "5"),
        ] {
            let error = with(name, value)
                .err()
                .unwrap_or_else(|| panic!("{name}={value} was accepted"));
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_in_an_error() {
        let error = read(&[("PROXMOX_HOST", ""), ("PROXMOX_PASSWORD", "hunter22")])
            .err()
            .unwrap();
        assert!(error.starts_with("PROXMOX_HOST is not set. "), "{error}");
        assert!(
            !with("PROXMOX_PORT", "x")
                .err()
                .unwrap()
                .contains("hunter22")
        );
    }

    #[test]
    fn a_token_needs_both_halves_and_another_way_for_ssh() {
        let host = ("PROXMOX_HOST", "10.0.0.1");
        let id = ("PROXMOX_TOKEN_ID", "root@pam!proximity");
        let secret = (
            "PROXMOX_TOKEN_SECRET",
            "00000000-0000-0000-0000-000000000000",
        );
        assert!(
            read(&[host, id])
                .err()
                .unwrap()
                .starts_with("PROXMOX_TOKEN_SECRET is not set")
        );
        assert!(
            read(&[host, id, secret])
                .err()
                .unwrap()
                .starts_with("PROXMOX_SSH_PASSWORD is not set")
        );
        assert!(
            read(&[
                host,
                id,
                secret,
                ("PROXMOX_SSH_KEY_FILE", "/root/.ssh/id_ed25519")
            ])
            .is_ok()
        );
    }
}
