//! How the containers of an image behave, told by its name.
//!
//! Unless it is named here an image is a web server: it answers HTTP 200 on every port that it publishes. Names
//! that stand for failures: a repository or tag with `missing` in it is not in any registry, `crash` ends at once.

/// What a container does once it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::guests::modelled) enum Role {
    /// Answers HTTP.
    Web,
    /// Answers HTTP with the value of its variable `VALUE`, byte for byte.
    Echo,
    /// Listens, but does not speak HTTP; databases and their like.
    Server,
    /// Runs without listening: workers, `sleep infinity`.
    Idle,
    /// Ends by itself with this code.
    Ends(i32),
}

/// Port, megabytes in the registry, and first lines of the log, by the last part of the repository.
type Row = (&'static str, u16, u64, Role, &'static [&'static str]);

#[rustfmt::skip] // one line an image: this is a table
const TABLE: &[Row] = &[
    ("postgres", 5432, 152, Role::Server, &["PostgreSQL Database directory appears to contain a database; Skipping initialization", "LOG:  starting PostgreSQL 17.4 on x86_64-pc-linux-gnu", "LOG:  listening on IPv4 address \"0.0.0.0\", port 5432", "LOG:  database system is ready to accept connections"]),
    ("mariadb", 3306, 118, Role::Server, &["[Note] [Entrypoint]: Entrypoint script for MariaDB Server started.", "[Note] mariadbd: ready for connections."]),
    ("mysql", 3306, 233, Role::Server, &["[Entrypoint]: Entrypoint script for MySQL Server started.", "[System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections."]),
    ("mongo", 27017, 283, Role::Server, &["{\"s\":\"I\",\"c\":\"NETWORK\",\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017}}"]),
    ("redis", 6379, 45, Role::Server, &["1:C oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "1:M * Ready to accept connections tcp"]),
    ("valkey", 6379, 43, Role::Server, &["1:M * Server initialized", "1:M * Ready to accept connections tcp"]),
    ("memcached", 11211, 33, Role::Server, &[]),
    ("rabbitmq", 5672, 107, Role::Server, &["Server startup complete; 4 plugins started."]),
    ("hello-world", 0, 1, Role::Ends(0), &["", "Hello from Docker!", "This message shows that your installation appears to be working correctly."]),
    ("alpine", 0, 4, Role::Ends(0), &[]),
    ("busybox", 0, 2, Role::Ends(0), &[]),
    ("debian", 0, 48, Role::Ends(0), &[]),
    ("echo", 80, 4, Role::Echo, &["listening on port 80"]),
    ("nginx", 80, 72, Role::Web, &["/docker-entrypoint.sh: Configuration complete; ready for start up", "[notice] 1#1: start worker processes"]),
    ("wordpress", 80, 242, Role::Web, &["WordPress not found in /var/www/html - copying now...", "Complete! WordPress has been successfully copied to /var/www/html", "[core:notice] AH00094: Command line: 'apache2 -D FOREGROUND'"]),
    ("gitea", 3000, 96, Role::Web, &["Starting new Web server: tcp:0.0.0.0:3000"]),
    ("uptime-kuma", 3001, 182, Role::Web, &["[SERVER] INFO: Welcome to Uptime Kuma", "[SERVER] INFO: Listening on 3001"]),
    ("n8n", 5678, 342, Role::Web, &["Initializing n8n process", "n8n ready on ::, port 5678"]),
    ("memos", 5230, 31, Role::Web, &["Server running on port 5230"]),
];

fn repository(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

fn row(reference: &str) -> Option<&'static Row> {
    let name = repository(reference);
    TABLE.iter().find(|row| row.0 == name)
}

/// Whether the registry has this image.
pub(in crate::guests::modelled) fn exists(reference: &str) -> bool {
    !["missing", "no-such", "does-not-exist"]
        .iter()
        .any(|word| reference.contains(word))
}

/// Bytes that a pull brings.
pub(in crate::guests::modelled) fn size(reference: &str) -> u64 {
    let megabytes = row(reference).map_or_else(
        // Any other image has a size of its own, always the same.
        || 24 + reference.bytes().map(u64::from).sum::<u64>() % 180,
        |row| row.2,
    );
    megabytes << 20
}

/// What its containers do; `command` is what they are told to run in place of the image's own program.
pub(in crate::guests::modelled) fn role(reference: &str, command: &[String]) -> Role {
    let line = command.join(" ");
    if line.contains("sleep infinity") || line.contains("tail -f") {
        return Role::Idle;
    }
    if repository(reference).contains("crash") {
        return Role::Ends(1);
    }
    match row(reference).map(|row| row.3) {
        Some(Role::Ends(code)) if !command.is_empty() => {
            exit_code(&line).map_or(Role::Ends(code), Role::Ends)
        }
        Some(role) => role,
        None => Role::Web,
    }
}

/// The code in `exit 3`, as test projects say it.
fn exit_code(line: &str) -> Option<i32> {
    let (_, after) = line.rsplit_once("exit ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The port that an image listens on when nothing is published (`network_mode: host`).
pub(in crate::guests::modelled) fn port(reference: &str) -> u16 {
    row(reference).map_or(80, |row| row.1)
}

/// First lines of the log.
pub(in crate::guests::modelled) fn greeting(reference: &str, role: Role) -> Vec<String> {
    match row(reference) {
        Some(row) => row.4.iter().map(|line| (*line).to_owned()).collect(),
        None => match role {
            Role::Web | Role::Echo => vec![
                format!("starting {}", repository(reference)),
                "listening".to_owned(),
            ],
            Role::Ends(0) => Vec::new(),
            Role::Ends(_) => vec![format!("{}: fatal: cannot start", repository(reference))],
            Role::Server | Role::Idle => vec![format!("{} started", repository(reference))],
        },
    }
}
