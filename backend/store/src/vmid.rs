//! What is promised to apps: container numbers and room on nodes.

use std::collections::{BTreeMap, BTreeSet};

use api::{AppId, AppReference, AppState};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};

use crate::{
    Apps, Error, Lease, Result,
    entity::app::{ActiveModel, Column, Entity},
    error, text,
};

/// What one app was promised on a node. The store does not know how much of it the node's own figures
/// already contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The app.
    pub app: AppId,
    /// Where it is in its life.
    pub state: AppState,
    /// The node.
    pub node: String,
    /// Number of its container, once reserved.
    pub vmid: Option<u32>,
    /// Storage of its root file system.
    pub storage: Option<String>,
    /// CPU cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory: u64,
    /// Root file system, bytes.
    pub disk: u64,
}

impl Apps<'_> {
    /// Reserves a number for the app of a driven operation, in place of the one that it may hold. Answers
    /// [`Error::VmidTaken`] when another app holds it; whether a foreign container does, only Proxmox knows.
    pub async fn reserve_vmid(&self, lease: &Lease, vmid: u32) -> Result<()> {
        self.set_vmid(lease, Some(vmid)).await
    }

    /// Gives the number of the app of a driven operation back.
    pub async fn release_vmid(&self, lease: &Lease) -> Result<()> {
        self.set_vmid(lease, None).await
    }

    async fn set_vmid(&self, lease: &Lease, vmid: Option<u32>) -> Result<()> {
        let write = self.0.write().await?;
        write.fence(lease).await?;
        let number = vmid.map(i64::from);
        let change = ActiveModel {
            vmid: Set(number),
            live_vmid: Set(number),
            updated_at: Set(write.now),
            ..Default::default()
        };
        let changed = Entity::update_many()
            .set(change)
            .filter(Column::Id.eq(lease.app.to_string()))
            .filter(Column::DeletedAt.is_null())
            .exec(&write.tx)
            .await;
        match (changed, vmid) {
            (Ok(changed), _) if changed.rows_affected == 1 => write.commit().await,
            (Ok(_), _) => Err(Error::NotFound("app")),
            (Err(refusal), Some(vmid)) if error::is_unique(&refusal) => {
                Err(Error::VmidTaken { vmid })
            }
            (Err(refusal), _) => Err(refusal.into()),
        }
    }

    /// All numbers that apps hold.
    pub async fn reserved_vmids(&self) -> Result<BTreeSet<u32>> {
        let numbers: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::LiveVmid)
            .filter(Column::LiveVmid.is_not_null())
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        numbers
            .into_iter()
            .map(|number| text::count("apps.live_vmid", number))
            .collect()
    }

    /// What every app that is not deleted was promised, once its node is chosen.
    pub async fn promised(&self) -> Result<Vec<Promise>> {
        let rows = Entity::find()
            .filter(Column::DeletedAt.is_null())
            .filter(Column::Node.is_not_null())
            .all(&self.0.inner.connection)
            .await?;
        let mut promises = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(node) = row.node else { continue };
            promises.push(Promise {
                app: text::parse("apps.id", &row.id)?,
                state: text::parse("apps.state", &row.state)?,
                node,
                vmid: row
                    .vmid
                    .map(|vmid| text::count("apps.vmid", vmid))
                    .transpose()?,
                storage: row.storage,
                cores: text::count("apps.cores", row.cores.into())?,
                memory: text::count("apps.memory", row.memory)?,
                disk: text::count("apps.disk", row.disk)?,
            });
        }
        Ok(promises)
    }

    /// The app of every container that we have or are about to have, by its number.
    pub async fn residents(&self) -> Result<BTreeMap<u32, AppReference>> {
        let rows: Vec<(Option<i64>, String, String, String)> = Entity::find()
            .select_only()
            .columns([
                Column::LiveVmid,
                Column::Id,
                Column::Name,
                Column::CatalogId,
            ])
            .filter(Column::LiveVmid.is_not_null())
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        let mut residents = BTreeMap::new();
        for (vmid, id, name, catalog_id) in rows {
            let Some(vmid) = vmid else { continue };
            let app = AppReference {
                id: text::parse("apps.id", &id)?,
                name,
                catalog_id,
            };
            residents.insert(text::count("apps.live_vmid", vmid)?, app);
        }
        Ok(residents)
    }
}
