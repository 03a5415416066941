//! What is remembered of requests, of the nodes and of settings.

use sea_orm_migration::{
    prelude::*,
    schema::{big_pk_auto, binary, text, text_null, timestamp_with_time_zone},
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(idempotency_keys()).await?;
        manager.create_table(audit()).await?;
        manager.create_table(known_hosts()).await?;
        manager.create_table(settings()).await
    }
}

fn idempotency_keys() -> TableCreateStatement {
    Table::create()
        .table("idempotency_keys")
        .if_not_exists()
        .col(text("principal"))
        .col(text("key"))
        .col(binary("request_hash"))
        .col(text("operation_id"))
        .col(text("app_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("principal").col("key"))
        .take()
}

fn audit() -> TableCreateStatement {
    Table::create()
        .table("audit")
        .if_not_exists()
        .col(big_pk_auto("id"))
        .col(text("principal"))
        .col(text("action"))
        .col(text("target"))
        .col(text("outcome"))
        .col(text_null("request_id"))
        .col(text_null("detail"))
        .col(timestamp_with_time_zone("time"))
        .take()
}

fn known_hosts() -> TableCreateStatement {
    Table::create()
        .table("known_hosts")
        .if_not_exists()
        .col(text("node").primary_key())
        .col(text("key"))
        .col(timestamp_with_time_zone("learnt_at"))
        .take()
}

fn settings() -> TableCreateStatement {
    Table::create()
        .table("settings")
        .if_not_exists()
        .col(text("name").primary_key())
        .col(text("value"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}
