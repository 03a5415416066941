//! Durable runs on apps.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub kind: String,
    pub status: String,
    pub app_id: String,
    pub live_app_id: Option<String>,
    pub app_name: String,
    pub catalog_id: String,
    pub state: String,
    pub step: Option<String>,
    pub failure: Option<String>,
    pub unwinding: bool,
    pub cancellable: bool,
    pub cancel_requested: bool,
    pub cancel_requested_by: Option<String>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    pub generation: i64,
    pub lease_holder: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    pub attempts: i32,
    pub requested_by: String,
    pub created_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub abandoned_at: Option<DateTimeUtc>,
    pub abandoned_by: Option<String>,
    pub abandoned_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
