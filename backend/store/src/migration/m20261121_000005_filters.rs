//! Operations are found by kind, by the name that their app had, and by time.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const INDEXES: [(&str, &[&str]); 3] = [
    ("operations_kind", &["kind", "id"]),
    ("operations_app_name", &["app_name", "id"]),
    ("operations_created", &["created_at"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDEXES {
            let mut index = Index::create();
            index.name(name).table("operations").if_not_exists();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        // What retention looks for.
        let mut events = Index::create();
        events.name("events_time").table("events").if_not_exists();
        manager.create_index(events.col("time").to_owned()).await?;
        let mut audit = Index::create();
        audit.name("audit_time").table("audit").if_not_exists();
        manager.create_index(audit.col("time").to_owned()).await
    }
}
