//! Running commands inside a container, and what `docker run` of a small image does.

use std::sync::Arc;

use async_trait::async_trait;

use super::container::Plan;
use super::image::Image;
use super::known::{self, Role};
use crate::unix::{
    Base, Call, Done, Files, Flavour, Kind, Machine, binary, execute, find_program, install_busybox,
};

/// A container's own machine: the files of its image, its environment, and the tools that images of its kind bring.
#[derive(Debug)]
pub(in crate::guests::modelled) struct Inside {
    base: Base,
    role: Role,
}

/// Tools of well-known images, for health checks and dumps; what they print when all is well.
const TOOLS: &[(&str, &str, &str)] = &[
    (
        "postgres",
        "pg_isready",
        "/var/run/postgresql:5432 - accepting connections\n",
    ),
    (
        "postgres",
        "psql",
        " ?column? \n----------\n        1\n(1 row)\n\n",
    ),
    (
        "postgres",
        "pg_dump",
        "--\n-- PostgreSQL database dump\n--\n",
    ),
    ("redis", "redis-cli", "PONG\n"),
    ("valkey", "valkey-cli", "PONG\n"),
    ("mariadb", "healthcheck.sh", ""),
    ("mariadb", "mariadb", ""),
    ("mariadb", "mariadb-admin", "mysqld is alive\n"),
    ("mariadb", "mariadb-dump", "-- MariaDB dump\n"),
    ("mysql", "mysqladmin", "mysqld is alive\n"),
    ("mysql", "mysqldump", "-- MySQL dump\n"),
    ("mongo", "mongosh", "{ ok: 1 }\n"),
    ("", "curl", ""),
    ("", "wget", ""),
    ("", "nc", ""),
];

/// Bytes that a container's own files may take.
const ROOM: u64 = 64 << 20;

impl Inside {
    /// The machine of a container whose image came from a registry.
    pub(in crate::guests::modelled) fn of_registry(plan: &Plan) -> Self {
        let mut files = Files::new(ROOM);
        // Everything fits into an empty file system of this size.
        let _ = install_busybox(&mut files, &[]);
        let _ = files.put("/lib/ld-musl-x86_64.so.1", "\x7fELF musl\n", 0o755);
        for device in ["null", "zero", "urandom"] {
            let _ = files.device(&format!("/dev/{device}"), device);
        }
        let _ = files.mkdir_all("/tmp", 0o1777);
        for (image, tool, _) in TOOLS {
            if plan.image.contains(image) {
                let _ = files.put(&format!("/usr/local/bin/{tool}"), binary(tool), 0o755);
            }
        }
        Self {
            base: Base::new(Flavour::Busybox, &plan.name, files),
            role: known::role(&plan.image, &plan.command),
        }
    }

    /// The machine of a container whose image was made on the guest: its files are known.
    pub(in crate::guests::modelled) fn of_contents(name: &str, image: &Image) -> Self {
        let mut files = Files::new(ROOM + image.size() * 2);
        for entry in image.contents.iter().flatten() {
            let path = format!("/{}", entry.name.trim_start_matches('/'));
            // A member that cannot be put in place is missing, which the command will notice.
            let _ = match &entry.kind {
                Kind::Directory(_) => files.mkdir_all(&path, entry.mode),
                Kind::Link(target) => files.symlink(target, &path),
                Kind::File(bytes) => files.put(&path, bytes.clone(), entry.mode),
                Kind::Device(name) => files.device(&path, name),
            };
        }
        Self {
            base: Base::new(Flavour::Busybox, name, files),
            role: Role::Idle,
        }
    }
}

#[async_trait]
impl Machine for Inside {
    fn base(&self) -> &Base {
        &self.base
    }

    async fn run(&self, program: &str, call: &mut Call) -> Option<Done> {
        let (_, _, output) = TOOLS.iter().find(|(_, tool, _)| *tool == program)?;
        let looks_around = matches!(program, "curl" | "wget" | "nc");
        if looks_around && !matches!(self.role, Role::Web | Role::Echo) {
            call.err(format!("{program}: connection refused\n")).await;
            return Some(Err(7));
        }
        Some(match call.out(*output).await {
            Ok(()) => Ok(0),
            Err(code) => Err(code),
        })
    }
}

/// Runs a command in a container; the exit code, and the words when it could not be started at all.
pub(in crate::guests::modelled) async fn run_inside(
    inside: &Arc<Inside>,
    environment: impl IntoIterator<Item = (String, String)>,
    call: &Call,
    argv: Vec<String>,
    interactive: bool,
) -> Result<i32, (i32, String)> {
    let program = argv.first().cloned().unwrap_or_default();
    let mut inner = call.with(argv);
    inner.machine = Arc::clone(inside) as Arc<dyn Machine>;
    inner.env = environment.into_iter().collect();
    inner.env.entry("PATH".to_owned()).or_insert_with(|| {
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()
    });
    inner
        .env
        .entry("HOSTNAME".to_owned())
        .or_insert_with(|| inside.base.hostname());
    "/".clone_into(&mut inner.cwd);
    if !interactive {
        inner.fds.set(0, crate::unix::Fd::Null);
    }
    let missing = |text: &str| format!("exec: \"{program}\": {text}");
    // What a program is linked against is not there: the kernel says that the program does not exist.
    if !inside.base.files().exists("/lib/ld-musl-x86_64.so.1")
        && find_program(
            inside.as_ref(),
            inner.env.get("PATH").map(String::as_str),
            "/",
            &program,
        )
        .is_ok()
    {
        return Err((1, format!("exec {program}: no such file or directory")));
    }
    match execute(inner).await {
        Ok(code) => Ok(code),
        Err(reason) if reason.code() == 126 => Err((126, missing("permission denied"))),
        Err(_) if program.contains('/') => Err((
            127,
            missing(&format!("stat {program}: no such file or directory")),
        )),
        Err(_) => Err((127, missing("executable file not found in $PATH"))),
    }
}
