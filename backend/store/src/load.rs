//! Filling a database from a copy of all rows: see [`dump`](crate::dump).

use std::io::BufRead;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, DbBackend, EntityTrait as _,
    ExprTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::{Alias, Expr, Query},
};
use serde_json::Value;

use crate::{
    Error, Result, Store,
    dump::{Header, Kind, TABLES, columns},
    entity::{app, counter, duty, operation, user},
    migration,
    write::Write,
};

/// Most values of one INSERT: SQLite takes 32766, PostgreSQL 65535.
const VALUES: usize = 20_000;
/// Most rows of one INSERT: each is in memory until then.
const ROWS: usize = 200;
/// Longest line that is read, bytes: far more than the largest release, far less than the memory.
const LINE: u64 = 256 << 20;

/// What must not go back when a database is put back over a newer one.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    generation: i64,
    event: i64,
}

impl Store {
    /// Whether nobody has used the database yet: it may have a schema, but no user, no app and no operation.
    pub async fn is_unused(&self) -> Result<bool> {
        let (_, applied) = self.steps().await?;
        if applied.is_empty() {
            return Ok(true);
        }
        let connection = &self.inner.connection;
        Ok(user::Entity::find().count(connection).await? == 0
            && app::Entity::find().count(connection).await? == 0
            && operation::Entity::find().count(connection).await? == 0)
    }

    /// Fills the database with the rows of a copy that had these steps of the schema, then brings the schema up to
    /// date. What was there is gone afterwards. One transaction: until its commit, and after any error, everything is
    /// as it was. Answers how many rows there were.
    ///
    /// Nobody holds a lease or a duty afterwards, and whoever held one before is fenced: generations and the numbers
    /// of events go on from where the higher of both was.
    pub async fn load(
        &self,
        lines: &mut (dyn BufRead + Send),
        migrations: &[String],
    ) -> Result<u64> {
        let known = migration::names();
        if let Some(unknown) = migrations.iter().find(|name| !known.contains(name)) {
            return Err(Error::NotACopy(format!(
                "the copy was made by a newer version of Proximity (it knows the migration `{unknown}`, this one \
                 does not): restore it with that version"
            )));
        }
        if migrations.is_empty() || migrations != &known[..migrations.len()] {
            return Err(Error::NotACopy(
                "the steps of the copy's schema are not those of any released version".to_owned(),
            ));
        }
        self.try_load(lines, migrations.len())
            .await
            .map_err(|error| self.inner.place.told(error))
    }

    async fn try_load(&self, lines: &mut (dyn BufRead + Send), steps: usize) -> Result<u64> {
        let write = self.write().await?;
        migration::lock(&write.tx).await?;
        let (_, applied) = migration::steps(&write.tx).await?;
        let floor = if applied.is_empty() {
            Floor::default()
        } else {
            floor(&write.tx).await?
        };
        for table in TABLES.iter().rev().chain(&["seaql_migrations"]) {
            let drop = format!("DROP TABLE IF EXISTS \"{table}\"");
            write.tx.execute_unprepared(&drop).await?;
        }
        let count = u32::try_from(steps).expect("there are few migrations");
        migration::up(&write.tx, Some(count)).await?;
        for table in TABLES.iter().rev() {
            if !columns(&write.tx, table).await?.is_empty() {
                let empty = format!("DELETE FROM \"{table}\"");
                write.tx.execute_unprepared(&empty).await?;
            }
        }
        let rows = fill(&write.tx, lines).await?;
        migration::up(&write.tx, None).await?;
        settle(&write, floor).await?;
        write.commit().await?;
        Ok(rows)
    }
}

async fn floor(tx: &DatabaseTransaction) -> Result<Floor> {
    let generation: Option<Option<i64>> = operation::Entity::find()
        .select_only()
        .column_as(operation::Column::Generation.max(), "most")
        .into_tuple()
        .one(tx)
        .await?;
    let duties: Option<Option<i64>> = duty::Entity::find()
        .select_only()
        .column_as(duty::Column::Generation.max(), "most")
        .into_tuple()
        .one(tx)
        .await?;
    let events = counter::Entity::find_by_id("events").one(tx).await?;
    let most = |value: Option<Option<i64>>| value.flatten().unwrap_or(0);
    Ok(Floor {
        generation: Ord::max(most(generation), most(duties)),
        event: events.map_or(0, |row| row.value),
    })
}

/// Frees what was held when the copy was made, and fences whoever may still hold it.
async fn settle(write: &Write<'_>, floor: Floor) -> Result<()> {
    let raise = |column: Expr| {
        Expr::case(column.clone().lt(floor.generation), floor.generation)
            .finally(column)
            .add(1)
    };
    operation::Entity::update_many()
        .col_expr(
            operation::Column::Generation,
            raise(Expr::col(operation::Column::Generation)),
        )
        .col_expr(operation::Column::LeaseHolder, Expr::value(None::<String>))
        .col_expr(
            operation::Column::LeaseUntil,
            Expr::value(None::<DateTime<Utc>>),
        )
        .filter(operation::Column::LiveAppId.is_not_null())
        .exec(&write.tx)
        .await?;
    duty::Entity::update_many()
        .col_expr(
            duty::Column::Generation,
            raise(Expr::col(duty::Column::Generation)),
        )
        .col_expr(duty::Column::Holder, Expr::value(None::<String>))
        .col_expr(duty::Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .exec(&write.tx)
        .await?;
    counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::value(floor.event))
        .filter(counter::Column::Name.eq("events"))
        .filter(counter::Column::Value.lt(floor.event))
        .exec(&write.tx)
        .await?;
    if write.tx.get_database_backend() == DbBackend::Postgres {
        // Rows that came with a number do not move the sequence that numbers the next one; on SQLite they do.
        let sequence = "SELECT setval(pg_get_serial_sequence('audit', 'id'), coalesce(max(id), 1), max(id) IS NOT NULL) FROM audit";
        write.tx.execute_unprepared(sequence).await?;
    }
    Ok(())
}

