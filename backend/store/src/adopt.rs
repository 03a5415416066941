//! How an app comes back that only its container remembers: its row, a release and the operation, in one
//! transaction; and what the operation finds out about it afterwards.

use api::{AppId, OperationKind};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde_json::{Map, Value};

use crate::{
    Apps, Begun, Deployment, Error, Hidden, Lease, NewRelease, Operations, Replay, Result,
    begin::Row,
    entity::{app, release},
    error, text,
    write::Write,
};

/// An app to take back.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The app as its container tells of it, with the operation that takes it back.
    pub deployment: Deployment,
    /// Number of its container.
    pub vmid: u32,
    /// Node of its container.
    pub node: String,
    /// Storage of its root file system, where that is known.
    pub storage: Option<String>,
    /// When it was first deployed, where that is known.
    pub created_at: Option<DateTime<Utc>>,
}

/// What was found in the container of an app that is being taken back.
#[derive(Clone, Debug)]
pub struct Found {
    /// The version that is installed.
    pub release: NewRelease,
    /// Values of its parameters without secrets.
    pub parameters: Map<String, Value>,
    /// All its answers, sealed.
    pub sealed: Hidden<Vec<u8>>,
}

impl Operations<'_> {
    /// Writes the app with its number, a release, the operation that takes it back, its event, the idempotency key
    /// and the audit record. An app that was deleted here comes back under its own id, with its history.
    ///
    /// [`Error::Conflict`] when the app is there and not deleted, [`Error::NameTaken`] and [`Error::VmidTaken`] when
    /// another app has its name or its number.
    pub async fn adopt(&self, adoption: Adoption) -> Result<Begun> {
        let deployment = &adoption.deployment;
        let (app, operation) = (deployment.app.id, self.0.new_operation_id());
        let mut write = self.0.write().await?;
        if let Some(key) = &deployment.idempotency
            && let Some(Replay { app, operation }) = write.claim_key(key, app, operation).await?
        {
            drop(write);
            return self.begun(app, operation, true).await;
        }
        let release = self.0.new_release_id();
        match write.deleted(app).await? {
            Some(true) => write.revive_app(release, deployment).await?,
            Some(false) => return Err(Error::Conflict("the app is there already".to_owned())),
            None => write.insert_app(release, deployment).await?,
        }
        write.place_app(&adoption).await?;
        let number = write.next_release(app).await?;
        write
            .insert_release(release, app, number, deployment.release.clone())
            .await?;
        let row = Row {
            id: operation,
            kind: OperationKind::Adopt,
            app,
            app_name: deployment.app.name.clone(),
            catalog_id: deployment.release.catalog_id.clone(),
            state: deployment.state.clone(),
            requested_by: deployment.app.owner.clone(),
        };
        if !write.insert_operation(&row).await? {
            return Err(Error::Conflict(
                "another operation works on this app".to_owned(),
            ));
        }
        write.queued(&row, &deployment.audit).await?;
        write.commit().await?;
        self.begun(app, operation, false).await
    }
}

impl Apps<'_> {
    /// Writes down what was found in the container of the app of a driven adoption. The same may be written again.
    pub async fn found(&self, lease: &Lease, found: Found) -> Result<()> {
        let write = self.0.write().await?;
        write.fence(lease).await?;
        let row = app::Entity::find_by_id(lease.app.to_string())
            .one(&write.tx)
            .await?
            .ok_or(Error::NotFound("app"))?;
        let release = release::ActiveModel {
            id: Set(row.release_id.clone()),
            catalog_id: Set(found.release.catalog_id.clone()),
            version: Set(found.release.version.clone()),
            revision: Set(text::small(found.release.revision)),
            bundle: Set(found.release.bundle),
            ..Default::default()
        };
        release.update(&write.tx).await?;
        let app = app::ActiveModel {
            id: Set(row.id),
            catalog_id: Set(found.release.catalog_id),
            version: Set(found.release.version),
            parameters: Set(text::json(&found.parameters)),
            sealed: Set(found.sealed.0),
            updated_at: Set(write.now),
            ..Default::default()
        };
        app.update(&write.tx).await?;
        write.commit().await
    }
}

impl Apps<'_> {
    /// Takes back what [`found`](Self::found) wrote of the answers; `sealed` holds none.
    pub async fn forget_answers(&self, lease: &Lease, sealed: Hidden<Vec<u8>>) -> Result<()> {
        let write = self.0.write().await?;
        write.fence(lease).await?;
        let app = app::ActiveModel {
            id: Set(lease.app.to_string()),
            parameters: Set(text::json(&Map::<String, Value>::new())),
            sealed: Set(sealed.0),
            updated_at: Set(write.now),
            ..Default::default()
        };
        app.update(&write.tx).await?;
        write.commit().await
    }
}

impl Write<'_> {
    /// Whether the app is deleted; `None` where it never was.
    async fn deleted(&self, id: AppId) -> Result<Option<bool>> {
        let row = app::Entity::find_by_id(id.to_string())
            .one(&self.tx)
            .await?;
        Ok(row.map(|row| row.deleted_at.is_some()))
    }

    /// Brings the row of a deleted app back to life.
    async fn revive_app(&self, release: api::ReleaseId, deployment: &Deployment) -> Result<()> {
        let mut row = self.app_row(release, deployment);
        row.id = NotSet;
        row.created_at = NotSet;
        row.attention = Set(None);
        row.address = Set(None);
        row.deleted_at = Set(None);
        let revived = app::Entity::update_many()
            .set(row)
            .filter(app::Column::Id.eq(deployment.app.id.to_string()))
            .filter(app::Column::DeletedAt.is_not_null())
            .exec(&self.tx)
            .await;
        match revived {
            Ok(revived) if revived.rows_affected == 1 => Ok(()),
            Ok(_) => Err(Error::Conflict("the app is there already".to_owned())),
            Err(refusal) if error::is_unique(&refusal) => Err(Error::NameTaken {
                name: deployment.app.name.clone(),
            }),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn place_app(&self, adoption: &Adoption) -> Result<()> {
        let number = Some(i64::from(adoption.vmid));
        let place = app::ActiveModel {
            node: Set(Some(adoption.node.clone())),
            storage: Set(adoption.storage.clone()),
            vmid: Set(number),
            live_vmid: Set(number),
            created_at: adoption.created_at.map_or(NotSet, Set),
            ..Default::default()
        };
        let placed = app::Entity::update_many()
            .set(place)
            .filter(app::Column::Id.eq(adoption.deployment.app.id.to_string()))
            .exec(&self.tx)
            .await;
        match placed {
            Ok(_) => Ok(()),
            Err(refusal) if error::is_unique(&refusal) => Err(Error::VmidTaken {
                vmid: adoption.vmid,
            }),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The number behind that of the app's newest release.
    async fn next_release(&self, app: AppId) -> Result<u32> {
        let newest: Option<i32> = release::Entity::find()
            .select_only()
            .column(release::Column::Number)
            .filter(release::Column::AppId.eq(app.to_string()))
            .order_by_desc(release::Column::Number)
            .into_tuple()
            .one(&self.tx)
            .await?;
        text::count("releases.number", i64::from(newest.unwrap_or(0)) + 1)
    }
}
