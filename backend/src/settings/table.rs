//! The one list of all settings.

/// A setting.
pub(crate) struct Setting {
    /// Name of the environment variable; in lower case, the key in the TOML file.
    pub(crate) name: &'static str,
    /// Value when none is given.
    pub(crate) default: Option<&'static str>,
    /// Whether it is a secret: then `<name>_FILE` may name a file that holds it.
    pub(crate) secret: bool,
    /// What it means, for people.
    pub(crate) meaning: &'static str,
}

const fn plain(
    name: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting {
        name,
        default,
        secret: false,
        meaning,
    }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default: None,
        secret: true,
        meaning,
    }
}

/// All settings, in the order in which a person meets them.
pub(crate) const SETTINGS: &[Setting] = &[
    plain(
        "PROXMOX_HOST",
        None,
        "Address of a node, or of several separated by commas: the next is asked when one does not answer. Absent: the setup page asks.",
    ),
    plain("PROXMOX_PORT", Some("8006"), "Port of the Proxmox API."),
    plain("PROXMOX_USER", Some("root@pam"), "User of the Proxmox API."),
    secret(
        "PROXMOX_PASSWORD",
        "Password of that user. This or an API token is required.",
    ),
    plain(
        "PROXMOX_TOKEN_ID",
        None,
        "API token instead of a password, e.g. proximity@pve!main.",
    ),
    secret("PROXMOX_TOKEN_SECRET", "Secret of that token."),
    plain(
        "PROXMOX_FINGERPRINT",
        None,
        "SHA-256 fingerprint of the API's certificate, as the node's page Certificates shows it; several separated by commas. This or a CA is required unless the system trusts the certificate.",
    ),
    plain(
        "PROXMOX_CA_FILE",
        None,
        "PEM file of the CA that signed the API's certificate, e.g. a copy of /etc/pve/pve-root-ca.pem.",
    ),
    plain(
        "PROXMOX_SSH_HOSTS",
        None,
        "SSH address of each node, e.g. pve1=10.0.0.1:22,pve2=10.0.0.2. Absent: as the cluster's own status says.",
    ),
    plain(
        "PROXMOX_SSH_HOST",
        None,
        "SSH address of a node that stands alone. Absent: PROXMOX_HOST.",
    ),
    plain(
        "PROXMOX_SSH_PORT",
        Some("22"),
        "SSH port of every node that is not in PROXMOX_SSH_HOSTS.",
    ),
    plain(
        "PROXMOX_SSH_USER",
        Some("root"),
        "SSH user; it must be able to run pct.",
    ),
    secret(
        "PROXMOX_SSH_PASSWORD",
        "SSH password, or the passphrase of the key. Absent: PROXMOX_PASSWORD.",
    ),
    plain(
        "PROXMOX_SSH_KEY_FILE",
        None,
        "Private SSH key instead of a password.",
    ),
    secret(
        "PROXMOX_SSH_PRIVATE_KEY",
        "The text of a private SSH key, where there is no file of it.",
    ),
    plain(
        "PROXMOX_SSH_HOST_KEYS",
        None,
        "Public host key of each node, e.g. pve1=ssh-ed25519 AAAA…. Absent: learnt at the first connection, enforced from then on.",
    ),
    plain(
        "PROXMOX_SSH_SESSIONS",
        Some("8"),
        "SSH sessions that this process holds to one node at the same time; at least two more than PROXIMITY_WORKERS_PER_NODE, so that no operation waits for one.",
    ),
    plain(
        "PROXMOX_BRIDGE",
        Some("vmbr0"),
        "Bridge of every container that names none.",
    ),
    plain(
        "PROXMOX_STORAGE",
        None,
        "Storage of root file systems. Absent: the one with the most room on the chosen node.",
    ),
    plain(
        "PROXMOX_TEMPLATE_STORAGE",
        None,
        "Storage of templates. Absent: the one with the most room on the chosen node.",
    ),
    plain(
        "PROXMOX_POOL",
        None,
        "Resource pool that containers are put into.",
    ),
    plain(
        "PROXMOX_VMID_RANGE",
        None,
        "Numbers that containers may have, e.g. 5000-5999. Absent: as the cluster proposes.",
    ),
    plain(
        "PROXMOX_FEATURES",
        Some("nesting=1,keyctl=1"),
        "Features of every container. Docker needs nesting=1.",
    ),
    plain(
        "PROXIMITY_LISTEN",
        Some("0.0.0.0:8765"),
        "Address and port to listen on.",
    ),
    plain(
        "PROXIMITY_TRUSTED_PROXIES",
        None,
        "Addresses or networks of reverse proxies, separated by commas: their X-Forwarded-For says who failed to log in. Absent: everybody behind a proxy is one address.",
    ),
    plain(
        "PROXIMITY_DATA_DIR",
        None,
        "Folder of the database and the key. Absent: /var/lib/proximity for root, else ~/.local/share/proximity.",
    ),
    plain(
        "PROXIMITY_CATALOG_DIR",
        None,
        "Folder of the catalog. Absent: the catalog inside the program.",
    ),
    plain(
        "PROXIMITY_SECRET_KEY_FILE",
        None,
        "File of the key that seals secrets in the database; made when missing. Absent: secret.key in the data folder.",
    ),
    secret(
        "PROXIMITY_ADMIN_PASSWORD",
        "Password of the user admin, at the first start. Absent: made up and printed once.",
    ),
    secret(
        "DATABASE_URL",
        "Database. Absent: an SQLite file in the data folder.",
    ),
    plain(
        "PROXIMITY_WORKERS",
        Some("8"),
        "Operations that this process has at work at the same time. One place more is kept for stops, deletions and what is taken back.",
    ),
    plain(
        "PROXIMITY_WORKERS_PER_NODE",
        Some("4"),
        "Operations at work at the same time on one node, of all replicas together.",
    ),
    plain(
        "PROXIMITY_WORKERS_PER_CLUSTER",
        Some("32"),
        "Operations at work at the same time on the cluster, of all replicas together.",
    ),
    plain(
        "PROXIMITY_CREATES_PER_STORAGE",
        Some("2"),
        "Containers that this process creates from a template at the same time on one storage of one node.",
    ),
    plain(
        "PROXIMITY_LEASE",
        Some("30s"),
        "How long an operation waits for the next driver when this one dies without a word. Longer than any pause of the machine.",
    ),
    plain(
        "PROXIMITY_KEEP_EVENTS",
        Some("90d"),
        "How long the lines of progress of operations are kept, e.g. 30d, 12w, or forever.",
    ),
    plain(
        "PROXIMITY_KEEP_OPERATIONS",
        Some("forever"),
        "How long operations that are over are kept with their events, and deleted apps with their releases. What an app that exists was deployed by is always kept.",
    ),
    plain(
        "PROXIMITY_KEEP_AUDIT",
        Some("400d"),
        "How long the audit log is kept.",
    ),
    plain(
        "PROXIMITY_RECONCILE_INTERVAL",
        Some("60s"),
        "How often the cluster is compared with the database; nothing but reports comes of it. off: only when asked.",
    ),
    plain(
        "PROXIMITY_LOG",
        Some("info"),
        "What is logged, e.g. info, debug, or info,proxmox=debug.",
    ),
    plain("PROXIMITY_LOG_FORMAT", Some("text"), "text or json."),
    plain(
        "TIMEOUT_ADDRESS",
        Some("75s"),
        "Longest time from a container's start to its having an address.",
    ),
    plain(
        "TIMEOUT_DOCKER_INSTALL",
        Some("180s"),
        "Longest time for installing Docker.",
    ),
    plain(
        "TIMEOUT_IMAGE_PULL",
        Some("600s"),
        "Longest time for pulling all images of an app.",
    ),
    plain(
        "TIMEOUT_SERVICE_START",
        Some("300s"),
        "Longest time from starting the services to their being healthy.",
    ),
    plain(
        "TIMEOUT_SSH_CONNECT",
        Some("30s"),
        "Longest time for an SSH connection.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of `.env.example`.
    fn env_example() -> String {
        let mut text = String::from(
            "# Settings of Proximity. Copy this file to .env and fill in what you need; a line that is commented out shows\n\
             # the default. A secret may be given as <NAME>_FILE, the path of a file that holds it. Instead of the\n\
             # environment a TOML file may hold the same names in lower case: PROXIMITY_CONFIG=/etc/proximity.toml.\n",
        );
        for setting in SETTINGS {
            text.push('\n');
            for line in wrap(setting.meaning, 110) {
                text.push_str("# ");
                text.push_str(&line);
                text.push('\n');
            }
            let mark = if setting.name == "PROXMOX_HOST" {
                ""
            } else {
                "#"
            };
            text.push_str(mark);
            text.push_str(setting.name);
            text.push('=');
            text.push_str(setting.default.unwrap_or_default());
            text.push('\n');
        }
        text
    }

    fn wrap(text: &str, width: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if line.len() + 1 + word.len() <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    /// Mend with `UPDATE=1 cargo test -p proximity env_example`.
    #[test]
    fn env_example_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, env_example()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            env_example()
        );
    }
}
