//! SSH host keys: learnt once, then enforced.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryOrder as _};

use crate::{
    Error, Result, Store,
    begin::nothing,
    entity::known_host::{ActiveModel, Column, Entity},
};

/// The key of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// The node.
    pub node: String,
    /// Its key, `ssh-ed25519 AAAA…`.
    pub key: String,
    /// When it was first seen.
    pub learnt_at: DateTime<Utc>,
}

/// The repository of host keys.
#[derive(Clone, Copy, Debug)]
pub struct KnownHosts<'a>(pub(crate) &'a Store);

impl KnownHosts<'_> {
    /// The key of a node, if it was learnt.
    pub async fn find(&self, node: &str) -> Result<Option<String>> {
        let row = Entity::find_by_id(node)
            .one(&self.0.inner.connection)
            .await?;
        Ok(row.map(|row| row.key))
    }

    /// Learns the key of a node that has none, and answers the one that holds: of two replicas that learn at once, the
    /// first one's.
    pub async fn learn(&self, node: &str, key: &str) -> Result<String> {
        let write = self.0.write().await?;
        let row = ActiveModel {
            node: Set(node.to_owned()),
            key: Set(key.to_owned()),
            learnt_at: Set(write.now),
        };
        Entity::insert(row)
            .on_conflict(nothing())
            .try_insert()
            .exec_without_returning(&write.tx)
            .await?;
        let row = Entity::find_by_id(node).one(&write.tx).await?;
        write.commit().await?;
        row.map(|row| row.key).ok_or(Error::NotFound("host key"))
    }

    /// Forgets the key of a node, so that it is learnt again: a person's act, after a reinstallation.
    pub async fn forget(&self, node: &str) -> Result<()> {
        let write = self.0.write().await?;
        let forgotten = Entity::delete_by_id(node).exec(&write.tx).await?;
        write.commit().await?;
        if forgotten.rows_affected == 1 {
            Ok(())
        } else {
            Err(Error::NotFound("host key"))
        }
    }

    /// All keys, by node.
    pub async fn list(&self) -> Result<Vec<KnownHost>> {
        let rows = Entity::find()
            .order_by_asc(Column::Node)
            .all(&self.0.inner.connection)
            .await?;
        let host = |row: crate::entity::known_host::Model| KnownHost {
            node: row.node,
            key: row.key,
            learnt_at: row.learnt_at,
        };
        Ok(rows.into_iter().map(host).collect())
    }
}
