//! Promising room, so that two replicas never promise the same.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, sea_query::Expr,
};

use crate::{AppChange, Apps, Error, Lease, Result, entity::counter};

/// The counter of promises.
const PROMISES: &str = "promises";

impl Apps<'_> {
    /// How many promises were made so far. Read before looking at the cluster and at
    /// [`promised`](Self::promised); what [`promise`](Self::promise) compares with.
    pub async fn promises_made(&self) -> Result<i64> {
        let row = counter::Entity::find_by_id(PROMISES)
            .one(&self.0.inner.connection)
            .await?;
        row.map(|row| row.value).ok_or_else(missing)
    }

    /// Writes the place of a driven operation's app, unless somebody has promised anything since `seen` was read:
    /// then nothing is written, the answer is `false`, and the caller looks again.
    pub async fn promise(&self, lease: &Lease, seen: i64, place: AppChange) -> Result<bool> {
        let write = self.0.write().await?;
        write.fence(lease).await?;
        write.change_app(lease.app, place).await?;
        let counted = counter::Entity::update_many()
            .col_expr(
                counter::Column::Value,
                Expr::col(counter::Column::Value).add(1_i64),
            )
            .filter(counter::Column::Name.eq(PROMISES))
            .filter(counter::Column::Value.eq(seen))
            .exec(&write.tx)
            .await?;
        if counted.rows_affected == 0 {
            return Ok(false);
        }
        write.commit().await.map(|()| true)
    }
}

fn missing() -> Error {
    Error::Corrupt {
        place: "counters",
        reason: format!("the row `{PROMISES}` is missing"),
    }
}
