//! Duties: what only one replica may do at a time, such as sweeping.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    sea_query::Expr,
};

use crate::{
    Result, Store,
    begin::nothing,
    entity::duty::{ActiveModel, Column, Entity},
    write::owned,
};

/// The right to do a duty. It ends by itself, as an operation's lease does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The duty.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The fencing token.
    pub generation: i64,
}

/// The repository of duties.
#[derive(Clone, Copy, Debug)]
pub struct Duties<'a>(pub(crate) &'a Store);

impl Duties<'_> {
    /// Takes the duty, if nobody holds it.
    pub async fn claim(&self, name: &str, holder: &str, length: Duration) -> Result<Option<Duty>> {
        let write = self.0.write().await?;
        let unheld = ActiveModel {
            name: Set(name.to_owned()),
            generation: Set(0),
            holder: NotSet,
            lease_until: NotSet,
        };
        Entity::insert(unheld)
            .on_conflict(nothing())
            .try_insert()
            .exec_without_returning(&write.tx)
            .await?;
        let claimed = Entity::update_many()
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .col_expr(Column::Holder, Expr::value(holder))
            .col_expr(Column::LeaseUntil, Expr::value(write.now + length))
            .filter(Column::Name.eq(name))
            .filter(
                Condition::any()
                    .add(Column::LeaseUntil.is_null())
                    .add(Column::LeaseUntil.lt(write.now)),
            )
            .exec(&write.tx)
            .await?;
        // The row is ours until the commit, so that this reads what the line above wrote.
        let row = Entity::find_by_id(name).one(&write.tx).await?;
        write.commit().await?;
        Ok(row.filter(|_| claimed.rows_affected == 1).map(|row| Duty {
            name: row.name,
            holder: holder.to_owned(),
            generation: row.generation,
        }))
    }

    /// Holds the duty for another `length` from now; [`Error::LeaseLost`](crate::Error::LeaseLost) when somebody else
    /// has it.
    pub async fn renew(&self, duty: &Duty, length: Duration) -> Result<()> {
        let until = self.0.now() + length;
        self.set(duty, duty.generation, Some(until)).await
    }

    /// Gives the duty back, for anybody to claim at once.
    pub async fn release(&self, duty: &Duty) -> Result<()> {
        self.set(duty, duty.generation + 1, None).await
    }

    async fn set(&self, duty: &Duty, generation: i64, until: Option<DateTime<Utc>>) -> Result<()> {
        let write = self.0.write().await?;
        let held = Entity::update_many()
            .col_expr(Column::Generation, Expr::value(generation))
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(Column::Name.eq(&duty.name))
            .filter(Column::Generation.eq(duty.generation))
            .exec(&write.tx)
            .await?;
        owned(held.rows_affected)?;
        write.commit().await
    }
}
