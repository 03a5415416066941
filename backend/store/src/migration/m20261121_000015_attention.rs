//! Who told a person to look after an app.

use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter()
            .table("apps")
            .add_column(text_null("attention_by"))
            .take();
        manager.alter_table(column).await
    }
}
