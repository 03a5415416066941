//! What decides whose turn it is: the rows that claims and promises are serialised by, and an index of the
//! operations that live, so that finding the next one does not read a history of years.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["claims", "promises"] {
            let first = Query::insert()
                .into_table("counters")
                .columns(["name", "value"])
                .values_panic([name.into(), 0_i64.into()])
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .to_owned();
            manager.execute(first).await?;
        }
        // Both databases take a partial index in these words.
        let index = "CREATE INDEX IF NOT EXISTS operations_live ON operations (id) WHERE live_app_id IS NOT NULL";
        manager
            .get_connection()
            .execute_unprepared(index)
            .await
            .map(drop)
    }
}
