//! Releases: the immutable versions of an app.

use api::{AppId, ReleaseId};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};

use crate::{
    Error, Result, Store,
    entity::release::{ActiveModel, Column, Entity, Model},
    text,
    write::Write,
};

/// A version of an app as it was installed: the catalog may have moved on since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Identifier.
    pub id: ReleaseId,
    /// The app.
    pub app: AppId,
    /// From 1, in the order of installation.
    pub number: u32,
    /// Catalog entry.
    pub catalog_id: String,
    /// Version of the entry.
    pub version: String,
    /// Revision of the entry at the same version.
    pub revision: u32,
    /// The entry's files, in a form that the store does not look into.
    pub bundle: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A release to be.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// Catalog entry.
    pub catalog_id: String,
    /// Version of the entry.
    pub version: String,
    /// Revision of the entry at the same version.
    pub revision: u32,
    /// The entry's files.
    pub bundle: Vec<u8>,
}

/// The repository of releases.
#[derive(Clone, Copy, Debug)]
pub struct Releases<'a>(pub(crate) &'a Store);

impl Releases<'_> {
    /// The release with this id.
    pub async fn get(&self, id: ReleaseId) -> Result<Release> {
        let row = Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        row.ok_or(Error::NotFound("release"))
            .and_then(Release::try_from)
    }

    /// All releases of an app, newest first, with their bundles.
    pub async fn of(&self, app: AppId) -> Result<Vec<Release>> {
        let rows = Entity::find()
            .filter(Column::AppId.eq(app.to_string()))
            .order_by_desc(Column::Number)
            .all(&self.0.inner.connection)
            .await?;
        rows.into_iter().map(Release::try_from).collect()
    }
}

impl Write<'_> {
    pub(crate) async fn insert_release(
        &self,
        id: ReleaseId,
        app: AppId,
        number: u32,
        release: NewRelease,
    ) -> Result<()> {
        let row = ActiveModel {
            id: Set(id.to_string()),
            app_id: Set(app.to_string()),
            number: Set(text::small(number)),
            catalog_id: Set(release.catalog_id),
            version: Set(release.version),
            revision: Set(text::small(release.revision)),
            bundle: Set(release.bundle),
            created_at: Set(self.now),
        };
        Entity::insert(row).exec_without_returning(&self.tx).await?;
        Ok(())
    }
}

impl TryFrom<Model> for Release {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: text::parse("releases.id", &row.id)?,
            app: text::parse("releases.app_id", &row.app_id)?,
            number: text::count("releases.number", row.number.into())?,
            catalog_id: row.catalog_id,
            version: row.version,
            revision: text::count("releases.revision", row.revision.into())?,
            bundle: row.bundle,
            created_at: row.created_at,
        })
    }
}
