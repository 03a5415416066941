//! Whether the database can be used now: read, and written.

use std::time::Duration;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, sea_query::Expr,
};
use tokio::time::{Instant, timeout};

use crate::{Error, Result, Store, entity::counter};

/// How long what was found holds. Whoever asks more often is answered from memory: each look is a write.
const HOLDS: Duration = Duration::from_secs(1);
/// How long a look may take. A database that takes longer is not one to work with.
const PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// Answers [`Error::Unavailable`] unless a row can be written now. Looks at most once a second.
    pub async fn ready(&self) -> Result<()> {
        let mut looked = self.inner.looked.lock().await;
        let known = looked.filter(|(at, _)| at.elapsed() < HOLDS);
        let writable = if let Some((_, writable)) = known {
            writable
        } else {
            let writable = match timeout(PATIENCE, self.try_write()).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the database cannot be written");
                    false
                }
                Err(_) => {
                    tracing::warn!("the database could not be written within {PATIENCE:?}");
                    false
                }
            };
            *looked = Some((Instant::now(), writable));
            writable
        };
        if writable {
            Ok(())
        } else {
            Err(Error::Unavailable(sea_orm::DbErr::Custom(
                "the last look found it not writable".to_owned(),
            )))
        }
    }

    /// Answers in words for the person who starts the program why nothing can be written, if that is so. The schema must
    /// be there.
    pub async fn prove_writable(&self) -> Result<()> {
        self.try_write()
            .await
            .map_err(|error| self.inner.place.told(error))
    }

    /// Writes something that changes nothing, as far as the disk.
    async fn try_write(&self) -> Result<()> {
        let write = self.write().await?;
        counter::Entity::update_many()
            .col_expr(
                counter::Column::Value,
                // Of the column's own width: PostgreSQL keeps statements by their text, and the journal has the same.
                Expr::col(counter::Column::Value).add(0_i64),
            )
            .filter(counter::Column::Name.eq("events"))
            .exec(&write.tx)
            .await?;
        write.commit().await
    }
}
