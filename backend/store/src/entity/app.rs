//! Installed apps.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "apps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub live_name: Option<String>,
    pub hostname: String,
    pub live_hostname: Option<String>,
    pub catalog_id: String,
    pub version: String,
    pub release_id: String,
    pub state: String,
    pub attention: Option<String>,
    pub attention_by: Option<String>,
    pub node: Option<String>,
    pub vmid: Option<i64>,
    pub live_vmid: Option<i64>,
    pub address: Option<String>,
    pub nonce: String,
    pub storage: Option<String>,
    pub cores: i32,
    pub memory: i64,
    pub swap: i64,
    pub disk: i64,
    pub network: String,
    pub parameters: String,
    pub sealed: Vec<u8>,
    pub endpoints: String,
    pub owner: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
