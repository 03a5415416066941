//! Lines of the journal.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub operation_id: String,
    pub app_id: String,
    pub kind: String,
    pub step: Option<String>,
    pub message: Option<String>,
    pub data: Option<String>,
    pub journal: Option<String>,
    pub time: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
