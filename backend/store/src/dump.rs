//! All rows as text: one consistent copy of the database that either kind of database can be filled from.
//!
//! Rows and not a copy of a file, because that works alike on SQLite and PostgreSQL, while the service writes, and moves
//! an installation from one to the other. A line is a JSON array; before the rows of a table comes a line that names
//! its columns and their types:
//!
//! ```text
//! {"table":"users","columns":[["id","text"],["created_at","time"]]}
//! ["usr_0199…","2026-11-21T08:00:00.000000Z"]
//! ```
//!
//! The columns are read from the database and not from this version's entities: a copy of an older schema keeps what that
//! schema had.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::TryStreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, QueryResult,
    Statement, StreamTrait as _, TransactionOptions, TransactionTrait as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, Store, migration};

/// Every table but that of the migrations, in an order in which a row never points to one that comes later.
pub(crate) const TABLES: [&str; 13] = [
    "settings",
    "known_hosts",
    "users",
    "tokens",
    "sessions",
    "apps",
    "releases",
    "operations",
    "events",
    "idempotency_keys",
    "audit",
    "duties",
    "counters",
];
/// What a copy leaves out: logins end with the database that they were made in.
const LEFT_OUT: [&str; 1] = ["sessions"];

/// What a copy is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// The steps of the schema that the database had, in order.
    pub migrations: Vec<String>,
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// Rows of all tables together.
    pub rows: u64,
}

/// The line before the rows of a table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) table: String,
    pub(crate) columns: Vec<(String, Kind)>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A JSON string.
    Text,
    /// A JSON number without a fraction.
    Integer,
    /// A JSON boolean.
    Boolean,
    /// Base64 in a JSON string.
    Bytes,
    /// RFC 3339 with microseconds in a JSON string.
    Time,
}

impl Store {
    /// Writes all rows as they are at one moment, while others go on writing. [`Error::Newer`] for a schema that this
    /// version does not know, for then it does not know all tables either.
    pub async fn dump(&self, out: &mut (dyn io::Write + Send)) -> Result<Dumped> {
        let connection = &self.inner.connection;
        let backend = connection.get_database_backend();
        let is_server = backend == DbBackend::Postgres;
        // On SQLite every reading transaction sees one moment; PostgreSQL must be asked for that.
        let tx = connection
            .begin_with_options(TransactionOptions {
                isolation_level: is_server.then_some(IsolationLevel::RepeatableRead),
                access_mode: is_server.then_some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            })
            .await?;
        if is_server {
            tx.execute_unprepared("SET LOCAL statement_timeout = 0")
                .await?;
        }
        let (_, migrations) = migration::steps(&tx).await?;
        let mut rows = 0;
        for table in TABLES.iter().filter(|table| !LEFT_OUT.contains(table)) {
            let columns = columns(&tx, table).await?;
            // A table that came with a later step of the schema.
            if !columns.is_empty() {
                rows += copy(&tx, table, columns, out).await?;
            }
        }
        tx.commit().await?;
        Ok(Dumped {
            migrations,
            database: if is_server { "postgresql" } else { "sqlite" },
            rows,
        })
    }
}

async fn copy(
    tx: &DatabaseTransaction,
    table: &str,
    columns: Vec<(String, Kind)>,
    out: &mut (dyn io::Write + Send),
) -> Result<u64> {
    let expressions: Vec<String> = columns
        .iter()
        .map(|(name, kind)| match kind {
            // PostgreSQL has integers of two sizes, which are read as different types.
            Kind::Integer => format!("CAST(\"{name}\" AS bigint)"),
            _ => format!("\"{name}\""),
        })
        .collect();
    let header = Header {
        table: table.to_owned(),
        columns,
    };
    line(out, &header)?;
    let statement = Statement::from_string(
        ConnectionTrait::get_database_backend(tx),
        format!("SELECT {} FROM \"{table}\"", expressions.join(", ")),
    );
    let mut found = tx.stream_raw(statement).await?;
    let mut rows = 0;
    while let Some(row) = found.try_next().await? {
        let values: Vec<Value> = header
            .columns
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| value(&row, index, *kind))
            .collect::<Result<_>>()?;
        line(out, &values)?;
        rows += 1;
    }
    Ok(rows)
}

fn value(row: &QueryResult, index: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Text => row.try_get_by_index::<Option<String>>(index)?.into(),
        Kind::Integer => row.try_get_by_index::<Option<i64>>(index)?.into(),
        Kind::Boolean => row.try_get_by_index::<Option<bool>>(index)?.into(),
        Kind::Bytes => {
            let bytes: Option<Vec<u8>> = row.try_get_by_index(index)?;
            bytes.map(|bytes| BASE64.encode(bytes)).into()
        }
        Kind::Time => {
            let time: Option<DateTime<Utc>> = row.try_get_by_index(index)?;
            time.map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
                .into()
        }
    })
}

/// The columns of a table as the database itself has them; none, where there is no such table.
pub(crate) async fn columns(tx: &DatabaseTransaction, table: &str) -> Result<Vec<(String, Kind)>> {
    let backend = ConnectionTrait::get_database_backend(tx);
    let question = match backend {
        DbBackend::Postgres => {
            "SELECT CAST(column_name AS text), CAST(data_type AS text) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
        }
        _ => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
    };
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            question,
            [table.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let declared: String = row.try_get_by_index(1)?;
            Ok((row.try_get_by_index(0)?, kind(&declared)?))
        })
        .collect()
}

/// By the names that both databases have for the few types that the schema uses.
fn kind(declared: &str) -> Result<Kind> {
    let declared = declared.to_lowercase();
    let has = |word| declared.contains(word);
    if has("timestamp") {
        Ok(Kind::Time)
    } else if has("text") || has("char") {
        Ok(Kind::Text)
    } else if has("bool") {
        Ok(Kind::Boolean)
    } else if has("int") {
        Ok(Kind::Integer)
    } else if has("blob") || has("bytea") || has("binary") {
        Ok(Kind::Bytes)
    } else {
        Err(Error::Corrupt {
            place: "the schema",
            reason: format!("a column of the type `{declared}`"),
        })
    }
}

fn line(out: &mut (dyn io::Write + Send), value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(&mut *out, value)
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| Error::NotACopy(format!("the copy cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that is not in the list would be missing from every backup.
    #[tokio::test]
    async fn every_table_is_in_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let clock = std::sync::Arc::new(crate::SystemClock);
        let store = Store::open(&folder.path().join("store.db"), clock)
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let question = "SELECT name FROM sqlite_master WHERE type = 'table' \
                        AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
        let statement = Statement::from_string(DbBackend::Sqlite, question);
        let rows = store
            .inner
            .connection
            .query_all_raw(statement)
            .await
            .unwrap();
        let mut there: Vec<String> = rows
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        let mut listed = TABLES.map(str::to_owned).to_vec();
        there.sort();
        listed.sort();
        assert_eq!(there, listed);
    }
}