/// Reads lines and inserts rows, table by table.
async fn fill(tx: &DatabaseTransaction, lines: &mut (dyn BufRead + Send)) -> Result<u64> {
    let (mut number, mut rows) = (0_u64, 0);
    let mut table: Option<Header> = None;
    let mut batch: Vec<Vec<Value>> = Vec::new();
    loop {
        let line = read(lines, number + 1)?;
        number += 1;
        let is_row = line.starts_with('[');
        let full = table
            .as_ref()
            .is_some_and(|header| batch.len() >= ROWS.min(VALUES / header.columns.len().max(1)));
        if (!is_row || full) && !batch.is_empty() {
            rows += batch.len() as u64;
            let header = table
                .as_ref()
                .ok_or_else(|| wrong(number, "rows before a table"))?;
            insert(tx, header, std::mem::take(&mut batch), number).await?;
        }
        if line.is_empty() {
            return Ok(rows);
        }
        if is_row {
            let row =
                serde_json::from_str(&line).map_err(|error| wrong(number, &error.to_string()))?;
            if table.is_none() {
                return Err(wrong(number, "a row before a table"));
            }
            batch.push(row);
        } else {
            let header: Header =
                serde_json::from_str(&line).map_err(|error| wrong(number, &error.to_string()))?;
            check(tx, &header, number).await?;
            table = Some(header);
        }
    }
}

/// The next line without its end; empty at the end of the copy.
fn read(lines: &mut (dyn BufRead + Send), number: u64) -> Result<String> {
    let mut line = String::new();
    let read = std::io::Read::take(&mut *lines, LINE).read_line(&mut line);
    let read = read.map_err(|error| wrong(number, &error.to_string()))?;
    if read > 0 && line.pop() != Some('\n') {
        return Err(wrong(number, "it is cut off"));
    }
    if read > 0 && line.is_empty() {
        return Err(wrong(number, "it is empty"));
    }
    Ok(line)
}

/// Nothing of the copy reaches a statement as text unless it is a name that the schema itself has.
async fn check(tx: &DatabaseTransaction, header: &Header, number: u64) -> Result<()> {
    if !TABLES.contains(&header.table.as_str()) {
        return Err(wrong(number, "a table that there is not"));
    }
    let there = columns(tx, &header.table).await?;
    let fits = header.columns.iter().all(|column| there.contains(column))
        && header.columns.len() == there.len();
    if fits {
        Ok(())
    } else {
        Err(wrong(number, "columns that the table has not"))
    }
}

async fn insert(
    tx: &DatabaseTransaction,
    header: &Header,
    rows: Vec<Vec<Value>>,
    number: u64,
) -> Result<()> {
    let mut statement = Query::insert();
    statement
        .into_table(Alias::new(&header.table))
        .columns(header.columns.iter().map(|(name, _)| Alias::new(name)));
    for row in rows {
        if row.len() != header.columns.len() {
            return Err(wrong(
                number,
                "a row with too few or too many values before it",
            ));
        }
        let values = row
            .into_iter()
            .zip(&header.columns)
            .map(|(value, (_, kind))| parse(value, *kind))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong(number, "a value of another type before it"))?;
        statement.values_panic(values.into_iter().map(Expr::value));
    }
    tx.execute(&statement).await?;
    Ok(())
}

/// `None` for a value that is not of this kind.
fn parse(value: Value, kind: Kind) -> Option<sea_orm::Value> {
    Some(match (kind, value) {
        (Kind::Text, Value::Null) => None::<String>.into(),
        (Kind::Integer, Value::Null) => None::<i64>.into(),
        (Kind::Boolean, Value::Null) => None::<bool>.into(),
        (Kind::Bytes, Value::Null) => None::<Vec<u8>>.into(),
        (Kind::Time, Value::Null) => None::<DateTime<Utc>>.into(),
        (Kind::Text, Value::String(text)) => text.into(),
        (Kind::Integer, Value::Number(number)) => number.as_i64()?.into(),
        (Kind::Boolean, Value::Bool(value)) => value.into(),
        (Kind::Bytes, Value::String(text)) => BASE64.decode(text).ok()?.into(),
        (Kind::Time, Value::String(text)) => text.parse::<DateTime<Utc>>().ok()?.into(),
        _ => return None,
    })
}

fn wrong(number: u64, what: &str) -> Error {
    Error::NotACopy(format!(
        "the copy of the database is not one at line {number}: {what}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_by_type() {
        assert!(parse(Value::from(1), Kind::Text).is_none());
        assert!(parse(Value::from("x"), Kind::Integer).is_none());
        assert!(parse(Value::from(1.5), Kind::Integer).is_none());
        assert!(parse(Value::from("%%"), Kind::Bytes).is_none());
        assert!(parse(Value::from("2026-11-21"), Kind::Time).is_none());
        assert!(parse(Value::Null, Kind::Time).is_some());
    }

    #[test]
    fn a_line_that_is_cut_off_is_none() {
        assert!(read(&mut &b"[1"[..], 1).is_err());
        assert!(read(&mut &b"\n"[..], 1).is_err());
        assert_eq!(read(&mut &b"[1]\n"[..], 1).unwrap(), "[1]");
        assert_eq!(read(&mut &b""[..], 1).unwrap(), "");
    }
}
