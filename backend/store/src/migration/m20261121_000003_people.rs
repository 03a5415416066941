//! Users, their sessions and tokens.

use sea_orm_migration::{
    prelude::*,
    schema::{binary, text, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(users()).await?;
        manager.create_table(sessions()).await?;
        manager.create_table(tokens()).await
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(text("name").unique_key())
        .col(text("password_hash"))
        .col(text("role"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("disabled_at"))
        .take()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(binary("secret_hash").unique_key())
        .col(binary("csrf_hash"))
        .col(text("user_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(
            ForeignKey::create()
                .from("sessions", "user_id")
                .to("users", "id"),
        )
        .take()
}

fn tokens() -> TableCreateStatement {
    Table::create()
        .table("tokens")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(text("name"))
        .col(binary("secret_hash").unique_key())
        .col(text("user_id"))
        .col(text("scopes"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .foreign_key(
            ForeignKey::create()
                .from("tokens", "user_id")
                .to("users", "id"),
        )
        .take()
}
