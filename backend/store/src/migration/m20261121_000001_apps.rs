//! Apps and their releases.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary, integer, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null,
    },
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(apps()).await?;
        manager.create_table(releases()).await
    }
}

/// `live_…` columns carry the value while the app lives and NULL afterwards: unique among the living, and free
/// again for the next one, on any database.
fn apps() -> TableCreateStatement {
    Table::create()
        .table("apps")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(text("name"))
        .col(text_null("live_name").unique_key())
        .col(text("hostname"))
        .col(text_null("live_hostname").unique_key())
        .col(text("catalog_id"))
        .col(text("version"))
        .col(text("release_id"))
        .col(text("state"))
        .col(text_null("attention"))
        .col(text_null("node"))
        .col(big_integer_null("vmid"))
        .col(big_integer_null("live_vmid").unique_key())
        .col(text_null("address"))
        .col(text("nonce"))
        .col(text_null("storage"))
        .col(integer("cores"))
        .col(big_integer("memory"))
        .col(big_integer("swap"))
        .col(big_integer("disk"))
        .col(text("network"))
        .col(text("parameters"))
        .col(binary("sealed"))
        .col(text("endpoints"))
        .col(text("owner"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("deleted_at"))
        .take()
}

fn releases() -> TableCreateStatement {
    Table::create()
        .table("releases")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(text("app_id"))
        .col(integer("number"))
        .col(text("catalog_id"))
        .col(text("version"))
        .col(integer("revision"))
        .col(binary("bundle"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(
            ForeignKey::create()
                .from("releases", "app_id")
                .to("apps", "id"),
        )
        .index(
            Index::create()
                .name("releases_number")
                .col("app_id")
                .col("number")
                .unique(),
        )
        .take()
}
