//! What can go wrong with the database, named by what the caller can do about it.

use api::{OperationId, OperationKind};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// Why the store did not do what it was asked. Nothing has been changed, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row. The field says what was looked for.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Another operation works on the app, or waits stuck on it: wait for it, cancel, retry or abandon it.
    #[error("the app is busy with `{kind}` ({operation})")]
    Busy {
        /// The other operation.
        operation: OperationId,
        /// What it does.
        kind: OperationKind,
    },
    /// An app, a user or a token of this name exists: choose another one.
    #[error("the name `{name}` is taken")]
    NameTaken {
        /// The name that is taken: of an app, or the host name made from it.
        name: String,
    },
    /// Another app holds this number: take another one.
    #[error("the VMID {vmid} is taken by another app")]
    VmidTaken {
        /// The number.
        vmid: u32,
    },
    /// The lease is over and somebody else may hold the next: stop at once.
    #[error("the lease is lost")]
    LeaseLost,
    /// The thing is not in a state in which this can be done; the text is a sentence for a person.
    #[error("{0}")]
    Conflict(String),
    /// The idempotency key was used before with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A cursor, an address of a database or another text that the caller passed on is not one.
    #[error("{0}")]
    Invalid(String),
    /// The database was written by a newer version: start that version, or restore a backup.
    #[error(
        "the database was written by a newer version of Proximity (it knows the migration `{migration}`, \
         this one does not): install that version again, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The first migration that this version does not know.
        migration: String,
    },
    /// The database cannot be opened or begun with as it is. The text is a clause that names the file or the server and
    /// what to do next; it holds no password.
    #[error("{0}")]
    Unusable(String),
    /// A file that is read back as a copy of a database is none, or not a whole one; the text says where and what.
    #[error("{0}")]
    NotACopy(String),
    /// Locked, full, gone or not reachable: try again later. A write may have happened when its very commit
    /// was cut off.
    // No source besides: the text has it, and whoever prints the chain would say it twice.
    #[error("the database cannot be used now: {}", cause(.0))]
    Unavailable(DbErr),
    /// A stored value cannot be read: it was changed by hand, or written by a version with other words.
    #[error("the database holds something unreadable in {place}: {reason}")]
    Corrupt {
        /// Table and column.
        place: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refuses the statement: a mistake in this program.
    #[error("the database refused a statement")]
    Refused(#[source] DbErr),
}

/// What every method of the store answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_passing(&error) {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// The database's own code of what went wrong: SQLite's primary result code or PostgreSQL's five characters.
pub(crate) fn code_of(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(refusal) = &**error else {
        return None;
    };
    let code = refusal.code()?;
    Some(match code.parse::<u32>() {
        Ok(extended) if code.len() != 5 => (extended & 0xff).to_string(),
        _ => code.into_owned(),
    })
}

/// Why, as a clause.
fn cause(error: &DbErr) -> String {
    let known = match code_of(error).as_deref() {
        Some("5" | "6" | "15") => "another process has locked it",
        Some("8") => "it is read-only",
        Some("10") => "its disk fails, or is full",
        Some("13") => "there is no room left on its disk",
        _ => return error.to_string(),
    };
    known.to_owned()
}

/// Whether the same statement may succeed later.
fn is_passing(error: &DbErr) -> bool {
    let runtime = match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error
        }
        _ => return false,
    };
    match &**runtime {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| is_passing_code(&code)),
        _ => false,
    }
}

/// SQLite's result codes are decimal and extended (the low byte is the primary code, <https://www.sqlite.org/rescode.html>);
/// PostgreSQL's are five characters, of which the first two are the class (its manual, appendix A).
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        // 08 connection, 25006 read-only, 40 deadlock, 53 resources, 57 shut down or cancelled, 58 system.
        return code == "25006" || ["08", "40", "53", "57", "58"].contains(&&code[..2]);
    }
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL.
    code.parse::<u32>()
        .is_ok_and(|code| [5, 6, 8, 10, 13, 14, 15].contains(&(code & 0xff)))
}

/// Whether a unique index refused the row.
pub(crate) fn is_unique(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        for passing in [
            "5", "261", "517", "13", "14", "40P01", "08006", "53100", "57P01",
        ] {
            assert!(is_passing_code(passing), "{passing}");
        }
        for lasting in ["1", "19", "2067", "42601", "23505", "", "abc"] {
            assert!(!is_passing_code(lasting), "{lasting}");
        }
    }
}
