//! The schema, one file per step. The name of a file is stored in every database that it was applied to, so
//! that a released step is never renamed or changed: a correction is a new step.

#![expect(
    elided_lifetimes_in_paths,
    reason = "`MigrationTrait` elides the lifetime of its manager"
)]

use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, prelude::SchemaManager};

use crate::{Error, Result, Store};

mod m20261121_000001_apps;
mod m20261121_000002_operations;
mod m20261121_000003_people;
mod m20261121_000004_records;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_apps::Migration),
            Box::new(m20261121_000002_operations::Migration),
            Box::new(m20261121_000003_people::Migration),
            Box::new(m20261121_000004_records::Migration),
        ]
    }
}

/// How often a replica looks again when its migration fails: the other replica may be doing the same one.
const ATTEMPTS: u32 = 5;

impl Store {
    /// Brings the schema up to date and answers how many steps that took. Several replicas may start at once:
    /// the one that comes second finds the work done.
    ///
    /// Answers [`Error::Newer`] when the database knows a step that this version does not.
    pub async fn migrate(&self) -> Result<usize> {
        let pending = self.pending_migrations().await?;
        if pending == 0 {
            return Ok(0);
        }
        let mut attempt = 1;
        loop {
            let failed = match Migrator::up(&self.inner.connection, None).await {
                Ok(()) => {
                    tracing::info!(
                        steps = pending,
                        "brought the schema of the database up to date"
                    );
                    return Ok(pending);
                }
                Err(error) => error,
            };
            // No lock is the same on both databases; looking again is.
            if self.pending_migrations().await? == 0 {
                return Ok(pending);
            }
            if attempt == ATTEMPTS {
                return Err(failed.into());
            }
            attempt += 1;
        }
    }

    /// How many steps of the schema are not applied yet. Reads only.
    pub async fn pending_migrations(&self) -> Result<usize> {
        let connection = &self.inner.connection;
        let known: Vec<String> = Migrator::migrations()
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect();
        if !SchemaManager::new(connection)
            .has_table("seaql_migrations")
            .await?
        {
            return Ok(known.len());
        }
        let applied = applied(connection).await?;
        if let Some(migration) = applied.iter().find(|name| !known.contains(name)) {
            return Err(Error::Newer {
                migration: migration.clone(),
            });
        }
        Ok(known.len() - applied.len())
    }
}

async fn applied(connection: &impl ConnectionTrait) -> Result<Vec<String>> {
    let rows = Migrator::get_migration_models(connection).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are in every database out there.
    #[test]
    fn names_are_a_stored_format() {
        let names: Vec<String> = Migrator::migrations()
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect();
        assert_eq!(
            names,
            [
                "m20261121_000001_apps",
                "m20261121_000002_operations",
                "m20261121_000003_people",
                "m20261121_000004_records",
            ]
        );
    }
}
