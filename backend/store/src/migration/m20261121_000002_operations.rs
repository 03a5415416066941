//! Operations, their events, duties, and the counter that numbers events.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, boolean, integer, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null,
    },
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(operations()).await?;
        manager.create_table(events()).await?;
        manager
            .create_index(index("operations_app", "operations", ["app_id", "id"]))
            .await?;
        manager
            .create_index(index("operations_status", "operations", ["status", "id"]))
            .await?;
        manager
            .create_index(index("events_operation", "events", ["operation_id", "id"]))
            .await?;
        manager
            .create_index(index("events_app", "events", ["app_id", "id"]))
            .await?;
        manager.create_table(duties()).await?;
        manager.create_table(counters()).await?;
        let first = Query::insert()
            .into_table("counters")
            .columns(["name", "value"])
            .values_panic(["events".into(), 0_i64.into()])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .to_owned();
        manager.execute(first).await
    }
}

/// `live_app_id` is set until the operation is over: at most one live operation per app.
fn operations() -> TableCreateStatement {
    Table::create()
        .table("operations")
        .if_not_exists()
        .col(text("id").primary_key())
        .col(text("kind"))
        .col(text("status"))
        .col(text("app_id"))
        .col(text_null("live_app_id").unique_key())
        .col(text("app_name"))
        .col(text("catalog_id"))
        .col(text("state"))
        .col(text_null("step"))
        .col(text_null("failure"))
        .col(boolean("unwinding"))
        .col(boolean("cancellable"))
        .col(boolean("cancel_requested"))
        .col(text_null("cancel_requested_by"))
        .col(timestamp_with_time_zone_null("cancel_requested_at"))
        .col(big_integer("generation"))
        .col(text_null("lease_holder"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .col(integer("attempts"))
        .col(text("requested_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(timestamp_with_time_zone_null("abandoned_at"))
        .col(text_null("abandoned_by"))
        .col(text_null("abandoned_reason"))
        .foreign_key(
            ForeignKey::create()
                .from("operations", "app_id")
                .to("apps", "id"),
        )
        .take()
}

/// `journal` holds the engine's own event where a row is one; rows without it are for people only.
fn events() -> TableCreateStatement {
    Table::create()
        .table("events")
        .if_not_exists()
        .col(big_integer("id").primary_key())
        .col(text("operation_id"))
        .col(text("app_id"))
        .col(text("kind"))
        .col(text_null("step"))
        .col(text_null("message"))
        .col(text_null("data"))
        .col(text_null("journal"))
        .col(timestamp_with_time_zone("time"))
        .foreign_key(
            ForeignKey::create()
                .from("events", "operation_id")
                .to("operations", "id"),
        )
        .take()
}

fn duties() -> TableCreateStatement {
    Table::create()
        .table("duties")
        .if_not_exists()
        .col(text("name").primary_key())
        .col(big_integer("generation"))
        .col(text_null("holder"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .take()
}

fn counters() -> TableCreateStatement {
    Table::create()
        .table("counters")
        .if_not_exists()
        .col(text("name").primary_key())
        .col(big_integer("value"))
        .take()
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: [&'static str; 2],
) -> IndexCreateStatement {
    let [first, second] = columns;
    Index::create()
        .name(name)
        .table(table)
        .if_not_exists()
        .col(first)
        .col(second)
        .take()
}
