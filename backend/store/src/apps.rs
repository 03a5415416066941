//! Finding and changing apps.

use std::collections::HashMap;

use api::{AppId, AppState, OperationId, Page};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, sea_query::SelectStatement,
};

use crate::{
    App, AppChange, Error, Lease, PageRequest, Result, Store,
    app::OBSERVED,
    entity::{app, operation},
    page, text,
    write::Write,
};

/// The repository of apps. New ones are made by [`Operations::deploy`](crate::Operations::deploy).
#[derive(Clone, Copy, Debug)]
pub struct Apps<'a>(pub(crate) &'a Store);

/// Which apps are listed.
#[derive(Clone, Debug, Default)]
pub struct AppFilter {
    /// Only those in this state; deleted ones are listed only when they are asked for like this.
    pub state: Option<AppState>,
    /// Only those of this catalog entry.
    pub catalog_id: Option<String>,
    /// Only those that something is to be said of.
    pub attention: bool,
}

/// The apps on which an operation lives.
fn busy() -> SelectStatement {
    operation::Entity::find()
        .select_only()
        .column(operation::Column::LiveAppId)
        .filter(operation::Column::LiveAppId.is_not_null())
        .into_query()
}

impl Apps<'_> {
    /// The app with this id, deleted or not.
    pub async fn get(&self, id: AppId) -> Result<App> {
        let row = app::Entity::find_by_id(id.to_string())
            .one(&self.0.inner.connection)
            .await?;
        self.whole(row).await
    }

    /// The app that this text names: an id of any app, or the name or host name of one that is not deleted.
    pub async fn find(&self, id_or_name: &str) -> Result<App> {
        if let Ok(id) = id_or_name.parse() {
            return self.get(id).await;
        }
        let named = |column: app::Column| {
            app::Entity::find()
                .filter(column.eq(id_or_name))
                .one(&self.0.inner.connection)
        };
        // The name first: of two apps, one may have the other's name as its host name.
        let row = match named(app::Column::LiveName).await? {
            Some(row) => Some(row),
            None => named(app::Column::LiveHostname).await?,
        };
        self.whole(row).await
    }

    /// A page of apps, newest first.
    pub async fn list(&self, filter: &AppFilter, request: &PageRequest) -> Result<Page<App>> {
        let state = match filter.state {
            Some(state) => app::Column::State.eq(state.as_str()),
            None => app::Column::State.ne(AppState::Deleted.as_str()),
        };
        let rows = app::Entity::find()
            .filter(state)
            .apply_if(filter.catalog_id.as_ref(), |query, id| {
                query.filter(app::Column::CatalogId.eq(id))
            });
        let rows = if filter.attention {
            rows.filter(app::Column::Attention.is_not_null())
        } else {
            rows
        };
        let cursor = request.cursor::<AppId>()?.map(|id| id.to_string());
        let rows = page::before(rows, app::Column::Id, cursor, request)
            .all(&self.0.inner.connection)
            .await?;
        let page = page::cut(rows, request, |row| row.id.clone());
        Ok(Page {
            items: self.with_operations(page.items).await?,
            next: page.next,
        })
    }

    /// Changes the app of a driven operation, if the lease still holds.
    pub async fn change(&self, lease: &Lease, change: AppChange) -> Result<()> {
        let write = self.0.write().await?;
        write.fence(lease).await?;
        write.change_app(lease.app, change).await?;
        write.commit().await
    }

    /// Changes an app on which no operation lives and that is still in the state in which it was looked at. Answers whether
    /// it was: an operation that has begun meanwhile knows better.
    pub async fn observe(&self, id: AppId, expected: AppState, change: AppChange) -> Result<bool> {
        let write = self.0.write().await?;
        let changed = app::Entity::update_many()
            .set(change.columns(write.now))
            .filter(app::Column::Id.eq(id.to_string()))
            .filter(app::Column::State.eq(expected.as_str()))
            .filter(app::Column::Id.not_in_subquery(busy()))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        Ok(changed.rows_affected == 1)
    }

    /// Has a person look after an app on which no operation lives, or not any more. What an operation said stays.
    /// Answers whether anything changed.
    pub async fn attend(&self, id: AppId, attention: Option<&str>) -> Result<bool> {
        let write = self.0.write().await?;
        let own = app::Column::AttentionBy.eq(OBSERVED);
        let free = match attention {
            None => Condition::all().add(own),
            Some(text) => Condition::any().add(app::Column::Attention.is_null()).add(
                Condition::all()
                    .add(own)
                    .add(app::Column::Attention.ne(text)),
            ),
        };
        let changed = app::Entity::update_many()
            .set(AppChange::observed(attention).columns(write.now))
            .filter(app::Column::Id.eq(id.to_string()))
            .filter(app::Column::DeletedAt.is_null())
            .filter(free)
            .filter(app::Column::Id.not_in_subquery(busy()))
            .exec(&write.tx)
            .await?;
        write.commit().await?;
        Ok(changed.rows_affected == 1)
    }

    async fn whole(&self, row: Option<app::Model>) -> Result<App> {
        let row = row.ok_or(Error::NotFound("app"))?;
        let mut apps = self.with_operations(vec![row]).await?;
        Ok(apps.pop().expect("one row went in"))
    }

    pub(crate) async fn with_operations(&self, rows: Vec<app::Model>) -> Result<Vec<App>> {
        let ids = rows.iter().map(|row| row.id.clone());
        let live: Vec<(String, String)> = operation::Entity::find()
            .select_only()
            .column(operation::Column::AppId)
            .column(operation::Column::Id)
            .filter(operation::Column::LiveAppId.is_in(ids))
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        let live: HashMap<String, String> = live.into_iter().collect();
        let whole = |row: app::Model| {
            let operation: Option<OperationId> =
                text::parse_some("operations.id", live.get(&row.id).map(String::as_str))?;
            App::from_row(row, operation)
        };
        rows.into_iter().map(whole).collect()
    }
}

impl Write<'_> {
    /// Changes an app that is not deleted. The operation's row is held already: see the lock order.
    pub(crate) async fn change_app(&self, id: AppId, change: AppChange) -> Result<()> {
        let changed = app::Entity::update_many()
            .set(change.columns(self.now))
            .filter(
                Condition::all()
                    .add(app::Column::Id.eq(id.to_string()))
                    .add(app::Column::DeletedAt.is_null()),
            )
            .exec(&self.tx)
            .await?;
        if changed.rows_affected == 1 {
            Ok(())
        } else {
            Err(Error::NotFound("app"))
        }
    }
}
