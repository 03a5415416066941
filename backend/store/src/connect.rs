//! Opening the database.

use std::{fs, io, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc, time::Duration};

use log::LevelFilter;
use sea_orm::{
    ConnectOptions, Database, DbErr,
    sqlx::{
        self, Connection as _,
        sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous},
    },
};
use url::Url;

use crate::{Clock, Error, Result, Store, place::Place};

/// How long one statement waits for another process that writes to the same SQLite file (a backup, a shell).
const BUSY: Duration = Duration::from_secs(15);
/// How long a caller waits for a connection of the pool.
const ACQUIRE: Duration = Duration::from_secs(20);
/// How long PostgreSQL keeps the locks of a client that has fallen silent within a transaction. Without this, others
/// wait for a replica that was frozen or cut off until the network gives its connection up, which takes hours.
const SILENT: &str = "15s";
/// A statement that takes longer than this is told in the log.
const SLOW: Duration = Duration::from_secs(1);
const CONNECTIONS: u32 = 16;

impl Store {
    /// Opens `sqlite:///path/to/file` (made when absent) or `postgres://…`. Does not touch the schema: see
    /// [`migrate`](Self::migrate).
    pub async fn connect(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        // The text may hold a password: no error repeats it.
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => {
                let path = file(url)?;
                Self::open(Path::new(&path), clock).await
            }
            "postgres" | "postgresql" => {
                let address = Url::parse(url).map_err(|error| {
                    Error::Invalid(format!("the address of the database is not a URL: {error}"))
                })?;
                let place = Place::Server(server(&address));
                let mut options = ConnectOptions::new(url);
                options
                    .set_application_name("proximity")
                    .statement_timeout(Duration::from_mins(1))
                    .map_sqlx_postgres_opts(|postgres| {
                        postgres.options([("idle_in_transaction_session_timeout", SILENT)])
                    });
                match connect(options).await {
                    Ok(connection) => Ok(Self::new(connection, place, clock)),
                    Err(error) => Err(place.told(error)),
                }
            }
            _ => Err(Error::Invalid(
                "the address of the database begins with neither `sqlite:` nor `postgres:`"
                    .to_owned(),
            )),
        }
    }

    /// Opens a database that must be there: a SQLite file is not made.
    pub async fn connect_existing(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let path = file(url)?;
            if let Err(error) = fs::metadata(&path) {
                return Err(if error.kind() == io::ErrorKind::NotFound {
                    Error::Unusable(format!(
                        "there is no database `{path}`: name the data folder (PROXIMITY_DATA_DIR) or the database (DATABASE_URL) of the service"
                    ))
                } else {
                    Place::inaccessible(Path::new(&path), &error)
                });
            }
        }
        Self::connect(url, clock).await
    }

    /// Opens a SQLite file, or makes it, readable by nobody else: it holds hashes and sealed secrets.
    ///
    /// Every commit reaches the disk before it is acknowledged (`synchronous=FULL`): "write the VMID down, *then*
    /// create" must hold when the power fails in between.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        if path.as_os_str().is_empty()
            || path
                .to_str()
                .is_some_and(|path| path.starts_with(":memory:"))
        {
            return Err(Error::Invalid("the database needs a file".to_owned()));
        }
        make(path).map_err(|error| Place::inaccessible(path, &error))?;
        let place = Place::File(path.to_owned());
        let mut options = ConnectOptions::new("sqlite:file");
        let path = path.to_owned();
        options.map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&path)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY)
        });
        options.map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(is_clean(connection)))
        });
        match connect(options).await {
            Ok(connection) => Ok(Self::new(connection, place, clock)),
            Err(error) => Err(place.told(error)),
        }
    }
}

/// Whether a connection that comes back can be used again. On a full disk SQLite ends a transaction by itself; the
/// driver then miscounts, and would refuse every later transaction on this connection, or leave one open that keeps
/// everybody else from writing. Such a connection is closed.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(match connection.begin_with("BEGIN").await {
        Ok(begun) => begun.rollback().await.is_ok(),
        Err(_) => false,
    })
}

async fn connect(mut options: ConnectOptions) -> Result<sea_orm::DatabaseConnection> {
    options
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        .sqlx_logging_level(LevelFilter::Debug)
        .sqlx_slow_statements_logging_settings(LevelFilter::Warn, SLOW)
        .record_stmt_in_spans(false);
    Database::connect(options)
        .await
        .map_err(|error| match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Error::Unavailable(error),
            error => error.into(),
        })
}

/// SQLite gives the files beside the database (`-wal`, `-shm`) the mode of the database itself.
fn make(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// The path in a `sqlite:` URL.
fn file(url: &str) -> Result<String> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    decoded(path.split('?').next().unwrap_or_default())
}

/// The address as people may see it: no user, no password, no options.
fn server(address: &Url) -> String {
    let option = |name: &str| {
        let mut pairs = address.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    // A folder of a socket is given as an option.
    let host = option("host").or_else(|| address.host_str().map(str::to_owned));
    format!(
        "{}:{}{}",
        host.unwrap_or_default(),
        address.port().unwrap_or(5432),
        address.path()
    )
}

/// `%20` and the like in the path of a `sqlite:` URL.
fn decoded(path: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::Invalid("the path of the database is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded() {
        assert_eq!(decoded("/a%20b/c%3Fd%").unwrap(), "/a b/c?d%");
        assert!(decoded("%ff").is_err());
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_repeating_it() {
        for url in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2@h:port/d",
            "hunter2",
            "sqlite::memory:",
            "",
        ] {
            let error = Store::connect(url, Arc::new(crate::SystemClock))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{url}: {error:?}");
            assert!(!format!("{error:?} {error}").contains("hunter2"));
        }
    }
}
