//! Where the database is, and what to tell a person when it cannot be used there.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use sea_orm::{DbErr, RuntimeErr};

use crate::{Error, error};

/// Where the database is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, as `host:port/database`; never with a password.
    Server(String),
}

impl Place {
    /// What the database's refusal means for the person who starts the program. `None` for what is no matter of the place.
    fn explain(&self, failed: &DbErr) -> Option<String> {
        match self {
            Self::File(path) => of_file(path, error::code_of(failed)?.as_str()),
            Self::Server(server) => of_server(server, failed),
        }
    }

    /// The same error, in words that name the place and what to do next where there are any.
    pub(crate) fn told(&self, failed: Error) -> Error {
        let cause = match &failed {
            Error::Unavailable(cause) | Error::Refused(cause) => self.explain(cause),
            _ => None,
        };
        match cause {
            Some(text) => {
                tracing::debug!(error = ?failed, "the database cannot be used");
                Error::Unusable(text)
            }
            None => failed,
        }
    }

    /// A file that cannot even be made or opened.
    pub(crate) fn inaccessible(path: &Path, failed: &io::Error) -> Error {
        let shown = path.display();
        Error::Unusable(match failed.kind() {
            io::ErrorKind::NotFound => format!(
                "the folder of the database `{shown}` does not exist: make it, or name another place"
            ),
            io::ErrorKind::PermissionDenied => denied(path),
            io::ErrorKind::ReadOnlyFilesystem => read_only(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(path),
            io::ErrorKind::IsADirectory => {
                format!("the database `{shown}` is a folder: name a file")
            }
            _ => format!("the database `{shown}` cannot be opened: {failed}"),
        })
    }
}

/// By SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
fn of_file(path: &Path, code: &str) -> Option<String> {
    let shown = path.display();
    Some(match code {
        // BUSY, LOCKED, PROTOCOL
        "5" | "6" | "15" => format!(
            "the database `{shown}` is locked by another process: stop that process (`fuser {shown}` names it), then start again"
        ),
        // READONLY
        "8" => read_only(path),
        // IOERR
        "10" if has_no_room(path) => full(path),
        "10" => format!(
            "the disk of the database `{shown}` fails to read or write: look at the system's log; if the disk is broken, restore a backup onto another one"
        ),
        // CORRUPT
        "11" => format!(
            "the database `{shown}` is damaged: keep a copy of it, then restore a backup with `proximity restore --force`"
        ),
        // FULL
        "13" => full(path),
        // PERM, CANTOPEN
        "3" | "14" => {
            // SQLite says the same of a file system that is mounted read-only.
            let opened = fs::OpenOptions::new().append(true).open(path);
            match opened.map_err(|error| error.kind()) {
                Err(io::ErrorKind::ReadOnlyFilesystem) => read_only(path),
                _ => denied(path),
            }
        }
        // NOTADB
        "26" => format!(
            "`{shown}` is not a database of Proximity (not even one of SQLite): name the right file, or move this one away and restore a backup"
        ),
        _ => return None,
    })
}

fn read_only(path: &Path) -> String {
    let shown = path.display();
    format!(
        "the database `{shown}` is read-only for this process: make the file and its folder writable for the user who runs Proximity, or mount its file system for writing"
    )
}

/// SQLite reports a full disk as a failing one where it is a file beside the database that finds no room.
fn has_no_room(path: &Path) -> bool {
    use io::Write as _;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".room-{}", std::process::id()));
    let tried = fs::File::create_new(&name).and_then(|mut file| file.write_all(&vec![0; 1 << 16]));
    let _ = fs::remove_file(&name);
    tried.is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

fn full(path: &Path) -> String {
    let shown = path.display();
    format!(
        "there is no room left on the disk of the database `{shown}`: make room there, then start again; nothing is lost"
    )
}

/// Names who owns what, for that is nearly always the reason.
fn denied(path: &Path) -> String {
    let shown = path.display();
    let own = fs::metadata("/proc/self").map_or(0, |own| own.uid());
    // What exists of the path: the file, else its folder.
    let nearest = path
        .ancestors()
        .find_map(|part| Some((part, fs::metadata(part).ok()?)));
    match nearest {
        Some((part, found)) if found.uid() != own => format!(
            "the database `{shown}` cannot be opened by user {own}: `{}` belongs to user {} (mode {:o}); start Proximity as that user, or give the file and its folder to user {own}",
            part.display(),
            found.uid(),
            found.mode() & 0o777
        ),
        _ => format!(
            "the database `{shown}` cannot be opened by user {own}: give that user the right to read and write the file and its folder"
        ),
    }
}

fn of_server(server: &str, failed: &DbErr) -> Option<String> {
    if let Some(code) = error::code_of(failed) {
        return Some(match code.as_str() {
            "28P01" | "28000" => format!(
                "PostgreSQL at {server} does not let this user in: check the user, the password and the server's pg_hba.conf"
            ),
            "3D000" => {
                format!("PostgreSQL at {server} has no such database: make it with `createdb`")
            }
            "42501" => format!(
                "PostgreSQL at {server} does not let this user make or change tables: make the user the owner of the database"
            ),
            "25006" => format!(
                "PostgreSQL at {server} is read-only, as a standby is: name the primary server"
            ),
            "53100" => format!(
                "PostgreSQL at {server} has no room left on its disk: make room there, then start again; nothing is lost"
            ),
            "53300" => format!(
                "PostgreSQL at {server} takes no more connections: raise `max_connections`, or stop what holds them"
            ),
            "57P03" => {
                format!("PostgreSQL at {server} is starting or stopping: try again in a moment")
            }
            _ => return None,
        });
    }
    let is_away = matches!(
        failed,
        DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::SqlxError(_))
    );
    is_away.then(|| {
        format!("PostgreSQL at {server} does not answer: start it, or correct the address")
    })
}
