//! The schema, one file per step. The name of a file is stored in every database that it was applied to, so
//! that a released step is never renamed or changed: a correction is a new step.

#![expect(
    elided_lifetimes_in_paths,
    reason = "`MigrationTrait` elides the lifetime of its manager"
)]

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait as _, QueryOrder as _};
use sea_orm_migration::{
    IntoSchemaManagerConnection, MigrationTrait, MigratorTrait, async_trait,
    prelude::SchemaManager, seaql_migrations,
};

use crate::{Error, Result, Store};

mod m20261121_000001_apps;
mod m20261121_000002_operations;
mod m20261121_000003_people;
mod m20261121_000004_records;
mod m20261121_000005_filters;
mod m20261121_000010_turns;
mod m20261121_000015_attention;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_apps::Migration),
            Box::new(m20261121_000002_operations::Migration),
            Box::new(m20261121_000003_people::Migration),
            Box::new(m20261121_000004_records::Migration),
            Box::new(m20261121_000005_filters::Migration),
            Box::new(m20261121_000010_turns::Migration),
            Box::new(m20261121_000015_attention::Migration),
        ]
    }
}

/// What replicas that migrate the same PostgreSQL database wait for: any number that nobody else uses.
const LOCK: i64 = 0x7072_6f78_696d;

impl Store {
    /// Brings the schema up to date and answers how many steps that took. All of them in one transaction: a database
    /// is at the old version or at the new one. Several replicas may start at once: the one that comes second waits,
    /// and finds the work done.
    ///
    /// A SQLite file that is not new is copied beside itself before; where that cannot be done nothing is changed.
    ///
    /// Answers [`Error::Newer`] when the database knows a step that this version does not, and [`Error::Unusable`] with
    /// a sentence when the database cannot be written.
    pub async fn migrate(&self) -> Result<usize> {
        self.try_migrate()
            .await
            .map_err(|error| self.inner.place.told(error))
    }

    async fn try_migrate(&self) -> Result<usize> {
        let (known, applied) = self.steps().await?;
        if known.len() == applied.len() {
            return Ok(0);
        }
        if !applied.is_empty() {
            let next = known.iter().find(|name| !applied.contains(name));
            let next = next.map(String::as_str).unwrap_or_default();
            if let Some(copy) = self.copy_before(next).await? {
                tracing::info!(
                    copy = %copy.display(),
                    "the database is of an older version: a copy of it as it was is kept at {}", copy.display()
                );
            }
        }
        let write = self.write().await?;
        lock(&write.tx).await?;
        let (known, applied) = steps(&write.tx).await?;
        let pending = known.len() - applied.len();
        if pending > 0 {
            up(&write.tx, None).await?;
        }
        write.commit().await?;
        if pending > 0 {
            tracing::info!(
                steps = pending,
                "brought the schema of the database up to date"
            );
        }
        Ok(pending)
    }

    /// How many steps of the schema are not applied yet. Reads only.
    pub async fn pending_migrations(&self) -> Result<usize> {
        let (known, applied) = self.steps().await?;
        Ok(known.len() - applied.len())
    }

    /// The steps that this version knows, and those that are applied.
    pub(crate) async fn steps(&self) -> Result<(Vec<String>, Vec<String>)> {
        steps(&self.inner.connection).await
    }
}

/// The steps that this version knows, and those that are applied. Reads only.
pub(crate) async fn steps<'c, C: ConnectionTrait>(
    connection: &'c C,
) -> Result<(Vec<String>, Vec<String>)>
where
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let known = names();
    let manager = SchemaManager::new(connection);
    if !manager.has_table("seaql_migrations").await? {
        return Ok((known, Vec::new()));
    }
    // Not by the migrator's own question: that one makes the table, too.
    let models = seaql_migrations::Entity::find()
        .order_by_asc(seaql_migrations::Column::Version)
        .all(connection)
        .await?;
    let applied: Vec<String> = models.into_iter().map(|row| row.version).collect();
    match applied.iter().find(|name| !known.contains(name)) {
        Some(migration) => Err(Error::Newer {
            migration: migration.clone(),
        }),
        None => Ok((known, applied)),
    }
}

/// Makes others who change the schema wait until the end of the transaction. SQLite has one writer in any case.
pub(crate) async fn lock(tx: &DatabaseTransaction) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        // The limit on statements is for those that work, not for one that waits for another replica.
        tx.execute_unprepared("SET LOCAL statement_timeout = 0")
            .await?;
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
            .await?;
    }
    Ok(())
}

/// All steps that this version knows, in order.
pub(crate) fn names() -> Vec<String> {
    Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

/// Applies so many steps, or all.
pub(crate) async fn up(tx: &DatabaseTransaction, steps: Option<u32>) -> Result<()> {
    Ok(Migrator::up(tx, steps).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are in every database out there.
    #[test]
    fn names_are_a_stored_format() {
        assert_eq!(
            names(),
            [
                "m20261121_000001_apps",
                "m20261121_000002_operations",
                "m20261121_000003_people",
                "m20261121_000004_records",
                "m20261121_000005_filters",
                "m20261121_000010_turns",
                "m20261121_000015_attention",
            ]
        );
    }

    /// A database of the first released version, with a row in it, is brought up to date with a copy made before; where
    /// the copy cannot be made nothing changes.
    #[tokio::test]
    async fn an_old_file_is_copied_before_it_is_changed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&path, std::sync::Arc::new(crate::SystemClock))
            .await
            .unwrap();
        let write = store.write().await.unwrap();
        up(&write.tx, Some(4)).await.unwrap();
        write.commit().await.unwrap();
        store.settings().set("kept", "yes").await.unwrap();

        let copy = folder
            .path()
            .join("store.db.before-m20261121_000005_filters.1");
        let blocked = folder.path().join("blocked.db");
        std::fs::copy(&path, &blocked).unwrap();
        assert_eq!(store.migrate().await.unwrap(), names().len() - 4);
        assert_eq!(store.settings().get("kept").await.unwrap().unwrap(), "yes");
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let old = Store::open(&copy, std::sync::Arc::new(crate::SystemClock))
            .await
            .unwrap();
        assert_eq!(old.pending_migrations().await.unwrap(), names().len() - 4);
        assert_eq!(old.settings().get("kept").await.unwrap().unwrap(), "yes");
        // Nothing to do, nothing to copy.
        assert_eq!(store.migrate().await.unwrap(), 0);
        let copies = std::fs::read_dir(folder.path()).unwrap();
        let copies = copies.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_str().unwrap().contains(".before-")
                && !name.to_str().unwrap().contains("-wal")
                && !name.to_str().unwrap().contains("-shm")
        });
        assert_eq!(copies.count(), 1);
    }
}
