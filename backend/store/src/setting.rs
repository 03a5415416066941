//! Settings that the service keeps for itself: what all replicas must agree on.

use sea_orm::{ActiveValue::Set, EntityTrait as _, sea_query::OnConflict};

use crate::{
    Error, Result, Store,
    begin::nothing,
    entity::setting::{ActiveModel, Column, Entity},
};

/// The repository of settings, by name. Nothing here is a secret as it stands: what has secrets in it comes sealed.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a>(pub(crate) &'a Store);

impl Settings<'_> {
    /// The value of a setting.
    pub async fn get(&self, name: &str) -> Result<Option<String>> {
        let row = Entity::find_by_id(name)
            .one(&self.0.inner.connection)
            .await?;
        Ok(row.map(|row| row.value))
    }

    /// Sets a setting.
    pub async fn set(&self, name: &str, value: &str) -> Result<()> {
        let replace = OnConflict::column(Column::Name)
            .update_columns([Column::Value, Column::UpdatedAt])
            .to_owned();
        self.insert(name, value, replace).await.map(drop)
    }

    /// Sets a setting that has no value yet, and answers the value that holds: of two replicas that start at once, the
    /// first one's.
    pub async fn set_once(&self, name: &str, value: &str) -> Result<String> {
        self.insert(name, value, nothing()).await
    }

    /// Removes a setting. One that is not there is none the worse for it.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let write = self.0.write().await?;
        Entity::delete_by_id(name).exec(&write.tx).await?;
        write.commit().await
    }

    async fn insert(&self, name: &str, value: &str, conflict: OnConflict) -> Result<String> {
        let write = self.0.write().await?;
        let row = ActiveModel {
            name: Set(name.to_owned()),
            value: Set(value.to_owned()),
            updated_at: Set(write.now),
        };
        Entity::insert(row)
            .on_conflict(conflict)
            .try_insert()
            .exec_without_returning(&write.tx)
            .await?;
        let row = Entity::find_by_id(name).one(&write.tx).await?;
        write.commit().await?;
        row.map(|row| row.value).ok_or(Error::NotFound("setting"))
    }
}
